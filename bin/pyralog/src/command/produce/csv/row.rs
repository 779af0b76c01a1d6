//! Rows of delimited text: fields without their quotes, and whether an empty one
//! had any. `""` is an empty text, nothing at all is no value.

use csv_core::{ReadFieldResult, ReaderBuilder};
use std::io::{self, BufRead};

/// One row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Where it begins, from 1.
    pub line: u64,
    /// The fields, one behind the other, and room for more.
    bytes: Vec<u8>,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    end: usize,
    /// Nothing stood there, not even quotes.
    bare: bool,
}

impl Row {
    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// The bytes of a field; `None` if nothing stood there.
    pub fn field(&self, index: usize) -> Option<&[u8]> {
        let field = self.fields[index];
        (!field.bare).then(|| {
            let start = index.checked_sub(1).map_or(0, |before| self.fields[before].end);
            &self.bytes[start..field.end]
        })
    }

    /// Bytes of all fields.
    pub fn bytes(&self) -> usize {
        self.fields.last().map_or(0, |field| field.end)
    }
}

/// What the next row is.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// A row.
    Row,
    /// The end of the input.
    End,
    /// More than may be kept: quotes that are not closed take everything behind them.
    TooLong,
}

/// Reads rows; RFC 4180, and lines may end in any way. Empty lines are no rows.
pub struct Rows<R> {
    input: R,
    parser: csv_core::Reader,
    row_bytes_max: usize,
}

impl<R: BufRead> Rows<R> {
    pub fn new(input: R, delimiter: u8, row_bytes_max: usize) -> Rows<R> {
        let parser = ReaderBuilder::new().delimiter(delimiter).build();
        Rows { input, parser, row_bytes_max }
    }

    /// What the rows are read from.
    pub fn input(&self) -> &R {
        &self.input
    }

    /// Reads the next row.
    pub fn next(&mut self, row: &mut Row) -> io::Result<Read> {
        self.skip_line_ends()?;
        row.fields.clear();
        row.line = self.parser.line();
        let (mut filled, mut start, mut quoted) = (0, 0, false);
        loop {
            if row.bytes.len() == filled {
                row.bytes.resize((filled * 2).max(4096), 0);
            }
            let input = self.input.fill_buf()?;
            let (result, taken, put) = self.parser.read_field(input, &mut row.bytes[filled..]);
            filled += put;
            // Only of a field that is empty does it matter whether it had quotes.
            quoted = quoted || filled == start && input[..taken].contains(&b'"');
            self.input.consume(taken);
            match result {
                ReadFieldResult::Field { record_end } => {
                    row.fields.push(Field { end: filled, bare: filled == start && !quoted });
                    (start, quoted) = (filled, false);
                    if record_end {
                        return Ok(Read::Row);
                    }
                }
                ReadFieldResult::End => return Ok(Read::End),
                ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
            }
            if filled > self.row_bytes_max {
                return Ok(Read::TooLong);
            }
        }
    }

    /// So that the number of the line is that of the row: the parser would skip
    /// them too, but count them to the row.
    fn skip_line_ends(&mut self) -> io::Result<()> {
        loop {
            let input = self.input.fill_buf()?;
            let ends = input.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
            let (skipped, lines) = ends
                .fold((0, 0), |(all, lines), byte| (all + 1, lines + u64::from(*byte == b'\n')));
            let more = skipped == input.len() && skipped > 0;
            self.parser.set_line(self.parser.line() + lines);
            self.input.consume(skipped);
            if !more {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    type Fields<'t> = Vec<Option<&'t str>>;

    /// Also in pieces of every size: a boundary may stand anywhere.
    #[track_caller]
    fn check(text: &str, expect: &[(u64, Fields<'_>)]) {
        for capacity in 4..40 {
            let input = BufReader::with_capacity(capacity, text.as_bytes());
            let mut rows = Rows::new(input, b',', 1_000);
            let (mut row, mut found) = (Row::default(), Vec::new());
            while rows.next(&mut row).unwrap() == Read::Row {
                let fields = (0..row.len()).map(|index| {
                    row.field(index).map(|field| String::from_utf8(field.to_vec()).unwrap())
                });
                found.push((row.line, fields.collect::<Vec<_>>()));
            }
            let expect: Vec<_> = expect
                .iter()
                .map(|(line, row)| (*line, row.iter().map(|f| f.map(str::to_owned)).collect()))
                .collect::<Vec<(u64, Vec<Option<String>>)>>();
            assert_eq!(found, expect, "{text:?} in pieces of {capacity}");
        }
    }

    #[test]
    fn rows_are_read() {
        check("a,b\n1,2\n", &[(1, vec![Some("a"), Some("b")]), (2, vec![Some("1"), Some("2")])]);
        check("a\r\nb", &[(1, vec![Some("a")]), (2, vec![Some("b")])]);
        check("\u{feff}a,b\n", &[(1, vec![Some("a"), Some("b")])]);
        check("\n\r\na\n\n\nb\n", &[(3, vec![Some("a")]), (6, vec![Some("b")])]);
        check("", &[]);
    }

    #[test]
    fn nothing_is_not_an_empty_text() {
        check(",\n", &[(1, vec![None, None])]);
        check("\"\",,\"\"\n", &[(1, vec![Some(""), None, Some("")])]);
        check("a,\"\"", &[(1, vec![Some("a"), Some("")])]);
        check("a,", &[(1, vec![Some("a"), None])]);
    }

    #[test]
    fn quotes_hold_delimiters_lines_and_quotes() {
        let text = "\"a,b\",\"c\nd\",\"e\"\"f\"\nnext\n";
        check(text, &[(1, vec![Some("a,b"), Some("c\nd"), Some("e\"f")]), (3, vec![Some("next")])]);
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_take_all_memory() {
        let text = format!("\"{}", "x".repeat(10_000));
        let mut rows = Rows::new(BufReader::new(text.as_bytes()), b',', 100);
        assert_eq!(rows.next(&mut Row::default()).unwrap(), Read::TooLong);
    }
}
