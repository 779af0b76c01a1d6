//! `pyralog consume`: the records of a log on standard output.

use crate::cli::{ConsumeArguments, RecordFormat};
use crate::client::{Client, RequestBody, block_on, in_path};
use crate::failure::Failure;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::Method;
use pyralog_console::api::{ErrorReply, RecordOut, Text};
use std::fmt::Write as _;
use std::io::{BufWriter, Write};

/// Prints until the end, the limit, or the reader of our output leaves.
pub fn run(arguments: ConsumeArguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.server.server)?;
    block_on(async {
        match consume(&client, &arguments).await {
            Err(failure) => Err(client.explain(failure, &arguments.log).await),
            done => done,
        }
    })
}

async fn consume(client: &Client, arguments: &ConsumeArguments) -> Result<(), Failure> {
    let body: RequestBody = Empty::new().boxed_unsync();
    let mut lines = client.stream(Method::GET, &path(arguments), body).await?;
    let mut out = BufWriter::with_capacity(64 * 1024, std::io::stdout().lock());
    loop {
        let line = match lines.ready() {
            Some(line) => line,
            None => {
                // Nothing more is here: what there is may be seen.
                out.flush()?;
                match lines.next().await? {
                    Some(line) => line,
                    None => return Ok(()),
                }
            }
        };
        print(&line, arguments.format, &mut out)?;
    }
}

fn path(arguments: &ConsumeArguments) -> String {
    let mut path = format!("/v1/logs/{}/records?from={}", in_path(&arguments.log), arguments.from);
    if arguments.until_end {
        path.push_str("&until_end=true");
    }
    if let Some(partition) = arguments.partition {
        let _ = write!(path, "&partition={partition}");
    }
    if let Some(limit) = arguments.limit {
        let _ = write!(path, "&limit={limit}");
    }
    path
}

fn print(line: &Bytes, format: RecordFormat, out: &mut impl Write) -> Result<(), Failure> {
    let record: RecordOut = match serde_json::from_slice(line) {
        Ok(record) => record,
        Err(error) => {
            return Err(match serde_json::from_slice::<ErrorReply>(line) {
                Ok(ErrorReply { error }) => Failure::from_server(&error.code, &error.message),
                Err(_) => {
                    Failure::failed(format!("the server sent a line that is no record: {error}"))
                }
            });
        }
    };
    match format {
        RecordFormat::Json => out.write_all(line)?,
        RecordFormat::Value => out.write_all(&bytes(record.value)?)?,
        RecordFormat::KeyValue => {
            out.write_all(&bytes(record.key)?)?;
            out.write_all(b"\t")?;
            out.write_all(&bytes(record.value)?)?;
        }
    }
    Ok(out.write_all(b"\n")?)
}

fn bytes(text: Option<Text>) -> Result<Vec<u8>, Failure> {
    text.map_or_else(|| Ok(Vec::new()), |text| text.into_bytes().map_err(Failure::failed))
}
