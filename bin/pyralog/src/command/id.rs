//! `pyralog id`: unique ids, and what one is made of.

use crate::cli::{Format, IdArguments, IdCommand};
use crate::client::{Client, block_on};
use crate::failure::{Failure, Status};
use crate::output;
use pyralog_console::api::{IdsReply, IdsRequest};
use pyralog_env::{Clock, RealClock};
use pyralog_model::ScarabId;
use serde::Serialize;
use std::io::{BufWriter, Write};

/// Takes ids, or takes one apart.
pub fn run(arguments: IdArguments) -> Result<(), Failure> {
    match arguments.command {
        Some(IdCommand::Decode { id, output }) => decode(&id, output.format),
        None => take(&arguments),
    }
}

fn take(arguments: &IdArguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.server.server)?;
    let request = IdsRequest { count: arguments.count };
    let reply: IdsReply = block_on(client.post("/v1/ids", &request))?;
    if arguments.output.format == Format::Json {
        return output::json(&reply);
    }
    let first = ScarabId(reply.first.0);
    let mut out = BufWriter::new(std::io::stdout().lock());
    for index in 0..reply.count {
        writeln!(out, "{}", first.nth(u64::from(index)))?;
    }
    Ok(out.flush()?)
}

/// The parts of an id.
#[derive(Debug, Serialize)]
struct Parts {
    id: String,
    /// RFC 3339.
    time: String,
    unix_ms: u64,
    lane: u16,
    sequence: u16,
    /// Its time lies ahead of this machine's clock by more than an hour.
    in_the_future: bool,
}

/// Clocks of machines that work together differ by less.
const FUTURE_MS: u64 = 3_600_000;

fn decode(text: &str, format: Format) -> Result<(), Failure> {
    let id = understood(text)?;
    let unix_ms = id.clock().unix_ms();
    let time =
        i64::try_from(unix_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let now = u64::try_from(RealClock::new().wall().0).unwrap_or(0);
    let parts = Parts {
        id: id.to_string(),
        time: time.map(|time| format!("{time:.3}")).unwrap_or_default(),
        unix_ms,
        lane: id.lane().number(),
        sequence: id.sequence(),
        in_the_future: unix_ms > now + FUTURE_MS,
    };
    if format == Format::Json {
        return output::json(&parts);
    }
    let note = match parts.in_the_future {
        true => "\nthat is ahead of this machine's clock: probably no Scarab id",
        false => "",
    };
    output::line(format!(
        "time      {}\nlane      {}\nsequence  {}{note}",
        parts.time, parts.lane, parts.sequence
    ))
}

fn understood(text: &str) -> Result<ScarabId, Failure> {
    let refused = |why: &str| {
        Failure::new(Status::Usage, format!("'{text}' is no Scarab id: {why}"))
            .help("an id is a decimal number such as 123456789012345678, as `pyralog id` prints it")
    };
    match text.trim().parse() {
        Ok(0) => Err(refused("0 stands for \"no id\" where ids are kept")),
        Ok(id) => Ok(ScarabId(id)),
        Err(_) if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() => {
            Err(refused("it does not fit into 64 bits"))
        }
        Err(_) => Err(refused("it is not made of decimal digits")),
    }
}
