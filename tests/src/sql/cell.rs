//! What a cell means, whoever wrote it: as the wire says it, and as bytes in which
//! two cells are equal exactly when they mean the same.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A value of SQL.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// True or false.
    Truth(bool),
    /// A whole number.
    Whole(i64),
    /// A float; equal when its bits are.
    Fraction(f64),
    /// A decimal, digit by digit, `1400.00`.
    Decimal(String),
    /// A text.
    Text(String),
    /// Microseconds since 1970.
    Time(i64),
}

/// A row.
pub type Row = Vec<Cell>;
/// What stands for a row: equal rows have equal ones.
pub type RowDigest = [u8; 16];

impl Cell {
    /// The cell that the JSON of a column of this type means.
    ///
    /// # Errors
    /// When it is not what the type says.
    pub fn read(kind: &str, value: &Value) -> Result<Cell> {
        let wrong = || format!("{value} in a column of {kind}");
        let base = kind.split('(').next().unwrap_or_default();
        Ok(match (base, value) {
            (_, Value::Null) => Cell::Null,
            ("BOOLEAN", Value::Bool(truth)) => Cell::Truth(*truth),
            ("SMALLINT" | "INTEGER" | "BIGINT", Value::Number(number)) => {
                Cell::Whole(number.as_i64().with_context(wrong)?)
            }
            ("REAL" | "DOUBLE", Value::Number(number)) => {
                Cell::Fraction(number.as_f64().with_context(wrong)?)
            }
            ("DECIMAL", Value::String(digits)) => Cell::Decimal(digits.clone()),
            ("TEXT", Value::String(text)) => Cell::Text(text.clone()),
            ("TIMESTAMP", Value::String(text)) => Cell::Time(time_us(text).with_context(wrong)?),
            _ => bail!(wrong()),
        })
    }

    fn write(&self, out: &mut Sha256) {
        let mut tagged = |tag: u8, bytes: &[u8]| {
            out.update([tag]);
            out.update((bytes.len() as u64).to_le_bytes());
            out.update(bytes);
        };
        match self {
            Cell::Null => tagged(0, &[]),
            Cell::Truth(truth) => tagged(1, &[u8::from(*truth)]),
            Cell::Whole(number) => tagged(2, &number.to_le_bytes()),
            Cell::Fraction(number) => tagged(3, &number.to_bits().to_le_bytes()),
            Cell::Decimal(digits) => tagged(4, digits.as_bytes()),
            Cell::Text(text) => tagged(5, text.as_bytes()),
            Cell::Time(us) => tagged(6, &us.to_le_bytes()),
        }
    }
}

/// The digest of a row.
pub fn digest(row: &[Cell]) -> RowDigest {
    let mut hash = Sha256::new();
    row.iter().for_each(|cell| cell.write(&mut hash));
    hash.finalize()[..16].try_into().expect("a digest has 32 bytes")
}

/// `2013-01-01T10:00:00` with up to six digits of a second, and no zone.
fn time_us(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut time = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let seconds = time.next()?? * 3600 + time.next()?? * 60 + time.next()??;
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && fraction.len() <= 6;
    let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
    in_range.then(|| (days(year, month, day) * 86_400 + seconds) * 1_000_000 + micros)
}

/// Days since 1970 in the calendar of today, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_counted_as_the_calendar_does() {
        let cases = [
            ("1970-01-01T00:00:00", Some(0)),
            ("1969-12-31T23:59:59.999999", Some(-1)),
            ("2013-01-01T10:00:00", Some(1_357_034_400_000_000)),
            ("2000-02-29T00:00:00.5", Some(951_782_400_500_000)),
            ("2013-01-01T10:00:00Z", None),
            ("2013-13-01T10:00:00", None),
            ("2013-01-01", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(time_us(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_cell_is_what_its_column_says_or_nothing() {
        assert_eq!(Cell::read("BIGINT", &json!(7)).unwrap(), Cell::Whole(7));
        assert_eq!(Cell::read("TEXT", &json!("7")).unwrap(), Cell::Text("7".into()));
        assert_eq!(
            Cell::read("DECIMAL(8, 2)", &json!("7.00")).unwrap(),
            Cell::Decimal("7.00".into())
        );
        assert_eq!(Cell::read("TIMESTAMP", &Value::Null).unwrap(), Cell::Null);
        for (kind, value) in [("BIGINT", json!("7")), ("TEXT", json!(7)), ("BIGINT", json!(7.5))] {
            Cell::read(kind, &value).unwrap_err();
        }
    }

    #[test]
    fn rows_that_differ_have_other_digests() {
        let rows: [&[Cell]; 7] = [
            &[Cell::Null, Cell::Text("a".into())],
            &[Cell::Text("a".into()), Cell::Null],
            &[Cell::Text(String::new()), Cell::Text("a".into())],
            &[Cell::Text("a".into())],
            &[Cell::Whole(0), Cell::Text("a".into())],
            &[Cell::Fraction(0.0), Cell::Text("a".into())],
            &[Cell::Fraction(-0.0), Cell::Text("a".into())],
        ];
        let digests: std::collections::BTreeSet<RowDigest> = rows.map(digest).into();
        assert_eq!(digests.len(), rows.len());
    }
}
