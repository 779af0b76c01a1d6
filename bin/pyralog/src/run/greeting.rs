//! What a node says when it serves: where it is, what to try, and `ready`.

use super::life::Life;
use crate::data_directory::DataDirectory;
use crate::listeners::Listeners;
use crate::node::role_text;
use std::fmt::Write as _;
use std::io::Write as _;

/// Prints it. Nobody has to be reading.
pub fn print(life: &Life, data: &DataDirectory, listeners: &Listeners) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text(life, data, listeners).as_bytes());
    let _ = out.flush();
}

fn text(life: &Life, data: &DataDirectory, listeners: &Listeners) -> String {
    let http = listeners.http_address();
    let node = data.node();
    let gone = if life.temporary { " (removed at the end)" } else { "" };
    let cluster = node.cluster.map(|id| id.to_string()).unwrap_or_default();
    let mut text = format!(
        "Pyralog {} · {} · node {} · cluster {cluster}\n\n",
        env!("CARGO_PKG_VERSION"),
        role_text(life.settings.roles()),
        node.name,
    );
    if let Some(kafka) = listeners.kafka_address() {
        let _ = writeln!(text, "  Kafka  {kafka}");
    }
    let _ = write!(
        text,
        "  HTTP   http://{http}\n  nodes  {}\n  data   {}{gone}\n\n",
        listeners.link_address(),
        data.path().display(),
    );
    if let (true, Some(kafka)) = (life.dev, listeners.kafka_address()) {
        let server =
            if http.port() == 8080 { String::new() } else { format!(" --server http://{http}") };
        let _ = write!(
            text,
            "Try in another terminal:\n\
             \x20 pyralog log create greetings --partitions 4{server}\n\
             \x20 echo 'hello' | pyralog produce greetings{server}\n\
             \x20 pyralog consume greetings --until-end{server}\n\
             \x20 pyralog id --count 3{server}\n\
             \x20 echo 'hello' | kcat -b {kafka} -t greetings -P\n\
             \x20 kcat -b {kafka} -t greetings -C -e\n\
             \x20 curl http://{http}/v1/status\n\n",
        );
    }
    text.push_str("ready\n");
    text
}
