//! The columns of delimited text: what they are called, and what a schema makes of
//! them.

use super::super::bounded::Buffered;
use super::super::record::Fault;
use super::{Form, Read, Row, Rows};
use crate::failure::{Failure, Status};
use crate::suggest;
use pyralog_model::Schema;
use thiserror::Error;

/// Why a text has no columns that could be used.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum CsvError {
    /// Nothing was there.
    #[error("the input is empty; its first row names the columns, or --columns does")]
    Empty,
    /// The first row is much too long, or no text.
    #[error("the first row names no columns: it is not UTF-8, or has no end; is this a CSV file?")]
    NoHead,
    /// A name is missing.
    #[error("column {0} has no name; if the first row is data, name the columns with --columns")]
    Nameless(usize),
    /// Two columns of one name.
    #[error(
        "two columns are called '{0}'; name them with --columns, and the first row with --skip-rows 1"
    )]
    Twice(String),
    /// No column of the name that the key was to have.
    #[error("there is no column '{key}' for the key; the columns are {columns}{near}")]
    NoKey {
        /// What was asked for.
        key: String,
        /// What is there.
        columns: String,
        /// `; did you mean …?`, or nothing.
        near: String,
    },
    /// No column that a schema can have.
    #[error("no schema can be inferred: {0}; give one with --schema")]
    NoSchema(String),
}

impl From<CsvError> for Fault {
    fn from(error: CsvError) -> Fault {
        Fault::Fatal(Failure::new(Status::Usage, error.to_string()))
    }
}

/// One column.
pub struct Column {
    name: String,
    /// The name as JSON, and a colon.
    lead: Vec<u8>,
    /// What its fields may become.
    pub form: Form,
}

impl Column {
    /// One that no schema binds.
    pub fn free(name: String) -> Column {
        let mut lead = serde_json::to_vec(&name).expect("every text has a JSON form");
        lead.push(b':');
        Column { name, lead, form: Form::Free }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands before its values.
    pub fn lead(&self) -> &[u8] {
        &self.lead
    }

    /// Takes the kind of the schema's column of this name. SQL folds names to lower
    /// case: so a column that differs in nothing else gets the schema's name.
    pub fn obey(&mut self, schema: &Schema) {
        let exact = schema.columns.iter().find(|column| column.name == self.name);
        let folded = || {
            let name = self.name.to_lowercase();
            schema.columns.iter().find(|column| column.name == name)
        };
        if let Some(column) = exact.or_else(folded) {
            *self = Column { form: Form::of(column.kind), ..Column::free(column.name.clone()) };
        }
    }
}

/// The names in the first row.
pub fn read<R: Buffered>(rows: &mut Rows<R>) -> Result<Vec<String>, Fault> {
    let mut row = Row::default();
    match rows.next(&mut row).map_err(|error| Fault::unread(&error))? {
        Read::Row => {}
        Read::End => return Err(CsvError::Empty.into()),
        Read::TooLong => return Err(CsvError::NoHead.into()),
    }
    let names = (0..row.len()).map(|index| {
        let name = row.field(index).unwrap_or_default();
        Ok(std::str::from_utf8(name).map_err(|_| CsvError::NoHead)?.trim().to_owned())
    });
    names.collect()
}

/// Whether the names will do, and which one is the key's.
pub fn check(names: &[String], key: Option<&str>) -> Result<Option<usize>, CsvError> {
    if let Some(nameless) = names.iter().position(String::is_empty) {
        return Err(CsvError::Nameless(nameless + 1));
    }
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
        return Err(CsvError::Twice(twice.clone()));
    }
    let Some(key) = key else { return Ok(None) };
    let place = names.iter().position(|name| name == key);
    place.map(Some).ok_or_else(|| CsvError::NoKey {
        key: key.to_owned(),
        columns: names.join(", "),
        near: suggest::nearest(key, names.iter().map(String::as_str))
            .map_or_else(String::new, |near| format!("; did you mean '{near}'?")),
    })
}
