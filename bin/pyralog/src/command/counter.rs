//! `pyralog counter`: make counters and count with them.

use crate::cli::{CounterCommand, Format};
use crate::client::{Client, block_on, in_path};
use crate::failure::{Failure, Status};
use crate::{output, suggest};
use pyralog_console::api::{
    CounterDescription, CounterList, CounterSummary, CreateCounterRequest, NextReply, NextRequest,
};
use std::io::{BufWriter, Write};

/// Runs one of them.
pub fn run(command: CounterCommand) -> Result<(), Failure> {
    match command {
        CounterCommand::Create { name, mode, server, output } => create(
            &Client::new(&server.server)?,
            &CreateCounterRequest { name, mode },
            output.format,
        ),
        CounterCommand::Next { name, count, mode, server, output } => {
            let request = NextRequest { count, mode };
            next(&Client::new(&server.server)?, &name, &request, output.format)
        }
        CounterCommand::Value { name, server, output } => {
            value(&Client::new(&server.server)?, &name, output.format)
        }
        CounterCommand::List { server, output } => {
            list(&Client::new(&server.server)?, output.format)
        }
    }
}

fn create(client: &Client, request: &CreateCounterRequest, format: Format) -> Result<(), Failure> {
    let counter: CounterSummary = block_on(client.post("/v1/counters", request))?;
    match format {
        Format::Json => output::json(&counter),
        Format::Table => output::line(format!(
            "{} counts, {}, as number {}",
            counter.name, counter.mode, counter.number
        )),
    }
}

fn next(client: &Client, name: &str, request: &NextRequest, format: Format) -> Result<(), Failure> {
    let reply: NextReply = about(client, name, client.post(&path(name), request))?;
    if format == Format::Json {
        return output::json(&reply);
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    for value in reply.first.0..=reply.last.0 {
        writeln!(out, "{value}")?;
    }
    Ok(out.flush()?)
}

fn value(client: &Client, name: &str, format: Format) -> Result<(), Failure> {
    let counter: CounterDescription = about(client, name, client.get(&path(name)))?;
    match format {
        Format::Json => output::json(&counter),
        Format::Table => output::line(counter.value),
    }
}

fn list(client: &Client, format: Format) -> Result<(), Failure> {
    let counters = block_on(all(client))?;
    match format {
        Format::Json => output::json(&counters),
        Format::Table if counters.is_empty() => {
            output::line("no counters; `pyralog counter create NAME` makes one")
        }
        Format::Table => {
            let rows = counters.into_iter().map(|counter| {
                vec![counter.name, counter.mode.to_string(), counter.number.to_string()]
            });
            output::print_table(&output::table(&["name", "mode", "number"], &[2], rows))
        }
    }
}

/// Every page of the list.
async fn all(client: &Client) -> Result<Vec<CounterSummary>, Failure> {
    let mut counters = Vec::new();
    let mut path = "/v1/counters".to_owned();
    loop {
        let page: CounterList = client.get(&path).await?;
        counters.extend(page.counters);
        match page.next {
            Some(after) => path = format!("/v1/counters?after={after}"),
            None => return Ok(counters),
        }
    }
}

fn path(name: &str) -> String {
    format!("/v1/counters/{}", in_path(name))
}

/// Runs a request about one counter; one that is not there gets a suggestion.
fn about<T>(
    client: &Client,
    name: &str,
    request: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    block_on(async {
        let failure = match request.await {
            Err(failure) if failure.status == Status::NotFound => failure,
            done => return done,
        };
        // One page is enough for a hint.
        let Ok(CounterList { counters, .. }) = client.get("/v1/counters").await else {
            return Err(failure);
        };
        let near = suggest::nearest(name, counters.iter().map(|counter| counter.name.as_str()));
        Err(match near {
            Some(near) if near != name => failure.help(format!("did you mean '{near}'?")),
            _ => failure.help(format!("`pyralog counter create {name}` makes it")),
        })
    })
}
