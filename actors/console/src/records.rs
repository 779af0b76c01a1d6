//! `/v1/logs/{name}/records`: streams of records, one JSON document a line.

mod collector;
mod consume;
mod find;
mod lines;
mod produce;
mod read_plan;

pub use consume::consume;
pub use find::find;
pub use produce::produce;

use bytes::Bytes;
use serde::Serialize;

/// The media type of such streams.
pub const NDJSON: &str = "application/x-ndjson";

/// One line of a stream.
pub fn line(document: &impl Serialize) -> Bytes {
    let mut line = serde_json::to_vec(document).expect("these documents have a JSON form");
    line.push(b'\n');
    Bytes::from(line)
}
