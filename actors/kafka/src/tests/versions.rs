//! ApiVersions, its trap, and what is not served.

use super::harness::{Harness, fetch};
use crate::SERVED;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::Decodable;
use tokio::io::AsyncWriteExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_api_versions_gives_the_table() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    for version in 0..=4 {
        let mut request = ApiVersionsRequest::default();
        if version >= 3 {
            request.client_software_name = "test".into();
            request.client_software_version = "1".into();
        }
        let response = client.call(version, &request).await;
        assert_eq!(response.error_code, 0);
        let rows: Vec<_> =
            response.api_keys.iter().map(|a| (a.api_key, a.min_version, a.max_version)).collect();
        let mut table: Vec<_> = SERVED.iter().map(|s| (s.key as i16, s.min, s.max)).collect();
        // Else librdkafka sends gzip, Snappy and LZ4 batches uncompressed.
        table[0].1 = 0;
        assert_eq!(rows, table);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_api_versions_gets_version_0_with_its_own_row() {
    let harness = Harness::start().await;
    let mut client = harness.dial().await;
    for version in [5_i16, 99, -1] {
        let mut frame = vec![0, 0, 0, 30, 0, 18];
        frame.extend_from_slice(&version.to_be_bytes());
        frame.extend_from_slice(&[0, 0, 0, 9]);
        // Whatever a later version may put there.
        frame.extend_from_slice(&[0xee; 22]);
        client.stream.write_all(&frame).await.unwrap();
        let mut answer = client.receive_frame().await.unwrap();
        let header = ResponseHeader::decode(&mut answer, 0).unwrap();
        let response = ApiVersionsResponse::decode(&mut answer, 0).unwrap();
        assert!(answer.is_empty());
        assert_eq!((header.correlation_id, response.error_code), (9, 35));
        let rows: Vec<_> =
            response.api_keys.iter().map(|a| (a.api_key, a.min_version, a.max_version)).collect();
        assert_eq!(rows, [(18, 0, 4)]);
    }
    // The connection is still good.
    assert_eq!(client.call(0, &ApiVersionsRequest::default()).await.error_code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_served_closes_after_what_came_before_is_answered() {
    let harness = Harness::start().await;
    let mut unknown_key = harness.dial().await;
    unknown_key.send(0, &ApiVersionsRequest::default()).await;
    unknown_key.send(0, &SaslHandshakeRequest::default()).await;
    assert_eq!(unknown_key.receive::<ApiVersionsRequest>(0).await.error_code, 0);
    assert!(unknown_key.is_closed().await);
    let mut unknown_version = harness.dial().await;
    unknown_version.send(13, &fetch_by_id()).await;
    assert!(unknown_version.is_closed().await);
}

fn fetch_by_id() -> FetchRequest {
    let mut fetch = fetch("", 0, 0);
    fetch.topics.clear();
    fetch
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_frames_close() {
    let harness = Harness::start().await;
    for frame in
        [&[0xff, 0xff, 0xff, 0xff][..], &[0x7f, 0, 0, 0], &[0, 0, 0, 4], b"GET / HTTP/1.1\r\n"]
    {
        let mut client = harness.dial().await;
        client.stream.write_all(frame).await.unwrap();
        assert!(client.is_closed().await, "{frame:02x?}");
    }
}
