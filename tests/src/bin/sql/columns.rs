//! A column list of SQL, read again: what the reference is told of a CSV file.

use anyhow::{Context, Result, bail};
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};

/// The flights in other types than those that are shipped: every kind that a
/// column of theirs can be.
pub const OTHER_TYPES: &str = "year SMALLINT, month SMALLINT, day INTEGER, dep_time BIGINT,
    sched_dep_time TEXT, dep_delay REAL, arr_time BIGINT, sched_arr_time BIGINT, arr_delay DOUBLE,
    carrier TEXT, flight TEXT, tailnum TEXT, origin TEXT, dest TEXT, air_time DECIMAL(6, 1),
    distance DECIMAL(12, 3), hour SMALLINT, minute BIGINT, time_hour TIMESTAMP";

/// The schema of a file with these columns.
pub fn schema(list: &str) -> Result<Schema> {
    let lines = list.lines().map(|line| line.split("--").next().unwrap_or_default());
    let list: String = lines.collect::<Vec<_>>().join(" ");
    let fields = columns(&list).into_iter().map(|column| {
        let (name, kind) = column.split_once(' ').with_context(|| column.to_owned())?;
        Ok(Field::new(name, data_type(kind.trim())?, true))
    });
    Ok(Schema::new(fields.collect::<Result<Vec<_>>>()?))
}

/// Cut at the commas that are not in parentheses.
fn columns(list: &str) -> Vec<&str> {
    let mut deep = 0;
    let at_comma = |c: char| {
        deep += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && deep == 0
    };
    list.split(at_comma).map(str::trim).filter(|column| !column.is_empty()).collect()
}

fn data_type(kind: &str) -> Result<DataType> {
    let arguments = kind.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    Ok(match (kind.split('(').next().unwrap_or_default().trim(), arguments) {
        ("SMALLINT", None) => DataType::Int16,
        ("INTEGER", None) => DataType::Int32,
        ("BIGINT", None) => DataType::Int64,
        ("REAL", None) => DataType::Float32,
        ("DOUBLE", None) => DataType::Float64,
        ("TEXT", None) => DataType::Utf8,
        ("TIMESTAMP", None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        ("DECIMAL", Some(arguments)) => {
            let (precision, scale) =
                arguments.split_once(',').context("a precision and a scale")?;
            DataType::Decimal128(precision.trim().parse()?, scale.trim().parse()?)
        }
        _ => bail!("a type that the reference does not know: {kind}"),
    })
}
