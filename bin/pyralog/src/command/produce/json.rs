//! JSON documents, one a line or in one array, as they stand: not a digit is
//! written anew. They must be objects, since they have fields.

mod array;
mod object;

use super::bounded::{BoundedLines, Buffered};
use super::record::{Fault, Record, Records};
use array::Array;
use object::Object;

/// What the input is.
enum Shape {
    /// Nothing but blanks was seen.
    Unknown,
    /// A document a line.
    Lines,
    /// The documents of one array.
    Array(Array),
}

/// Records of JSON documents.
pub struct JsonRecords<R> {
    input: BoundedLines<R>,
    shape: Shape,
    object: Object,
    document: Vec<u8>,
    /// Where the document begins.
    line: u64,
    document_bytes_max: usize,
}

impl<R: Buffered> JsonRecords<R> {
    /// Documents whose field `key`, if one is named, is their key.
    pub fn new(input: R, key: Option<String>, document_bytes_max: usize) -> JsonRecords<R> {
        JsonRecords {
            input: BoundedLines::new(input, document_bytes_max),
            shape: Shape::Unknown,
            object: Object { key },
            document: Vec::new(),
            line: 0,
            document_bytes_max,
        }
    }

    /// True if there is a document, which is in `self.document` then.
    fn read(&mut self) -> Result<bool, Fault> {
        if let Shape::Unknown = self.shape {
            self.shape = self.shape()?;
        }
        if let Shape::Array(array) = &mut self.shape {
            let found = array.next(self.input.input(), &mut self.document)?;
            self.line = array.began;
            return Ok(found);
        }
        while self.input.next(&mut self.document)? {
            self.line = self.input.number;
            // Blank lines are no documents.
            if !self.document.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An array begins with its bracket.
    fn shape(&mut self) -> Result<Shape, Fault> {
        let mut array = Array::new(self.document_bytes_max);
        let opened = array.open(self.input.input())?;
        // The blank lines before the documents were counted by the array.
        self.input.number = array.line - 1;
        Ok(if opened { Shape::Array(array) } else { Shape::Lines })
    }
}

impl<R: Buffered> Records for JsonRecords<R> {
    fn next(&mut self, record: &mut Record) -> Result<bool, Fault> {
        if !self.read()? {
            return Ok(false);
        }
        record.clear();
        let document = self.document.trim_ascii();
        match self.object.check(document) {
            Ok(None) => {}
            Ok(Some(key)) => record.set_key(&key),
            Err(why) => return Err(Fault::Invalid { line: self.line, why }),
        }
        record.value.extend_from_slice(document);
        Ok(true)
    }

    fn is_drained(&self) -> bool {
        self.input.is_drained()
    }

    fn line(&self) -> u64 {
        self.line
    }

    fn noun(&self) -> &'static str {
        "document"
    }
}

#[cfg(test)]
mod tests;
