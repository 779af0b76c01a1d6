//! Records what a Kafka client says: a proxy before a fresh node, and a command
//! to run against it.
//!
//! ```text
//! record NAME COMMAND [ARGUMENT]…     # {} in an argument becomes the address
//! ```
//!
//! The node advertises the proxy's address, so that everything goes through
//! it. The result is `tests/recordings/NAME.bin`.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a tool for the terminal, on real threads"
)]

use anyhow::{Context, Result, ensure};
use pyralog_tests::node::Plan;
use pyralog_tests::recordings;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

/// What has been said, per connection.
type Said = Arc<Mutex<Vec<Vec<u8>>>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().context("usage: record NAME COMMAND [ARGUMENT]…")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let program = arguments.next().context("which command?")?;
    let arguments: Vec<String> =
        arguments.map(|argument| argument.replace("{}", &address.to_string())).collect();

    let folder = tempfile::tempdir()?;
    let plan = Plan::new(&folder.path().join("data"), folder.path());
    let plan = plan.argument("--advertised-addr").argument(address.to_string());
    let node = plan.start()?;
    let said = Said::default();
    let (kafka, heard) = (plan.kafka(), Arc::clone(&said));
    thread::spawn(move || accept(&listener, kafka, &heard));

    let status = Command::new(&program)
        .args(&arguments)
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{program} ended with {status}");
    // The node's end closes the connections, and so the last of them are complete.
    node.stop()?;
    let said = said.lock().expect("no thread panics").concat();
    let count =
        recordings::frames(&said).context("the client said something that is not Kafka")?.len();
    let path = recordings::folder().join(format!("{name}.bin"));
    std::fs::write(&path, &said)?;
    println!("{}: {count} requests, {} bytes", path.display(), said.len());
    Ok(())
}

fn accept(listener: &TcpListener, kafka: SocketAddr, said: &Said) {
    for client in listener.incoming().flatten() {
        let Ok(server) = TcpStream::connect(kafka) else { continue };
        let number = {
            let mut said = said.lock().expect("no thread panics");
            said.push(Vec::new());
            said.len() - 1
        };
        let (said, answers) = (Arc::clone(said), (server.try_clone(), client.try_clone()));
        thread::spawn(move || {
            pass(client, server, |bytes| {
                said.lock().expect("no thread panics")[number].extend(bytes)
            })
        });
        if let (Ok(server), Ok(client)) = answers {
            thread::spawn(move || pass(server, client, |_| {}));
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, mut hear: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        hear(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
