//! Rows of delimited text as JSON objects, a field a column.
//!
//! What becomes a number is told by the log's schema, or by how it is written
//! (see `token`). What is nothing, or one of the texts given, becomes null.

mod header;
mod infer;
mod row;
mod token;

use super::bounded::Buffered;
use super::feed::too_large;
use super::record::{Fault, Record, Records};
use header::Column;
use pyralog_model::Schema;
use row::{Read, Row, Rows};
use std::collections::VecDeque;
use token::Form;

/// Rows looked at to infer a schema …
const SAMPLE_ROWS: usize = 1_000;
/// … unless these bytes are reached before.
const SAMPLE_BYTES: usize = 8 * 1024 * 1024;

/// How the text is to be read.
#[derive(Debug, Clone, Default)]
pub struct CsvForm {
    /// Names of the columns; the first row has them when absent.
    pub columns: Option<Vec<String>>,
    /// What stands between fields; a comma when absent.
    pub delimiter: Option<u8>,
    /// What stands for null, besides nothing at all.
    pub nulls: Vec<String>,
    /// The column whose fields are the keys.
    pub key: Option<String>,
}

/// Records of delimited text.
pub struct CsvRecords<R> {
    rows: Rows<R>,
    row: Row,
    /// Rows that were read to infer a schema.
    ahead: VecDeque<Row>,
    columns: Vec<Column>,
    key: Option<usize>,
    null_texts: Vec<Vec<u8>>,
    nulls: u64,
    row_bytes_max: usize,
}

impl<R: Buffered> CsvRecords<R> {
    /// Reads the head of the text.
    ///
    /// # Errors
    /// [`CsvError`] for a head that names no columns, or a name twice, or not the key.
    pub fn open(input: R, form: CsvForm, row_bytes_max: usize) -> Result<CsvRecords<R>, Fault> {
        let mut rows = Rows::new(input, form.delimiter.unwrap_or(b','), row_bytes_max);
        let names = match form.columns {
            Some(names) => names,
            None => header::read(&mut rows)?,
        };
        let key = header::check(&names, form.key.as_deref())?;
        Ok(CsvRecords {
            rows,
            row: Row::default(),
            ahead: VecDeque::new(),
            columns: names.into_iter().map(Column::free).collect(),
            key,
            null_texts: form.nulls.into_iter().map(String::into_bytes).collect(),
            nulls: 0,
            row_bytes_max,
        })
    }

    /// Takes the kinds, and the spelling of the names, from a schema.
    pub fn obey(&mut self, schema: &Schema) {
        for column in &mut self.columns {
            column.obey(schema);
        }
    }

    /// Columns of the text that a schema does not have.
    pub fn strangers(&self, schema: &Schema) -> Vec<&str> {
        let is_known = |name: &str| schema.columns.iter().any(|column| column.name == name);
        self.columns.iter().map(Column::name).filter(|name| !is_known(name)).collect()
    }

    /// The schema that the first rows would fit; they are read again afterwards.
    ///
    /// # Errors
    /// When the input cannot be read, or there is no column that a schema can have.
    pub fn infer(&mut self) -> Result<Schema, Fault> {
        let mut bytes = 0;
        while self.ahead.len() < SAMPLE_ROWS && bytes < SAMPLE_BYTES {
            let mut row = Row::default();
            match self.rows.next(&mut row).map_err(|error| Fault::unread(&error))? {
                Read::Row => {
                    bytes += row.bytes();
                    self.ahead.push_back(row);
                }
                Read::End => break,
                Read::TooLong => {
                    return Err(too_large("row at line", row.line, self.row_bytes_max));
                }
            }
        }
        let is_null = |field: &[u8]| self.null_texts.iter().any(|null| null == field);
        Ok(infer::schema(self.columns.iter().map(Column::name), &self.ahead, is_null)?)
    }

    /// True if there is a row, which is in `self.row` then.
    fn read(&mut self) -> Result<bool, Fault> {
        if let Some(row) = self.ahead.pop_front() {
            self.row = row;
            return Ok(true);
        }
        match self.rows.next(&mut self.row).map_err(|error| Fault::unread(&error))? {
            Read::Row => Ok(true),
            Read::End => Ok(false),
            Read::TooLong => Err(too_large("row at line", self.row.line, self.row_bytes_max)),
        }
    }

    fn invalid(&self, why: String) -> Fault {
        Fault::Invalid { line: self.row.line, why }
    }
}

impl<R: Buffered> Records for CsvRecords<R> {
    fn next(&mut self, record: &mut Record) -> Result<bool, Fault> {
        if !self.read()? {
            return Ok(false);
        }
        let (found, wanted) = (self.row.len(), self.columns.len());
        if found != wanted {
            let why = format!("{found} fields, but there are {wanted} columns");
            return Err(self.invalid(why));
        }
        record.clear();
        let mut nulls = 0;
        record.value.push(b'{');
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                record.value.push(b',');
            }
            record.value.extend_from_slice(column.lead());
            let field = self.row.field(index);
            let field = field.filter(|field| !self.null_texts.iter().any(|null| null == field));
            let Some(field) = field else {
                record.value.extend_from_slice(b"null");
                nulls += 1;
                continue;
            };
            let Ok(text) = std::str::from_utf8(field) else {
                let name = column.name();
                let why = format!("column '{name}' is not UTF-8; `iconv` makes it so");
                return Err(self.invalid(why));
            };
            token::write(text, column.form, &mut record.value);
            if self.key == Some(index) {
                record.set_key(field);
            }
        }
        record.value.push(b'}');
        self.nulls += nulls;
        Ok(true)
    }

    fn is_drained(&self) -> bool {
        self.ahead.is_empty() && self.rows.input().is_drained()
    }

    fn line(&self) -> u64 {
        self.row.line
    }

    fn nulls(&self) -> u64 {
        self.nulls
    }

    fn noun(&self) -> &'static str {
        "row"
    }
}

#[cfg(test)]
mod tests;
