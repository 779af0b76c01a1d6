//! A client that can also misbehave.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection.
pub struct Client {
    pub stream: TcpStream,
    correlation: i32,
}

impl Client {
    pub async fn dial(address: SocketAddr) -> Client {
        Client { stream: TcpStream::connect(address).await.unwrap(), correlation: 0 }
    }

    /// Sends a request and reads its response.
    pub async fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.send(version, request).await;
        self.receive::<R>(version).await
    }

    /// Sends a request; gives its correlation.
    pub async fn send<R: Request>(&mut self, version: i16, request: &R) -> i32 {
        self.correlation += 1;
        let frame = frame(self.correlation, version, request);
        self.stream.write_all(&frame).await.unwrap();
        self.correlation
    }

    /// Reads one response of a `R` sent before; all of its bytes must be used.
    pub async fn receive<R: Request>(&mut self, version: i16) -> R::Response {
        let mut frame = self.receive_frame().await.expect("a response, not the end");
        let header = R::Response::header_version(version);
        ResponseHeader::decode(&mut frame, header).unwrap();
        let response = R::Response::decode(&mut frame, version).unwrap();
        assert!(frame.is_empty(), "{} bytes too many", frame.len());
        response
    }

    /// Reads one response without its length; `None` at the end of the stream.
    pub async fn receive_frame(&mut self) -> Option<Bytes> {
        let reading = async {
            let length = self.stream.read_u32().await.ok()?;
            let mut frame = vec![0; length as usize];
            self.stream.read_exact(&mut frame).await.ok()?;
            Some(Bytes::from(frame))
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("an answer in time")
    }

    /// True once the door has closed this connection without another byte.
    pub async fn is_closed(&mut self) -> bool {
        self.receive_frame().await.is_none()
    }
}

/// A request with its length and header.
pub fn frame<R: Request>(correlation: i32, version: i16, request: &R) -> Vec<u8> {
    let key = ApiKey::try_from(R::KEY).unwrap();
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation)
        .with_client_id(Some("test".into()));
    let mut out = BytesMut::new();
    header.encode(&mut out, key.request_header_version(version)).unwrap();
    request.encode(&mut out, version).unwrap();
    [&(out.len() as u32).to_be_bytes()[..], &out].concat()
}
