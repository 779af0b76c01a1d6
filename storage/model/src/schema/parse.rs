//! Reading a SQL column list. Unquoted names fold to lower case, as everywhere in
//! SQL; `--` begins a comment.

use super::{Column, ColumnKind, Schema, SchemaError};
use std::str::FromStr;

impl FromStr for Schema {
    type Err = SchemaError;

    fn from_str(text: &str) -> Result<Schema, SchemaError> {
        let mut rest = Rest(text);
        let mut columns = Vec::new();
        loop {
            if columns.len() == super::COLUMNS_MAX {
                return Err(SchemaError::Count(columns.len() + 1));
            }
            let name = rest.name()?;
            let kind = rest.kind()?;
            columns.push(Column { name, kind });
            if rest.end() {
                return Schema::new(columns);
            }
            rest.expect(',', "',' or the end after a type")?;
            if rest.end() {
                return Schema::new(columns);
            }
        }
    }
}

/// What is still to be read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip_blanks(&mut self) {
        loop {
            self.0 = self.0.trim_start();
            match self.0.strip_prefix("--") {
                Some(comment) => self.0 = comment.split_once('\n').map_or("", |(_, rest)| rest),
                None => return,
            }
        }
    }

    fn end(&mut self) -> bool {
        self.skip_blanks();
        self.0.is_empty()
    }

    fn expect(&mut self, wanted: char, expect: &'static str) -> Result<(), SchemaError> {
        self.skip_blanks();
        match self.0.strip_prefix(wanted) {
            Some(rest) => {
                self.0 = rest;
                Ok(())
            }
            None => Err(self.fault(expect)),
        }
    }

    fn fault(&self, expect: &'static str) -> SchemaError {
        SchemaError::Syntax { at: self.0.chars().take(20).collect(), expect }
    }

    fn word(&mut self) -> &'a str {
        self.skip_blanks();
        let end = self.0.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
        let (word, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        word
    }

    fn name(&mut self) -> Result<String, SchemaError> {
        self.skip_blanks();
        let Some(quoted) = self.0.strip_prefix('"') else {
            return match self.word() {
                "" => Err(self.fault("the name of a column")),
                word => Ok(word.to_lowercase()),
            };
        };
        let mut name = String::new();
        let mut rest = quoted;
        loop {
            let end = rest.find('"').ok_or_else(|| self.fault("a quoted name that ends"))?;
            name.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('"') {
                Some(after) => {
                    name.push('"');
                    rest = after;
                }
                None => break,
            }
        }
        self.0 = rest;
        Ok(name)
    }

    fn kind(&mut self) -> Result<ColumnKind, SchemaError> {
        let word = self.word();
        if word.is_empty() {
            return Err(self.fault("the type of a column"));
        }
        let kind = match word.to_ascii_uppercase().as_str() {
            "BOOLEAN" | "BOOL" => ColumnKind::Boolean,
            "SMALLINT" | "INT2" => ColumnKind::SmallInt,
            "INTEGER" | "INT" | "INT4" => ColumnKind::Integer,
            "BIGINT" | "INT8" => ColumnKind::BigInt,
            "REAL" | "FLOAT4" => ColumnKind::Real,
            "FLOAT8" | "FLOAT" => ColumnKind::Double,
            "DOUBLE" => {
                self.optional_word("PRECISION");
                ColumnKind::Double
            }
            "TEXT" | "STRING" => ColumnKind::Text,
            "VARCHAR" => {
                self.arguments()?;
                ColumnKind::Text
            }
            "DATE" => ColumnKind::Date,
            "TIMESTAMP" | "TIMESTAMPTZ" => ColumnKind::Timestamp,
            "DECIMAL" | "NUMERIC" => match self.arguments()?[..] {
                [] => ColumnKind::Decimal { precision: 38, scale: 10 },
                [precision] => ColumnKind::Decimal { precision, scale: 0 },
                [precision, scale] => ColumnKind::Decimal { precision, scale },
                _ => return Err(SchemaError::Kind { found: word.to_owned() }),
            },
            _ => return Err(SchemaError::Kind { found: word.to_owned() }),
        };
        kind.check()?;
        Ok(kind)
    }

    fn optional_word(&mut self, wanted: &str) {
        let before = self.0;
        if !self.word().eq_ignore_ascii_case(wanted) {
            self.0 = before;
        }
    }

    /// Numbers in parentheses, if there are any.
    fn arguments(&mut self) -> Result<Vec<u8>, SchemaError> {
        self.skip_blanks();
        let mut numbers = Vec::new();
        let Some(rest) = self.0.strip_prefix('(') else { return Ok(numbers) };
        self.0 = rest;
        loop {
            let number = self.word().parse::<u16>();
            let number = number.map_err(|_| self.fault("a number below 65536"))?;
            // Lengths of texts may be greater; only digits of decimals are used.
            numbers.push(u8::try_from(number).unwrap_or(u8::MAX));
            self.skip_blanks();
            match self.0.strip_prefix(',') {
                Some(rest) if numbers.len() < 2 => self.0 = rest,
                _ => break,
            }
        }
        self.expect(')', "')'")?;
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let schema: Schema = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(schema.to_string(), expect);
        assert_eq!(expect.parse::<Schema>().unwrap(), schema, "{text}");
    }

    #[test]
    fn column_lists_are_read_and_written() {
        check("carrier TEXT, dep_delay bigint", "carrier TEXT, dep_delay BIGINT");
        check("a double precision,b FLOAT8 ,c varchar(300)", "a DOUBLE, b DOUBLE, c TEXT");
        check("\"Dep Delay\" INT, \"a\"\"b\" DATE", "\"Dep Delay\" INTEGER, \"a\"\"b\" DATE");
        check("-- flights\nAirTime TIMESTAMP, -- UTC\n", "airtime TIMESTAMP");
        check("p NUMERIC(10, 2), q DECIMAL(5)", "p DECIMAL(10, 2), q DECIMAL(5, 0)");
    }

    #[test]
    fn what_cannot_be_says_why() {
        let refused = |text: &str| text.parse::<Schema>().unwrap_err().to_string();
        assert!(refused("").contains("name of a column"));
        assert!(refused("a").contains("type of a column"));
        assert!(refused("a TEXTT").contains("'TEXTT' is no type"));
        assert!(refused("a TEXT b TEXT").contains("','"));
        assert!(refused("a TEXT, A INT").contains("two columns are called 'a'"));
        assert!(refused("_offset BIGINT").contains("system columns"));
        assert!(refused("\"a TEXT").contains("quoted name"));
        assert!(refused("a DECIMAL(50, 2)").contains("no type"));
    }

    #[test]
    fn a_schema_only_grows() {
        let first: Schema = "a TEXT".parse().unwrap();
        let grown = first.grown_to(&"a TEXT, b INT".parse().unwrap()).unwrap();
        assert_eq!((grown.version, grown.columns.len()), (2, 2));
        assert_eq!(grown.grown_to(&grown).unwrap(), grown);
        assert!(grown.grown_to(&first).is_err());
        assert!(first.grown_to(&"a INT, b INT".parse().unwrap()).is_err());
    }
}
