//! A record per line, as it stands; with a separator, the key stands before it.

use super::bounded::{BoundedLines, Buffered};
use super::record::{Fault, Record, Records};

/// Records of lines.
pub struct LineRecords<R> {
    input: BoundedLines<R>,
    /// What stands between key and value; empty without keys.
    separator: Vec<u8>,
    line: Vec<u8>,
}

impl<R: Buffered> LineRecords<R> {
    pub fn new(input: R, separator: &str, line_bytes_max: usize) -> LineRecords<R> {
        let input = BoundedLines::new(input, line_bytes_max);
        LineRecords { input, separator: separator.as_bytes().to_vec(), line: Vec::new() }
    }
}

impl<R: Buffered> Records for LineRecords<R> {
    fn next(&mut self, record: &mut Record) -> Result<bool, Fault> {
        if !self.input.next(&mut self.line)? {
            return Ok(false);
        }
        let (key, value) = match self.separator.as_slice() {
            [] => (None, self.line.as_slice()),
            separator => split(&self.line, separator),
        };
        record.clear();
        if let Some(key) = key {
            record.set_key(key);
        }
        record.value.extend_from_slice(value);
        Ok(true)
    }

    fn is_drained(&self) -> bool {
        self.input.is_drained()
    }

    fn line(&self) -> u64 {
        self.input.number
    }

    fn noun(&self) -> &'static str {
        "line"
    }
}

/// Key and value of a line; a line without the separator has no key.
fn split<'l>(line: &'l [u8], separator: &[u8]) -> (Option<&'l [u8]>, &'l [u8]) {
    match line.windows(separator.len()).position(|window| window == separator) {
        Some(at) => (Some(&line[..at]), &line[at + separator.len()..]),
        None => (None, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn read(text: &str, separator: &str) -> Vec<(Option<String>, String)> {
        let mut records = LineRecords::new(BufReader::new(text.as_bytes()), separator, 100);
        let (mut record, mut all) = (Record::default(), Vec::new());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        while records.next(&mut record).unwrap() {
            all.push((record.key().map(text), text(&record.value)));
        }
        all
    }

    #[test]
    fn the_key_stands_before_the_first_separator() {
        let pair = |key: &str, value: &str| (Some(key.into()), value.into());
        let alone = |value: &str| (None, value.into());
        assert_eq!(read("a:b:c\n:d\n", ":"), [pair("a", "b:c"), pair("", "d")]);
        assert_eq!(read("a::b\nc:d", "::"), [pair("a", "b"), alone("c:d")]);
        assert_eq!(read("a:b\n\n", ""), [alone("a:b"), alone("")]);
        assert!(read("", ":").is_empty());
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let long = "x".repeat(1_000);
        let mut records = LineRecords::new(BufReader::new(long.as_bytes()), "", 100);
        let Err(Fault::Fatal(failure)) = records.next(&mut Record::default()) else { panic!() };
        assert!(failure.to_string().contains("line 1: longer than 100 bytes"), "{failure}");
        assert!(records.line.len() <= 101);
        let fits = "x".repeat(100);
        let mut records = LineRecords::new(BufReader::new(fits.as_bytes()), "", 100);
        assert!(records.next(&mut Record::default()).unwrap());
    }
}
