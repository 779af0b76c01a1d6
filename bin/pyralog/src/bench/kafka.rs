//! Kafka's protocol from the client's side, as much as a bench needs.

use crate::failure::{Failure, Status};
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{
    ListOffsetsRequest, MetadataRequest, RequestHeader, ResponseHeader, TopicName,
    list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    metadata_request::MetadataRequestTopic,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Versions the bench speaks.
pub const PRODUCE_VERSION: i16 = 9;
pub const FETCH_VERSION: i16 = 12;
const LIST_OFFSETS_VERSION: i16 = 6;
const METADATA_VERSION: i16 = 9;

/// No honest answer is larger.
const FRAME_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Where the correlation id stands in a framed request.
const CORRELATION_AT: usize = 8;

/// Connects.
pub async fn connect(bootstrap: &str) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(bootstrap).await.map_err(|error| {
        Failure::new(Status::Retryable, format!("cannot reach a node at {bootstrap}: {error}"))
            .help("--bootstrap names the node's Kafka address")
    })?;
    stream.set_nodelay(true).map_err(broken)?;
    Ok(stream)
}

/// A request as it goes over the wire, length in front.
pub fn framed<R: Request>(request: &R, version: i16) -> Result<BytesMut, Failure> {
    let mut frame = BytesMut::new();
    frame.put_u32(0);
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_client_id(Some(StrBytes::from_static_str("pyralog-bench")));
    header.encode(&mut frame, R::header_version(version)).map_err(Failure::failed)?;
    request.encode(&mut frame, version).map_err(Failure::failed)?;
    let length = u32::try_from(frame.len() - 4).map_err(Failure::failed)?;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    Ok(frame)
}

/// Gives a framed request its correlation id.
pub fn number(frame: &mut BytesMut, correlation: i32) {
    frame[CORRELATION_AT..CORRELATION_AT + 4].copy_from_slice(&correlation.to_be_bytes());
}

/// Reads one answer, without its length.
pub async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> Result<Bytes, Failure> {
    let length = stream.read_u32().await.map_err(broken)? as usize;
    if length > FRAME_BYTES_MAX {
        return Err(Failure::failed(format!("an answer of {length} bytes is not believable")));
    }
    let mut frame = BytesMut::with_capacity(length);
    while frame.len() < length {
        let left = length - frame.len();
        if stream.read_buf(&mut (&mut frame).limit(left)).await.map_err(broken)? == 0 {
            return Err(Failure::new(
                Status::Retryable,
                "the node closed the connection in the middle of an answer",
            ));
        }
    }
    Ok(frame.freeze())
}

/// Correlation id and answer out of a frame.
pub fn decode<R: Request>(mut frame: Bytes, version: i16) -> Result<(i32, R::Response), Failure>
where
    R::Response: HeaderVersion,
{
    let wrong = |error| Failure::failed(format!("an answer cannot be understood: {error}"));
    let header =
        ResponseHeader::decode(&mut frame, R::Response::header_version(version)).map_err(wrong)?;
    Ok((header.correlation_id, R::Response::decode(&mut frame, version).map_err(wrong)?))
}

/// Sends one request and waits for its answer.
pub async fn call<R: Request>(
    stream: &mut TcpStream,
    request: &R,
    version: i16,
) -> Result<R::Response, Failure>
where
    R::Response: HeaderVersion,
{
    stream.write_all(&framed(request, version)?).await.map_err(broken)?;
    Ok(decode::<R>(read_frame(stream).await?, version)?.1)
}

/// Makes sure that the log has the partitions the bench wants to use.
pub async fn check_log(stream: &mut TcpStream, log: &str, partitions: u32) -> Result<(), Failure> {
    let topic = MetadataRequestTopic::default().with_name(Some(topic_name(log)));
    let request = MetadataRequest::default()
        .with_topics(Some(vec![topic]))
        .with_allow_auto_topic_creation(false);
    let answer = call(stream, &request, METADATA_VERSION).await?;
    let found = answer.topics.first().map_or(0, |topic| topic.partitions.len());
    if found >= partitions as usize {
        return Ok(());
    }
    let message = match found {
        0 => format!("there is no log '{log}'"),
        _ => format!("log '{log}' has {found} partitions, not {partitions}"),
    };
    Err(Failure::new(Status::NotFound, message)
        .help(format!("pyralog log create {log} --partitions {partitions}")))
}

/// The first and the next offset of a partition.
pub async fn bounds(
    stream: &mut TcpStream,
    log: &str,
    partition: i32,
) -> Result<(i64, i64), Failure> {
    let mut bounds = [0; 2];
    for (bound, timestamp) in bounds.iter_mut().zip([-2, -1]) {
        let asked = ListOffsetsPartition::default()
            .with_partition_index(partition)
            .with_current_leader_epoch(-1)
            .with_timestamp(timestamp);
        let topic =
            ListOffsetsTopic::default().with_name(topic_name(log)).with_partitions(vec![asked]);
        let request =
            ListOffsetsRequest::default().with_replica_id((-1).into()).with_topics(vec![topic]);
        let answer = call(stream, &request, LIST_OFFSETS_VERSION).await?;
        let found = answer.topics.first().and_then(|topic| topic.partitions.first());
        let found = found.ok_or_else(|| Failure::failed("the node named no offset"))?;
        refused(found.error_code, log, partition)?;
        *bound = found.offset;
    }
    Ok((bounds[0], bounds[1]))
}

/// Makes Kafka's error code a failure.
pub fn refused(code: i16, log: &str, partition: i32) -> Result<(), Failure> {
    if code == 0 {
        return Ok(());
    }
    let name = kafka_protocol::ResponseError::try_from_code(code)
        .map_or_else(|| format!("error {code}"), |error| format!("{error:?} (Kafka error {code})"));
    Err(Failure::failed(format!("the node refused partition {partition} of '{log}': {name}")))
}

/// A name as the codec wants it.
pub fn topic_name(log: &str) -> TopicName {
    StrBytes::from_string(log.to_owned()).into()
}

/// A connection that broke.
pub fn broken(error: std::io::Error) -> Failure {
    Failure::new(Status::Retryable, format!("the connection broke: {error}"))
}
