//! What a node says when it serves: where it is, what to try, and `ready`.

use super::life::Life;
use crate::data_directory::DataDirectory;
use crate::listeners::Listeners;
use std::fmt::Write as _;
use std::io::Write as _;

/// Prints it. Nobody has to be reading.
pub fn print(life: &Life, data: &DataDirectory, listeners: &Listeners) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text(life, data, listeners).as_bytes());
    let _ = out.flush();
}

fn text(life: &Life, data: &DataDirectory, listeners: &Listeners) -> String {
    let (kafka, http) = (listeners.kafka_address().expect("a Pyramid"), listeners.http_address());
    let node = data.node();
    let gone = if life.temporary { " (removed at the end)" } else { "" };
    let mut text = format!(
        "Pyralog {} · node {} · cluster {}\n\n  Kafka  {kafka}\n  HTTP   http://{http}\n  data   {}{gone}\n\n",
        env!("CARGO_PKG_VERSION"),
        node.name,
        node.cluster.map(|id| id.to_string()).unwrap_or_default(),
        data.path().display(),
    );
    if life.dev {
        let server =
            if http.port() == 8080 { String::new() } else { format!(" --server http://{http}") };
        let _ = write!(
            text,
            "Try in another terminal:\n\
             \x20 pyralog log create flights --partitions 4{server}\n\
             \x20 echo 'hello' | pyralog produce flights{server}\n\
             \x20 pyralog consume flights --until-end{server}\n\
             \x20 echo 'hello' | kcat -b {kafka} -t flights -P\n\
             \x20 kcat -b {kafka} -t flights -C -e\n\
             \x20 curl http://{http}/v1/status\n\n",
        );
    }
    text.push_str("ready\n");
    text
}
