//! Cutting one long array into its documents, without holding more than one.
//!
//! A document ends at a comma or the closing bracket that is in no string and in
//! no other brackets; whether it is one is for others to say.

use super::super::bounded::Buffered;
use super::super::feed::too_large;
use super::super::record::Fault;

/// Where in the array we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Behind the opening bracket.
    Opened,
    /// Behind a comma.
    Comma,
    /// Behind the closing bracket.
    Closed,
}

/// An array, partly read.
pub struct Array {
    place: Place,
    /// Of the next byte, from 1.
    pub line: u64,
    /// Where the last document begins.
    pub began: u64,
    document_bytes_max: usize,
}

/// What is open inside a document.
#[derive(Default)]
struct Inside {
    depth: usize,
    string: bool,
    escaped: bool,
}

impl Inside {
    /// Takes a byte; true if it ends the document.
    fn ends_at(&mut self, byte: u8) -> bool {
        if self.string {
            self.string = self.escaped || byte != b'"';
            self.escaped = byte == b'\\' && !self.escaped;
            return false;
        }
        match byte {
            b'"' => self.string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => self.depth -= 1,
            b',' | b']' => return self.depth == 0,
            _ => {}
        }
        false
    }
}

impl Array {
    pub fn new(document_bytes_max: usize) -> Array {
        Array { place: Place::Opened, line: 1, began: 1, document_bytes_max }
    }

    /// Skips blanks, and the bracket that opens an array; false if there is none.
    pub fn open(&mut self, input: &mut impl Buffered) -> Result<bool, Fault> {
        let opened = self.peek(input)? == Some(b'[');
        if opened {
            input.consume(1);
        }
        Ok(opened)
    }

    /// Reads the next document, with the blanks behind it; false at the end.
    pub fn next(
        &mut self,
        input: &mut impl Buffered,
        document: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        document.clear();
        if self.place == Place::Closed {
            return self.end(input);
        }
        match self.peek(input)? {
            Some(b']') if self.place == Place::Opened => {
                input.consume(1);
                return self.end(input);
            }
            Some(b']') => {
                return Err(Fault::fatal(self.line, "a comma, and no document behind it"));
            }
            _ => self.began = self.line,
        }
        let mut inside = Inside::default();
        loop {
            let bytes = input.fill_buf().map_err(|error| Fault::unread(&error))?;
            if bytes.is_empty() {
                let began = self.began;
                let why = format!("the array is not closed; its last document begins at {began}");
                return Err(Fault::fatal(self.line, why));
            }
            let end = bytes.iter().position(|byte| inside.ends_at(*byte));
            let taken = end.unwrap_or(bytes.len());
            self.line += lines(&bytes[..taken]);
            document.extend_from_slice(&bytes[..taken]);
            if let Some(end) = end {
                self.place = if bytes[end] == b',' { Place::Comma } else { Place::Closed };
            }
            input.consume(taken + usize::from(end.is_some()));
            if document.len() > self.document_bytes_max {
                return Err(too_large("document at line", self.began, self.document_bytes_max));
            }
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    fn end(&mut self, input: &mut impl Buffered) -> Result<bool, Fault> {
        self.place = Place::Closed;
        match self.peek(input)? {
            None => Ok(false),
            Some(_) => Err(Fault::fatal(self.line, "something stands behind the end of the array")),
        }
    }

    /// The next byte that is no blank, which stays where it is.
    fn peek(&mut self, input: &mut impl Buffered) -> Result<Option<u8>, Fault> {
        loop {
            let bytes = input.fill_buf().map_err(|error| Fault::unread(&error))?;
            let found = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
            let blanks = found.unwrap_or(bytes.len());
            let next = found.map(|at| bytes[at]);
            let ended = bytes.is_empty();
            self.line += lines(&bytes[..blanks]);
            input.consume(blanks);
            if next.is_some() || ended {
                return Ok(next);
            }
        }
    }
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
