//! Lines of bounded length, from readers that know what they hold.

use super::feed::too_large;
use super::record::Fault;
use std::io::{BufRead, BufReader, Read};

/// A reader that knows whether it holds anything that was read already.
pub trait Buffered: BufRead + Send {
    /// True when the next byte has to be asked for.
    fn is_drained(&self) -> bool;
}

impl<R: Read + Send> Buffered for BufReader<R> {
    fn is_drained(&self) -> bool {
        self.buffer().is_empty()
    }
}

/// Lines, none longer than `bytes_max`.
pub struct BoundedLines<R> {
    input: R,
    bytes_max: usize,
    /// Of the line that was read last, from 1.
    pub number: u64,
}

impl<R: Buffered> BoundedLines<R> {
    pub fn new(input: R, bytes_max: usize) -> BoundedLines<R> {
        BoundedLines { input, bytes_max, number: 0 }
    }

    /// Reads a line without its newline into `line`; false at the end.
    pub fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, Fault> {
        line.clear();
        self.number += 1;
        // No more than shows that it is too long is kept of a line.
        let most = self.bytes_max as u64 + 1;
        let read = (&mut self.input).take(most).read_until(b'\n', line);
        let read = read.map_err(|error| Fault::unread(&error))?;
        if line.pop_if(|last| *last == b'\n').is_none() && read > self.bytes_max {
            return Err(too_large("line", self.number, self.bytes_max));
        }
        Ok(read > 0)
    }

    /// What the lines are read from.
    pub fn input(&mut self) -> &mut R {
        &mut self.input
    }

    /// True when the next byte has to be asked for.
    pub fn is_drained(&self) -> bool {
        self.input.is_drained()
    }
}
