//! Which section speaks for which role, and what is refused.

use crate::config::{Layers, NodeSettings};
use pyralog_directory::Roles;
use std::time::Duration;

const BOTH: Roles = Roles { obelisk: true, pyramid: true };
const OBELISK: Roles = Roles { obelisk: true, pyramid: false };
const PYRAMID: Roles = Roles { obelisk: false, pyramid: true };

fn settings(roles: Roles, flags: &[(&'static str, &str)]) -> NodeSettings {
    let flags = flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let configuration = Layers { roles, flags, ..Layers::default() }.read().unwrap();
    NodeSettings::of(&configuration, roles)
}

#[track_caller]
fn check(roles: Roles, flags: &[(&'static str, &str)], expect: Option<&str>) {
    let settings = settings(roles, flags);
    let outcome = settings
        .check()
        .and_then(|()| settings.check_roles())
        .and_then(|()| settings.check_reach())
        .map_err(|error| error.to_string());
    match (outcome, expect) {
        (Ok(()), None) => {}
        (Err(error), Some(part)) if error.contains(part) => {}
        (outcome, expect) => panic!("{outcome:?} but expected {expect:?}"),
    }
}

#[test]
fn each_role_reads_its_own_section() {
    let both = settings(BOTH, &[("data_dir", "here"), ("counter_file_size", "1GB")]);
    assert_eq!(
        (both.link_addr.as_str(), both.http_addr.as_str()),
        ("127.0.0.1:9093", "127.0.0.1:8080")
    );
    assert_eq!(both.data_dir.to_str(), Some("here"));
    assert_eq!(both.obelisk.unwrap().counter_file_bytes, 1_000_000_000);
    assert_eq!(both.pyramid.unwrap().producer_id_expiration, Duration::from_secs(86_400));

    let flags = [("listen_addr", "127.0.0.1:1"), ("fsync_on_increment", "true"), ("node_id", "o")];
    let obelisk = settings(OBELISK, &flags);
    assert_eq!(
        (obelisk.link_addr.as_str(), obelisk.http_addr.as_str()),
        ("127.0.0.1:1", "127.0.0.1:7071")
    );
    assert_eq!((obelisk.name.as_deref(), obelisk.roles()), (Some("o"), OBELISK));
    assert!(obelisk.obelisk.unwrap().fsync_on_increment);

    let pyramid =
        settings(PYRAMID, &[("listen_addr", "127.0.0.1:1"), ("pharaoh_endpoints", "a:1,b:2")]);
    assert_eq!(pyramid.pharaoh_endpoints, ["a:1", "b:2"]);
    assert_eq!((pyramid.link_addr.as_str(), pyramid.roles()), ("127.0.0.1:9093", PYRAMID));
    assert_eq!(pyramid.pyramid.unwrap().listen_addr, "127.0.0.1:1");
}

#[test]
fn a_flag_that_the_role_has_no_use_for_is_refused() {
    for (roles, name, expect) in [
        (OBELISK, "sql_addr", "--sql-addr sets nothing of an Obelisk"),
        (OBELISK, "link_addr", "--listen-addr"),
        (PYRAMID, "counter_file_size", "sets nothing of a Pyramid"),
    ] {
        let layers =
            Layers { roles, flags: vec![(name, "127.0.0.1:1".into())], ..Layers::default() };
        let error = layers.read().unwrap_err().to_string();
        assert!(error.contains(expect), "{expect:?} is missing from: {error}");
    }
}

#[test]
fn addresses_that_others_can_reach_need_leave() {
    check(BOTH, &[], None);
    check(BOTH, &[("listen_addr", "localhost:0")], None);
    check(BOTH, &[("listen_addr", "[::1]:0")], None);
    check(BOTH, &[("listen_addr", "0.0.0.0:9092")], Some("--insecure"));
    check(BOTH, &[("http_addr", "[::]:8080")], Some("http_addr"));
    check(BOTH, &[("link_addr", "[::]:9093")], Some("link_addr"));
    check(OBELISK, &[("listen_addr", "0.0.0.0:7070")], Some("listen_addr"));
    check(BOTH, &[("listen_addr", "0.0.0.0:9092"), ("insecure", "true")], None);
}

#[test]
fn nodes_on_other_machines_need_a_cookie_with_a_name() {
    let away = [("listen_addr", "0.0.0.0:7070"), ("insecure", "true")];
    check(OBELISK, &away, Some("cookie_file"));
    check(OBELISK, &[&away[..], &[("cookie_file", "c")]].concat(), None);
    check(PYRAMID, &[("pharaoh_endpoints", "obelisk-1:7070")], Some("cookie_file"));
    check(PYRAMID, &[("pharaoh_endpoints", "obelisk-1:7070"), ("cookie_file", "c")], None);
    check(PYRAMID, &[("pharaoh_endpoints", "127.0.0.1:7070,localhost:7071,[::1]:1")], None);
}

#[test]
fn roles_need_each_other() {
    check(PYRAMID, &[], Some("--pharaoh-endpoints"));
    check(OBELISK, &[], None);
    check(OBELISK, &[("pharaoh_endpoints", "localhost:7070")], None);
    check(OBELISK, &[("pharaoh_endpoints", "localhost:7072")], Some("not-supported"));
    check(BOTH, &[("pharaoh_endpoints", "a:9093,b:9093")], Some("not-supported"));
}

#[test]
fn bounds_between_keys_hold() {
    let both = |address| [("listen_addr", address), ("http_addr", address)];
    check(BOTH, &both("127.0.0.1:1"), Some("each its own port"));
    check(OBELISK, &both("127.0.0.1:1"), Some("each its own port"));
    check(BOTH, &both("127.0.0.1:0"), None);
    check(BOTH, &[("link_addr", "127.0.0.1:8080")], Some("http_addr and link_addr"));
    check(BOTH, &[("min_in_sync_replicas", "2")], Some("replication_factor"));
    check(BOTH, &[("min_in_sync_replicas", "2"), ("replication_factor", "3")], None);
    check(BOTH, &[("segment_size", "1kB")], Some("65536"));
    check(BOTH, &[("segment_size", "8GB")], Some("4GB"));
    check(BOTH, &[("max_message_bytes", "1GB")], Some("16MB"));
    check(OBELISK, &[("counter_file_size", "1MB")], Some("16MB to 8PB"));
}
