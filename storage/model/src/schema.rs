//! The columns of a log whose values are JSON documents: what SQL calls them and
//! of which types they are.
//!
//! A schema is written as a SQL column list, `carrier TEXT, dep_delay BIGINT`. Every
//! column may be NULL. A change only appends columns, so a version of a schema is a
//! prefix of the next one.

mod parse;

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// The most columns of a schema.
pub const COLUMNS_MAX: usize = 1_000;
/// The longest name of a column in bytes.
pub const COLUMN_NAME_BYTES_MAX: usize = 255;

/// Columns in order, and how often they were changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// From 1, one more with each change.
    pub version: u32,
    /// At least one, at most `COLUMNS_MAX`; no two of one name.
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// The field of the JSON document, and the column's name in SQL.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
}

/// What the values of a column are. Kinds are only appended: their numbers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnKind {
    /// `BOOLEAN`.
    Boolean,
    /// `SMALLINT`, 16 bits.
    SmallInt,
    /// `INTEGER`, 32 bits.
    Integer,
    /// `BIGINT`, 64 bits.
    BigInt,
    /// `REAL`, 32 bits.
    Real,
    /// `DOUBLE`, 64 bits.
    Double,
    /// `TEXT`, UTF-8.
    Text,
    /// `DATE`, days since 1970.
    Date,
    /// `TIMESTAMP`, microseconds since 1970 in UTC.
    Timestamp,
    /// `DECIMAL(precision, scale)`; at most 38 digits, `scale` of them after the point.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
}

/// Why a schema was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SchemaError {
    /// No column at all, or too many.
    #[error("a schema has 1 to {COLUMNS_MAX} columns, this one has {0}")]
    Count(usize),
    /// A name is empty or too long.
    #[error("a column's name has 1 to {COLUMN_NAME_BYTES_MAX} bytes, {0:?} has not")]
    NameLength(String),
    /// A name that system columns have.
    #[error("'{0}' begins with '_', which is kept for system columns such as _offset")]
    Reserved(String),
    /// Two columns of one name.
    #[error("two columns are called '{0}'")]
    Twice(String),
    /// No such type.
    #[error("'{found}' is no type of a column; types are {KINDS}")]
    Kind {
        /// What was written.
        found: String,
    },
    /// Something else was expected.
    #[error("the schema cannot be read at '{at}': {expect}")]
    Syntax {
        /// The rest of the text, shortened.
        at: String,
        /// What was expected.
        expect: &'static str,
    },
    /// A change that is not an addition.
    #[error("column {place} was '{was}' and would be '{would}'; a schema only grows at its end")]
    NotAppended {
        /// Which column, from 1.
        place: usize,
        /// As it is.
        was: String,
        /// As it was asked for; empty if it is not there.
        would: String,
    },
}

/// The types, for people.
const KINDS: &str = "BOOLEAN, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, TEXT, DATE, TIMESTAMP \
                     and DECIMAL(precision, scale)";

impl Schema {
    /// The first version of a schema from its columns.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(columns: Vec<Column>) -> Result<Schema, SchemaError> {
        let schema = Schema { version: 1, columns };
        schema.check()?;
        Ok(schema)
    }

    /// Whether the columns may be: what came from outside is checked before it is used.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(&self) -> Result<(), SchemaError> {
        if self.columns.is_empty() || self.columns.len() > COLUMNS_MAX {
            return Err(SchemaError::Count(self.columns.len()));
        }
        let mut names = std::collections::BTreeSet::new();
        for Column { name, kind } in &self.columns {
            if name.is_empty() || name.len() > COLUMN_NAME_BYTES_MAX {
                return Err(SchemaError::NameLength(name.clone()));
            }
            if name.starts_with('_') {
                return Err(SchemaError::Reserved(name.clone()));
            }
            if !names.insert(name) {
                return Err(SchemaError::Twice(name.clone()));
            }
            kind.check()?;
        }
        Ok(())
    }

    /// This schema with the columns of `wanted`, which must begin with its own; one
    /// version later, or unchanged if there is nothing new.
    ///
    /// # Errors
    /// `NotAppended` at the first column that differs or is missing.
    pub fn grown_to(&self, wanted: &Schema) -> Result<Schema, SchemaError> {
        for (place, was) in self.columns.iter().enumerate() {
            let would = wanted.columns.get(place);
            if would != Some(was) {
                return Err(SchemaError::NotAppended {
                    place: place + 1,
                    was: was.to_string(),
                    would: would.map(Column::to_string).unwrap_or_default(),
                });
            }
        }
        wanted.check()?;
        let grown = wanted.columns.len() > self.columns.len();
        let version = self.version.saturating_add(u32::from(grown));
        Ok(Schema { version, columns: wanted.columns.clone() })
    }
}

impl ColumnKind {
    fn check(self) -> Result<(), SchemaError> {
        match self {
            ColumnKind::Decimal { precision, scale }
                if !(1..=38).contains(&precision) || scale > precision =>
            {
                Err(SchemaError::Kind { found: self.to_string() })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ColumnKind::Boolean => "BOOLEAN",
            ColumnKind::SmallInt => "SMALLINT",
            ColumnKind::Integer => "INTEGER",
            ColumnKind::BigInt => "BIGINT",
            ColumnKind::Real => "REAL",
            ColumnKind::Double => "DOUBLE",
            ColumnKind::Text => "TEXT",
            ColumnKind::Date => "DATE",
            ColumnKind::Timestamp => "TIMESTAMP",
            ColumnKind::Decimal { precision, scale } => {
                return write!(f, "DECIMAL({precision}, {scale})");
            }
        })
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = self.name.starts_with(|c: char| c.is_ascii_lowercase())
            && self.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        match plain {
            true => write!(f, "{} {}", self.name, self.kind),
            false => write!(f, "\"{}\" {}", self.name.replace('"', "\"\""), self.kind),
        }
    }
}

/// The column list, as it may be given again.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, column) in self.columns.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{column}")?;
        }
        Ok(())
    }
}
