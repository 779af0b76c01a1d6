//! Settings: told, changed one by one, changed all at once.

use super::admin::internal_log;
use super::client::Client;
use super::harness::Harness;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::{
    AlterConfigsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest,
    alter_configs_request, incremental_alter_configs_request,
};
use kafka_protocol::protocol::StrBytes;

const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn resource(kind: i8, name: &str) -> DescribeConfigsResource {
    DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configuration_keys(None)
}

fn ask(resources: Vec<DescribeConfigsResource>) -> DescribeConfigsRequest {
    DescribeConfigsRequest::default().with_resources(resources)
}

async fn describe(client: &mut Client, kind: i8, name: &str) -> DescribeConfigsResult {
    let question = ask(vec![resource(kind, name)]).with_include_synonyms(true);
    client.call(4, &question.with_include_documentation(true)).await.results.remove(0)
}

/// Value and source of a setting of `flights`.
async fn setting(client: &mut Client, key: &str) -> (String, i8) {
    let described = describe(client, 2, "flights").await;
    let row = row(&described, key);
    (row.value.as_ref().unwrap().to_string(), row.config_source)
}

fn row<'a>(result: &'a DescribeConfigsResult, key: &str) -> &'a DescribeConfigsResourceResult {
    result.configs.iter().find(|row| &*row.name == key).expect(key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_describe_configs_tells_of_logs_and_of_this_node() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let node = harness.shen.node().0.to_string();
    for version in 1..=4 {
        let mut question = ask(vec![resource(2, "flights"), resource(4, &node), resource(4, "")]);
        question.include_synonyms = true;
        question.include_documentation = version >= 3;
        let response = client.call(version, &question).await;
        let [log, this, all] = &response.results[..] else { panic!("{response:?}") };
        assert_eq!((log.resource_type, &*log.resource_name), (2, "flights"));
        let keys: Vec<&str> = log.configs.iter().map(|row| &*row.name).collect();
        for key in ["cleanup.policy", "max.message.bytes", "retention.ms", "segment.bytes"] {
            assert!(keys.contains(&key), "{key} is missing in {keys:?}");
        }
        let segment = row(log, "segment.bytes");
        assert_eq!((segment.value.as_deref(), segment.config_source), (Some("1000000000"), 5));
        assert!(row(log, "min.insync.replicas").read_only);
        for changeable in ["cleanup.policy", "retention.ms", "retention.bytes", "segment.bytes"] {
            assert!(!row(log, changeable).read_only, "{changeable}");
        }
        assert_eq!(&*segment.synonyms[0].name, "log.segment.bytes");
        if version >= 3 {
            assert_eq!(segment.config_type, 5);
            assert!(segment.documentation.as_ref().unwrap().contains("sealed"));
        }
        let partitions = row(this, "num.partitions");
        assert_eq!((partitions.value.as_deref(), partitions.config_source), (Some("1"), 4));
        assert!(this.configs.iter().all(|row| row.read_only && row.config_source == 4));
        assert_eq!((all.error_code, all.configs.len()), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_filter_and_what_is_not_there_has_its_number() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let keys = vec![text("retention.ms"), text("no.such.key")];
    let question = ask(vec![
        resource(2, "flights").with_configuration_keys(Some(keys)),
        resource(2, "flights"),
        resource(2, "missing"),
        resource(4, "99"),
        resource(8, "1"),
    ]);
    let response = client.call(4, &question).await;
    let found: Vec<(i16, usize)> =
        response.results.iter().map(|one| (one.error_code, one.configs.len())).collect();
    assert_eq!(found, [(0, 1), (3, 0), (42, 0), (42, 0)], "what is asked twice is told once");
    assert!(response.results[0].configs[0].synonyms.is_empty(), "they were not asked for");
    let none = ask(vec![resource(2, "flights").with_configuration_keys(Some(Vec::new()))]);
    assert!(client.call(4, &none).await.results[0].configs.len() > 5, "no key is every key");
}

type Change<'a> = (&'a str, i8, Option<&'a str>);

/// The error of one resource.
async fn alter(client: &mut Client, name: &str, changes: &[Change<'_>]) -> i16 {
    alter_in(client, 1, (2, name), changes, false).await
}

async fn alter_in(
    client: &mut Client,
    version: i16,
    (kind, name): (i8, &str),
    changes: &[Change<'_>],
    validate_only: bool,
) -> i16 {
    use incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let config = |&(key, operation, value): &Change<'_>| {
        AlterableConfig::default()
            .with_name(text(key))
            .with_config_operation(operation)
            .with_value(value.map(text))
    };
    let resource = AlterConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configs(changes.iter().map(config).collect());
    let request = IncrementalAlterConfigsRequest::default()
        .with_resources(vec![resource])
        .with_validate_only(validate_only);
    let mut response = client.call(version, &request).await;
    let answer = response.responses.remove(0);
    assert_eq!((answer.resource_type, &*answer.resource_name), (kind, name));
    assert_eq!(answer.error_message.is_some(), answer.error_code != 0);
    answer.error_code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_changed_one_by_one() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    for version in 0..=1 {
        let set = [("segment.bytes", SET, Some("70000")), ("scarab.ids", SET, Some("false"))];
        let resource = (2, "flights");
        assert_eq!(alter_in(&mut client, version, resource, &set, true).await, 0);
        assert_eq!(setting(&mut client, "segment.bytes").await.1, 5, "it was only checked");
        assert_eq!(alter_in(&mut client, version, resource, &set, false).await, 0);
        assert_eq!(setting(&mut client, "segment.bytes").await, ("70000".to_owned(), 1));
        let described = describe(&mut client, 2, "flights").await;
        let synonyms = &row(&described, "segment.bytes").synonyms;
        let sources: Vec<(&str, i8)> = synonyms.iter().map(|s| (&*s.name, s.source)).collect();
        assert_eq!(sources, [("segment.bytes", 1), ("log.segment.bytes", 5)]);
        let delete = [("segment.bytes", DELETE, None)];
        assert_eq!(alter_in(&mut client, version, resource, &delete, false).await, 0);
        assert_eq!(setting(&mut client, "segment.bytes").await, ("1000000000".to_owned(), 5));
        assert_eq!(setting(&mut client, "scarab.ids").await, ("false".to_owned(), 1));
        assert_eq!(alter(&mut client, "flights", &[("scarab.ids", DELETE, None)]).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_refused_change_has_its_number_and_changes_nothing() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    let internal = internal_log(&harness).await;
    let good = ("segment.bytes", SET, Some("70000"));
    for (changes, error) in [
        (&[good, ("no.such.key", SET, Some("1"))][..], 40),
        (&[good, ("max.message.bytes", SET, Some("many"))], 40),
        (&[good, ("max.message.bytes", SET, None)], 40),
        (&[good, ("max.message.bytes", APPEND, Some("1"))], 40),
        (&[good, ("max.message.bytes", SUBTRACT, Some("1"))], 40),
        (&[good, ("cleanup.policy", APPEND, Some("shrink"))], 40),
        (&[good, ("cleanup.policy", SUBTRACT, Some("delete"))], 40),
        (&[good, ("retention.ms", SET, Some("-2"))], 40),
        (&[good, ("min.cleanable.dirty.ratio", SET, Some("1.5"))], 40),
        (&[good, ("max.message.bytes", 9, Some("2000"))], 42),
        (&[good, good], 42),
    ] {
        assert_eq!(alter(&mut client, "flights", changes).await, error, "{changes:?}");
    }
    assert_eq!(setting(&mut client, "segment.bytes").await.1, 5);
    for harmless in [
        ("cleanup.policy", APPEND, Some("delete")),
        ("retention.ms", SET, Some("-1")),
        ("min.insync.replicas", SET, Some("1")),
        ("cleanup.policy", DELETE, None),
    ] {
        assert_eq!(alter(&mut client, "flights", &[harmless]).await, 0, "{harmless:?}");
    }
    assert_eq!(alter(&mut client, "missing", &[good]).await, 3);
    assert_eq!(alter(&mut client, &internal, &[good]).await, 17);
    assert_eq!(alter_in(&mut client, 1, (4, "1"), &[good], false).await, 42);
    assert_eq!(alter_in(&mut client, 1, (8, "1"), &[good], false).await, 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_a_list_that_grows_and_shrinks() {
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    for (operation, value, policy, source) in [
        (APPEND, Some("compact"), "compact,delete", 1),
        (SUBTRACT, Some("delete"), "compact", 1),
        (SET, Some("delete,compact"), "compact,delete", 1),
        (DELETE, None, "delete", 5),
    ] {
        assert_eq!(alter(&mut client, "flights", &[("cleanup.policy", operation, value)]).await, 0);
        assert_eq!(setting(&mut client, "cleanup.policy").await, (policy.to_owned(), source));
    }
    let both =
        [("retention.ms", SET, Some("1000")), ("min.cleanable.dirty.ratio", SET, Some("0.1"))];
    assert_eq!(alter(&mut client, "flights", &both).await, 0);
    assert_eq!(setting(&mut client, "retention.ms").await, ("1000".to_owned(), 1));
    assert_eq!(setting(&mut client, "min.cleanable.dirty.ratio").await, ("0.1".to_owned(), 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_way_replaces_all_settings() {
    use alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let harness = Harness::start().await;
    let mut client = harness.with_log("flights", 1).await;
    for version in 0..=2 {
        assert_eq!(alter(&mut client, "flights", &[("scarab.ids", SET, Some("false"))]).await, 0);
        let config = AlterableConfig::default()
            .with_name(text("segment.bytes"))
            .with_value(Some(text("70000")));
        let resource = AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text("flights"))
            .with_configs(vec![config]);
        let request = AlterConfigsRequest::default().with_resources(vec![resource.clone()]);
        let answer = client.call(version, &request).await.responses.remove(0);
        assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
        assert_eq!(setting(&mut client, "segment.bytes").await, ("70000".to_owned(), 1));
        assert_eq!(setting(&mut client, "scarab.ids").await, ("true".to_owned(), 5));
        let twice = AlterConfigsRequest::default().with_resources(vec![resource.clone(), resource]);
        let answers = client.call(version, &twice).await.responses;
        assert!(answers.iter().all(|answer| answer.error_code == 42));
    }
}
