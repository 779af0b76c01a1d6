//! The bytes of every record, held for ever, and what is not one.

use super::*;
use bytes::Bytes;

fn group() -> Record {
    let member = KeptMember {
        member: "c-1".into(),
        instance: Some("i".into()),
        client_id: "c".into(),
        client_host: "/h".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 300_000,
        protocols: vec![("range".into(), Binary(Bytes::from_static(b"\0\x01")))],
        assignment: Binary(Bytes::from_static(b"\x07")),
    };
    let kept = KeptGroup {
        generation: 5,
        protocol_type: "consumer".into(),
        protocol: "range".into(),
        leader: Some("c-1".into()),
        since_ms: 1_700_000_000_000,
        assigned: true,
        members: vec![member],
    };
    Record::Group { group: "g".into(), kept: Some(kept) }
}

fn offset(kept: bool) -> Record {
    offset_of(kept.then_some(Some(LogNumber(300))))
}

/// An offset of version 1 does not say of which log it is.
fn offset_of(log: Option<Option<LogNumber>>) -> Record {
    let kept = log.map(|log| KeptOffset {
        offset: 42,
        leader_epoch: -1,
        metadata: "m".into(),
        at_ms: 1_700_000_000_000,
        log,
    });
    let partition = TopicPartition { topic: "log".into(), partition: 300 };
    Record::Offset { group: "g".into(), partition, kept }
}

fn every() -> [Record; 7] {
    [
        group(),
        Record::Group { group: "g".into(), kept: None },
        offset(true),
        offset(false),
        offset_of(Some(None)),
        Record::CheckpointBegins,
        Record::CheckpointEnds { records: 200 },
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_bytes_stay_as_they_are() {
    let golden = [
        (
            "01000167",
            Some(
                "010a08636f6e73756d65720572616e67650103632d3180a0abfef962010103632d31010169\
                 0163022f68904ee0a712010572616e67650200010107",
            ),
        ),
        ("01000167", None),
        ("01010167036c6f67ac02", Some("025401016d80a0abfef962ac02")),
        ("01010167036c6f67ac02", None),
        ("01010167036c6f67ac02", Some("015401016d80a0abfef962")),
        ("010200", Some("0100")),
        ("010201", Some("01c801")),
    ];
    for (record, (key, value)) in every().iter().zip(golden) {
        let encoded = record.encode();
        let found = (hex(&encoded.key), encoded.value.as_deref().map(hex));
        assert_eq!((found.0.as_str(), found.1.as_deref()), (key, value), "{record:?}");
    }
}

#[test]
fn every_record_comes_back() {
    for record in every() {
        let EncodedRecord { key, value } = record.encode();
        assert_eq!(Record::decode(&key, value.as_deref()), Ok(record));
    }
}

#[test]
fn what_is_cut_short_or_too_long_or_of_later_is_refused() {
    for record in every() {
        let EncodedRecord { key, value } = record.encode();
        for end in 0..key.len() {
            assert!(Record::decode(&key[..end], value.as_deref()).is_err());
        }
        let longer = [&key[..], &[0]].concat();
        assert!(Record::decode(&longer, value.as_deref()).is_err());
        let Some(value) = value else { continue };
        for end in 0..value.len() {
            assert!(Record::decode(&key, Some(&value[..end])).is_err());
        }
        assert!(Record::decode(&key, Some(&[&value[..], &[0]].concat())).is_err());
        let latest = if matches!(record, Record::Offset { .. }) { 2 } else { 1 };
        let later = [&[latest + 1], &value[1..]].concat();
        let (found, latest) = (u16::from(latest) + 1, latest.into());
        let refused = Record::decode(&key, Some(&later));
        assert_eq!(refused, Err(RecordError::Version { found, latest }));
        let none = [&[0], &value[1..]].concat();
        assert!(Record::decode(&key, Some(&none)).is_err());
    }
    let checkpoint = Record::CheckpointBegins.encode();
    assert!(Record::decode(&checkpoint.key, None).is_err());
}

#[test]
fn noise_and_lying_lengths_make_nothing() {
    use pyralog_env::Entropy;
    let chance = pyralog_env::sim::SimEntropy::new(3);
    for _ in 0..20_000 {
        let mut noise = vec![0; (chance.next_u64() % 64) as usize];
        chance.fill(&mut noise);
        let _ = Record::decode(&noise, Some(&noise));
        if let Some(first) = noise.first_mut() {
            *first = 1;
        }
        let _ = Record::decode(&noise, Some(&noise));
        let _ = Record::decode(&group().encode().key, Some(&noise));
        let _ = Record::decode(&offset(true).encode().key, Some(&noise));
        if let Some(first) = noise.first_mut() {
            *first = 2;
        }
        let _ = Record::decode(&offset(true).encode().key, Some(&noise));
    }
    // A group that claims 2^60 members in a few bytes.
    let mut lying = vec![1, 10, 0, 0, 0, 0, 0];
    lying.extend([0xff; 8]);
    lying.push(0x0f);
    assert!(Record::decode(&group().encode().key, Some(&lying)).is_err());
}
