//! FindCoordinator.

use super::super::harness::Harness;
use super::asking::text;
use kafka_protocol::messages::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_finds_this_node_for_any_group() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    let here = ("127.0.0.1", harness.address.port() as i32);
    let node = client.call(1, &MetadataRequest::default()).await.brokers[0].node_id;
    for version in 0..=3 {
        let request = FindCoordinatorRequest::default().with_key(text("readers"));
        let found = client.call(version, &request).await;
        let message = found.error_message.unwrap_or_default();
        assert_eq!((found.error_code, found.node_id, &*message), (0, node, ""));
        assert_eq!((&*found.host, found.port), here);
    }
    let keys = ["a", "b", ""].map(text).to_vec();
    let request = FindCoordinatorRequest::default().with_coordinator_keys(keys);
    let found = client.call(4, &request).await.coordinators;
    let found: Vec<_> = found
        .iter()
        .map(|found| (&*found.key, found.error_code, found.node_id, &*found.host, found.port))
        .collect();
    let (host, port) = here;
    let nobody = BrokerId(-1);
    let expected =
        [("a", 0, node, host, port), ("b", 0, node, host, port), ("", 24, nobody, "", -1)];
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_has_no_coordinator_and_its_client_gives_up() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    for version in 1..=3 {
        let request = FindCoordinatorRequest::default().with_key(text("t")).with_key_type(1);
        let found = client.call(version, &request).await;
        assert_eq!((found.error_code, found.node_id, found.port), (53, BrokerId(-1), -1));
        assert!(found.error_message.unwrap().contains("transactions"));
    }
    for (kind, error) in [(1, 53), (2, 42)] {
        let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("t")]);
        let found = client.call(4, &request.with_key_type(kind)).await.coordinators;
        assert_eq!((found.len(), found[0].error_code), (1, error));
    }
}
