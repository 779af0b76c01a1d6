//! Settings as text and as bytes.

use super::*;

fn defaults() -> LogSettings {
    LogSettings { segment_bytes: 70_000, ..LogSettings::default() }
}

fn kept(settings: &LogSettings) -> Vec<u8> {
    postcard::to_stdvec(settings).unwrap()
}

#[test]
fn every_row_can_be_set_to_its_own_value() {
    let mut settings = LogSettings::default();
    for row in settings.clone().rows() {
        settings.set(&row.key, &row.value).unwrap();
    }
    assert_eq!(settings, LogSettings::default());
}

#[test]
fn a_key_is_put_back_to_the_default_and_no_other_is() {
    let mut settings = LogSettings { segment_bytes: 1, scarab_ids: false, ..defaults() };
    settings.set("retention.ms", "5").unwrap();
    settings.reset("segment.bytes", &defaults()).unwrap();
    settings.reset("retention.ms", &defaults()).unwrap();
    assert_eq!(settings, LogSettings { scarab_ids: false, ..defaults() });
    let unknown = settings.reset("segment.byte", &defaults()).unwrap_err();
    assert!(matches!(unknown, SettingError::Unknown { .. }));
}

#[test]
fn what_a_log_promises_is_decided_once_and_memory_is_not_compacted() {
    let mut settings = LogSettings::default();
    for durability in ["page-cache", "memory"] {
        settings.set("pyralog.durability", durability).unwrap();
        assert_eq!(settings.durability.to_string(), durability);
        settings.check().unwrap();
        let changed = settings.check_change(&defaults()).unwrap_err().to_string();
        assert!(changed.contains("'fsync'") && changed.contains(durability), "{changed}");
        settings.check_change(&settings.clone()).unwrap();
    }
    for policy in ["compact", "compact,delete"] {
        settings.set("cleanup.policy", policy).unwrap();
        let refused = settings.check().unwrap_err();
        assert_eq!(refused, SettingError::MemoryCompacts { policy: policy.to_owned() });
        assert_eq!(settings.check_change(&settings.clone()), Err(refused));
    }
    settings.set("pyralog.durability", "page-cache").unwrap();
    settings.check().unwrap();
    let strange = settings.set("pyralog.durability", "hope").unwrap_err().to_string();
    assert!(strange.contains("'page-cache'"), "{strange}");
}

#[test]
fn settings_with_ids_have_the_bytes_of_the_first_version() {
    let mut settings = LogSettings {
        segment_bytes: 65_536,
        max_message_bytes: 1_024,
        durability: Durability::Memory,
        ..LogSettings::default()
    };
    assert_eq!(kept(&settings), [0x80, 0x80, 0x04, 0x80, 0x08, 2]);
    settings.set("scarab.ids", "false").unwrap();
    let bytes = kept(&settings);
    assert_eq!(bytes, [0x80, 0x80, 0x04, 0x80, 0x08, 0x12]);
    assert_eq!(postcard::from_bytes::<LogSettings>(&bytes).unwrap(), settings);
    settings.set("pyralog.keys", "false").unwrap();
    let bytes = kept(&settings);
    assert_eq!(bytes, [0x80, 0x80, 0x04, 0x80, 0x08, 0x52]);
    assert_eq!(postcard::from_bytes::<LogSettings>(&bytes).unwrap(), settings);
    for unknown in [3, 0x83, 0x43] {
        let bytes = [1, 1, unknown, 1];
        assert!(postcard::from_bytes::<LogSettings>(&bytes).is_err(), "{unknown}");
    }
}

#[test]
fn upkeep_that_is_not_the_default_follows() {
    let mut settings = LogSettings { segment_bytes: 1, max_message_bytes: 2, ..defaults() };
    for (key, value) in [
        ("cleanup.policy", "delete, compact"),
        ("retention.ms", "0"),
        ("retention.bytes", "300"),
        ("segment.ms", "604800000"),
        ("min.cleanable.dirty.ratio", "0.25"),
    ] {
        settings.set(key, value).unwrap();
    }
    let bytes = kept(&settings);
    assert_eq!(bytes, [1, 2, 0x20, 4, 1, 2, 2, 0, 3, 0xac, 2, 8, 0x90, 0xa1, 0x0f]);
    assert_eq!(postcard::from_bytes::<LogSettings>(&bytes).unwrap(), settings);
    // A policy that is none, an unknown number, a default, a repetition, the wrong
    // order, a ratio above 1, and nothing at all.
    for list in [
        &[1_u8, 1, 3][..],
        &[1, 9, 1],
        &[1, 1, 0],
        &[2, 2, 5, 2, 5],
        &[2, 3, 5, 2, 5],
        &[1, 8, 0xc1, 0x84, 0x3d],
        &[0],
    ] {
        let bytes = [&[1, 2, 0x20], list].concat();
        assert!(postcard::from_bytes::<LogSettings>(&bytes).is_err(), "{list:?}");
    }
}

#[test]
fn values_are_taken_as_kafka_takes_them() {
    let mut settings = LogSettings::default();
    for (key, good, shown) in [
        ("cleanup.policy", "compact", "compact"),
        ("cleanup.policy", "delete,compact", "compact,delete"),
        ("retention.ms", "-1", "-1"),
        ("retention.bytes", "1000", "1000"),
        ("max.compaction.lag.ms", "9223372036854775807", "9223372036854775807"),
        ("min.cleanable.dirty.ratio", "1", "1.0"),
        ("min.cleanable.dirty.ratio", "0.050", "0.05"),
    ] {
        settings.set(key, good).unwrap();
        let rows = settings.rows();
        assert_eq!(rows.iter().find(|row| row.key == key).unwrap().value, shown);
    }
    for (key, bad) in [
        ("cleanup.policy", ""),
        ("cleanup.policy", "compact,keep"),
        ("retention.ms", "-2"),
        ("retention.ms", "9223372036854775808"),
        ("segment.ms", "0"),
        ("delete.retention.ms", "1.5"),
        ("min.cleanable.dirty.ratio", "1.000001"),
        ("min.cleanable.dirty.ratio", "-0.1"),
        ("min.cleanable.dirty.ratio", "."),
    ] {
        let refused = settings.set(key, bad);
        assert!(matches!(refused, Err(SettingError::Value { .. })), "{key} = {bad}");
    }
}

#[test]
fn what_is_not_there_yet_says_so() {
    let mut settings = LogSettings::default();
    let refused = settings.set("min.insync.replicas", "2").unwrap_err().to_string();
    assert!(refused.contains("until replicas are there"), "{refused}");
    assert!(matches!(settings.set("segmnt.bytes", "1"), Err(SettingError::Unknown { .. })));
    assert!(settings.set("segment.bytes", "1").is_err());
    settings.set("segment.bytes", "65536").unwrap();
    assert_eq!(settings.segment_bytes, 65_536);
}
