//! `pyralog produce`: a record per line of a file or of standard input.
//!
//! This thread reads and the runtime's sends, with a bounded queue between
//! them: standard input can only be read by waiting for it.

use crate::cli::{Format, ProduceArguments};
use crate::client::{Client, in_path};
use crate::failure::{Failure, Status};
use crate::output;
use bytes::Bytes;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::Method;
use hyper::body::Frame;
use indicatif::{ProgressBar, ProgressStyle};
use pyralog_console::ConsoleLimits;
use pyralog_console::api::{ErrorBody, ProduceProgress, ProduceReply, RecordIn, Text};
use pyralog_model::ErrorCode;
use serde::Deserialize;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::sync::Arc;

/// Lines are sent in pieces of about this size.
const CHUNK_BYTES: usize = 64 * 1024;
/// Pieces waiting to be sent.
const CHUNKS_WAITING: usize = 16;

/// A line of the reply.
#[derive(Deserialize)]
#[serde(untagged)]
enum ReplyLine {
    Failed {
        error: ErrorBody,
        #[serde(default)]
        acknowledged: u64,
    },
    Done(ProduceReply),
    Progress(ProduceProgress),
}

/// Appends every line.
pub fn run(arguments: ProduceArguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.server.server)?;
    let input = Input::open(&arguments)?;
    let bar = progress_bar(&arguments, input.bytes);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Failure::failed)?;
    let (sender, receiver) = mpsc::channel(CHUNKS_WAITING);
    let log = arguments.log.clone();
    let sending = runtime.spawn(send(client, log, arguments.partition, receiver, bar.clone()));
    let arguments = Arc::new(arguments);
    let (how, counted) = (Arc::clone(&arguments), bar.clone());
    let reading = runtime.spawn_blocking(move || feed(input, &how, sender, &counted));
    let sent = runtime.block_on(sending).map_err(Failure::failed)?;
    bar.finish_and_clear();
    // What the server says explains why reading stopped, so it goes first. Then
    // nobody waits for the reader, which may be waiting for a terminal.
    let reply = match sent {
        Ok(reply) => reply,
        Err(failure) => {
            runtime.shutdown_background();
            return Err(failure);
        }
    };
    runtime.block_on(reading).map_err(Failure::failed)?.map_err(|failure| {
        failure.help(format!("{} before it were appended", records(reply.records)))
    })?;
    match arguments.output.format {
        Format::Json => output::json(&reply),
        Format::Table => report(&arguments.log, &reply),
    }
}

struct Input {
    reader: Box<dyn Read + Send>,
    /// Its length in bytes, if it has one.
    bytes: Option<u64>,
}

impl Input {
    fn open(arguments: &ProduceArguments) -> Result<Input, Failure> {
        if arguments.file.as_os_str() == "-" {
            return Ok(Input { reader: Box::new(io::stdin()), bytes: None });
        }
        let name = arguments.file.display();
        let file = File::open(&arguments.file).map_err(|error| {
            Failure::new(Status::NotFound, format!("cannot read {name}: {error}"))
        })?;
        let bytes = file
            .metadata()
            .ok()
            .filter(|metadata| metadata.is_file())
            .map(|metadata| metadata.len());
        Ok(Input { reader: Box::new(file), bytes })
    }
}

/// Reads lines and queues them. Ends early, without an error, when the other
/// side has stopped taking them.
fn feed(
    input: Input,
    arguments: &ProduceArguments,
    mut sender: mpsc::Sender<Bytes>,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Handle::current();
    let line_bytes_max = ConsoleLimits::default().line_bytes_max;
    let mut line_number = 0;
    let mut reader = BufReader::with_capacity(CHUNK_BYTES, input.reader);
    let (mut line, mut chunk) = (Vec::new(), Vec::with_capacity(CHUNK_BYTES * 2));
    let mut wrong = None;
    loop {
        line.clear();
        line_number += 1;
        // No more than shows that it is too long is kept of a line.
        let read = (&mut reader).take(line_bytes_max as u64 + 1).read_until(b'\n', &mut line);
        let read =
            read.map_err(|error| Failure::failed(format!("cannot read the input: {error}")))?;
        if read > 0 {
            bar.inc(read as u64);
            let before = chunk.len();
            encode(&line, arguments, &mut chunk)?;
            if chunk.len() - before > line_bytes_max {
                // The lines before it go, and none after.
                chunk.truncate(before);
                wrong = Some(too_large(line_number, line_bytes_max));
            }
        }
        // Sent when large, and when the reader would have to wait for more.
        let due = chunk.len() >= CHUNK_BYTES || reader.buffer().is_empty() || wrong.is_some();
        if due && !chunk.is_empty() {
            let full = Bytes::from(std::mem::take(&mut chunk));
            if runtime.block_on(sender.send(full)).is_err() {
                return Ok(());
            }
        }
        match wrong {
            Some(failure) => return Err(failure),
            None if read == 0 => return Ok(()),
            None => {}
        }
    }
}

/// The server would say the same, but only after it was sent all of it.
fn too_large(line_number: u64, line_bytes_max: usize) -> Failure {
    let message = format!("line {line_number}: longer than {line_bytes_max} bytes as JSON");
    Failure::from_server(ErrorCode::RecordTooLarge.as_str(), &message)
}

fn encode(line: &[u8], arguments: &ProduceArguments, chunk: &mut Vec<u8>) -> Result<(), Failure> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (key, value) = match &arguments.key_separator {
        Some(separator) if !separator.is_empty() => split(line, separator.as_bytes()),
        _ => (None, line),
    };
    let record = RecordIn {
        key: key.map(Text::from_bytes),
        value: Some(Text::from_bytes(value)),
        partition: None,
        headers: Vec::new(),
        timestamp: None,
    };
    serde_json::to_writer(&mut *chunk, &record).map_err(Failure::failed)?;
    chunk.push(b'\n');
    Ok(())
}

/// Key and value of a line; a line without the separator has no key.
fn split<'l>(line: &'l [u8], separator: &[u8]) -> (Option<&'l [u8]>, &'l [u8]) {
    match line.windows(separator.len()).position(|window| window == separator) {
        Some(at) => (Some(&line[..at]), &line[at + separator.len()..]),
        None => (None, line),
    }
}

async fn send(
    client: Client,
    log: String,
    partition: Option<u32>,
    chunks: mpsc::Receiver<Bytes>,
    bar: ProgressBar,
) -> Result<ProduceReply, Failure> {
    match append(&client, &log, partition, chunks, bar).await {
        Err(failure) => Err(client.explain(failure, &log).await),
        done => done,
    }
}

async fn append(
    client: &Client,
    log: &str,
    partition: Option<u32>,
    chunks: mpsc::Receiver<Bytes>,
    bar: ProgressBar,
) -> Result<ProduceReply, Failure> {
    let body = StreamBody::new(chunks.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk))));
    let query = partition.map(|partition| format!("?partition={partition}")).unwrap_or_default();
    let path = format!("/v1/logs/{}/records{query}", in_path(log));
    let mut safe = 0;
    // A server that has answered with a code knows; a connection that broke does not.
    let unknown = |failure: Failure, safe: u64| match (failure.status, failure.code) {
        (Status::Retryable, None) if !failure.has_help() => failure.help(at_least(safe)),
        _ => failure,
    };
    let lines = client.stream(Method::POST, &path, body.boxed_unsync()).await;
    let mut lines = lines.map_err(|failure| unknown(failure, safe))?;
    while let Some(line) = lines.next().await.map_err(|failure| unknown(failure, safe))? {
        match serde_json::from_slice(&line) {
            Ok(ReplyLine::Progress(progress)) => {
                safe = progress.acknowledged;
                bar.set_message(format!("{safe} safe"));
            }
            Ok(ReplyLine::Done(reply)) => return Ok(reply),
            Ok(ReplyLine::Failed { error, acknowledged }) => {
                let were = if acknowledged == 1 { "was" } else { "were" };
                let safe = format!("{} {were} acknowledged before that", records(acknowledged));
                return Err(Failure::from_server(&error.code, &error.message).help(safe));
            }
            Err(error) => {
                return Err(Failure::failed(format!(
                    "the server's answer cannot be understood: {error}"
                )));
            }
        }
    }
    Err(Failure::new(Status::Retryable, "the server's answer broke off").help(at_least(safe)))
}

/// What is known when the server cannot be asked any more.
fn at_least(safe: u64) -> String {
    let were = if safe == 1 { "was" } else { "were" };
    format!("at least {} {were} acknowledged; the rest is unknown", records(safe))
}

fn records(count: u64) -> String {
    if count == 1 { "1 record".into() } else { format!("{count} records") }
}

fn progress_bar(arguments: &ProduceArguments, bytes: Option<u64>) -> ProgressBar {
    if arguments.quiet
        || !io::stderr().is_terminal()
        || (bytes.is_none() && io::stdin().is_terminal())
    {
        return ProgressBar::hidden();
    }
    let (bar, template) = match bytes {
        Some(bytes) => {
            (ProgressBar::new(bytes), "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}")
        }
        None => (ProgressBar::new_spinner(), "{spinner} {bytes} {bytes_per_sec} {msg}"),
    };
    bar.with_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    )
}

fn report(log: &str, reply: &ProduceReply) -> Result<(), Failure> {
    let partitions = match reply.partitions.as_slice() {
        [one] => format!(
            "partition {}, offsets {} to {}",
            one.partition, one.first_offset, one.last_offset
        ),
        many => format!("{} partitions", many.len()),
    };
    output::line(format!("appended {} to {log}: {partitions}", records(reply.records)))
}
