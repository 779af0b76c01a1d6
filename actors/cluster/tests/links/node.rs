//! A node in a process of its own, as the tests hold it.

use super::child::ENVIRONMENT;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

pub struct Node {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub address: String,
}

/// What a node is started with; numbers instead of long ids.
#[derive(Clone, Copy)]
pub struct Settings {
    pub store: u64,
    pub boot: u64,
    pub cluster: u64,
    pub node: u64,
    pub cookie: u64,
    pub port: u16,
}

impl Settings {
    pub fn of(store: u64) -> Settings {
        Settings { store, boot: 1, cluster: 7, node: store, cookie: 9, port: 0 }
    }

    pub fn start(self) -> Node {
        let Settings { store, boot, cluster, node, cookie, port } = self;
        let settings = format!(
            "store={store},boot={boot},cluster={cluster},node={node},cookie={cookie},port={port}"
        );
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child::child_node", "--exact", "--nocapture", "--test-threads=1"])
            .env(ENVIRONMENT, settings)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut node = Node { child, input, output, address: String::new() };
        node.address = node.read();
        node
    }
}

impl Node {
    pub fn start(store: u64) -> Node {
        Settings::of(store).start()
    }

    /// Gives a command and returns its answer.
    pub fn ask(&mut self, command: &str) -> String {
        writeln!(self.input, "{command}").unwrap();
        self.read()
    }

    /// Dials, and waits until the link is up; returns who is there.
    pub fn link(&mut self, endpoint: &str) -> String {
        self.ask(&format!("dial {endpoint}"));
        let state = self.ask(&format!("await {endpoint} up"));
        assert!(state.starts_with("up "), "{state}");
        state
    }

    /// Asks again until the answer pleases.
    pub fn ask_until(&mut self, command: &str, pleases: impl Fn(&str) -> bool) -> String {
        let mut answer = String::new();
        for _ in 0..400 {
            answer = self.ask(command);
            if pleases(&answer) {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{command} still answers {answer}");
    }

    pub fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Processor time used until now.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    fn read(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the node is gone");
            // The test harness may have begun the line.
            if let Some((_, answer)) = line.trim_end_matches('\n').split_once("@ ") {
                return answer.to_owned();
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have been killed by the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
