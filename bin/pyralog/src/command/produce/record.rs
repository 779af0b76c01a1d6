//! A record on its way from the input to the server, and the faults of inputs.

use crate::failure::Failure;
use pyralog_console::api::Text;

/// Records one after another, whatever they are read from.
pub trait Records: Send {
    /// Reads the next record into `record`; false at the end.
    ///
    /// # Errors
    /// [`Fault::Invalid`] leaves the input behind what is invalid, so the next call goes on.
    fn next(&mut self, record: &mut Record) -> Result<bool, Fault>;

    /// True when the next record may have to be waited for: what was read so far
    /// should not wait with it.
    fn is_drained(&self) -> bool;

    /// Fields that became null so far.
    fn nulls(&self) -> u64 {
        0
    }

    /// Where the one that was read last begins, from 1.
    fn line(&self) -> u64;

    /// What one of them is called: `line`, `row` or `document`.
    fn noun(&self) -> &'static str;
}

/// Why there is no next record.
#[derive(Debug)]
pub enum Fault {
    /// This one cannot be one; those behind it can.
    Invalid {
        /// Where it begins, from 1.
        line: u64,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// Nothing more can be read.
    Fatal(Failure),
}

impl Fault {
    /// The end of reading, at a line.
    pub fn fatal(line: u64, why: impl std::fmt::Display) -> Fault {
        Fault::Fatal(Failure::failed(format!("line {line}: {why}")))
    }

    /// The input could not be read on.
    pub fn unread(error: &std::io::Error) -> Fault {
        Fault::Fatal(Failure::failed(format!("cannot read the input: {error}")))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        match fault {
            Fault::Fatal(failure) => failure,
            Fault::Invalid { line, why } => Failure::failed(format!("line {line}: {why}")),
        }
    }
}

/// A record. It is used again for the next one, so its room is.
#[derive(Debug, Default)]
pub struct Record {
    has_key: bool,
    key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

impl Record {
    /// Without a key, and with an empty value.
    pub fn clear(&mut self) {
        self.has_key = false;
        self.key.clear();
        self.value.clear();
    }

    /// Gives it a key.
    pub fn set_key(&mut self, key: &[u8]) {
        self.has_key = true;
        self.key.clear();
        self.key.extend_from_slice(key);
    }

    /// The key, if it has one.
    pub fn key(&self) -> Option<&[u8]> {
        self.has_key.then_some(&self.key)
    }

    /// Puts it at the end of `body` as the server takes it: a JSON document and a
    /// newline.
    pub fn write(&self, body: &mut Vec<u8>) {
        body.push(b'{');
        if let Some(key) = self.key() {
            body.extend_from_slice(b"\"key\":");
            write_text(key, body);
            body.push(b',');
        }
        body.extend_from_slice(b"\"value\":");
        write_text(&self.value, body);
        body.extend_from_slice(b"}\n");
    }
}

fn write_text(bytes: &[u8], body: &mut Vec<u8>) {
    let written = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::to_writer(body, text),
        Err(_) => serde_json::to_writer(body, &Text::from_bytes(bytes)),
    };
    written.expect("a vector takes every text");
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_console::api::RecordIn;

    #[test]
    fn what_is_written_is_a_record() {
        let mut record = Record::default();
        for (key, value) in [
            (None, &b"plain"[..]),
            (Some(&b"k\"\n"[..]), b"{\"a\":\"\\\"\"}"),
            (Some(b""), b"\xff\xfe"),
        ] {
            record.clear();
            if let Some(key) = key {
                record.set_key(key);
            }
            record.value.extend_from_slice(value);
            let mut body = Vec::new();
            record.write(&mut body);
            assert_eq!(body.iter().filter(|byte| **byte == b'\n').count(), 1);
            let read: RecordIn = serde_json::from_slice(&body).unwrap();
            assert_eq!(read.key.map(|key| key.into_bytes().unwrap()).as_deref(), key);
            assert_eq!(read.value.unwrap().into_bytes().unwrap(), value);
        }
    }
}
