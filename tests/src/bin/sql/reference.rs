//! What the rows of a CSV file are, by DataFusion's own reader: the reference.

use crate::columns;
use anyhow::{Result, bail};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Field, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Schema, TimeUnit, TimestampMicrosecondType,
};
use datafusion::functions::expr_fn::nullif;
use datafusion::logical_expr::{Expr, cast};
use datafusion::prelude::{CsvReadOptions, SessionConfig, SessionContext, ident, lit};
use pyralog_tests::sql::cell::{Cell, Row};
use std::path::Path;
use std::sync::Arc;

/// A table in memory.
pub struct Reference {
    /// Names of its columns.
    pub columns: Vec<String>,
    batches: Vec<RecordBatch>,
}

impl Reference {
    /// Reads a file whose columns are listed in SQL; `NA` is NULL.
    pub fn read(csv: &Path, list: &str) -> Result<Reference> {
        let schema = columns::schema(list)?;
        // One reader from the start to the end: rows come in the file's order.
        let config =
            SessionConfig::new().with_target_partitions(1).with_repartition_file_scans(false);
        // The reader's own words for NULL are for guessing types alone: so all is text
        // at first.
        let text = |field: &Arc<Field>| Field::new(field.name(), DataType::Utf8, true);
        let texts = Schema::new(schema.fields().iter().map(text).collect::<Vec<_>>());
        let typed = |field: &Arc<Field>| -> Expr {
            cast(nullif(ident(field.name()), lit("NA")), field.data_type().clone())
        };
        let typed: Vec<Expr> = schema.fields().iter().map(typed).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let batches = runtime.block_on(async {
            let context = SessionContext::new_with_config(config);
            let options = CsvReadOptions::new().schema(&texts);
            let rows = context.read_csv(csv.to_string_lossy().as_ref(), options).await?;
            rows.select(typed)?.collect().await
        })?;
        let columns = schema.fields().iter().map(|field| field.name().clone()).collect();
        Ok(Reference { columns, batches })
    }

    /// Its rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.batches.iter().flat_map(|batch| {
            (0..batch.num_rows()).map(|row| {
                let cells = batch.columns().iter().map(|column| cell(column, row));
                cells.collect::<Result<Row>>().expect("all types of the flights are known")
            })
        })
    }

    /// How many rows.
    pub fn count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// How many NULLs each column has.
    pub fn nulls(&self) -> Vec<usize> {
        let of = |column: usize| {
            self.batches.iter().map(|batch| batch.column(column).null_count()).sum()
        };
        (0..self.columns.len()).map(of).collect()
    }
}

fn cell(column: &dyn Array, row: usize) -> Result<Cell> {
    if column.is_null(row) {
        return Ok(Cell::Null);
    }
    Ok(match column.data_type() {
        DataType::Int16 => Cell::Whole(column.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Cell::Whole(column.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Cell::Whole(column.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => {
            // On the wire a float has as many digits as it needs to be itself again.
            let shortest = column.as_primitive::<Float32Type>().value(row).to_string();
            Cell::Fraction(shortest.parse()?)
        }
        DataType::Float64 => Cell::Fraction(column.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => Cell::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::Decimal128(_, _) => {
            Cell::Decimal(column.as_primitive::<Decimal128Type>().value_as_string(row))
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            Cell::Time(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        other => bail!("no reference for {other}"),
    })
}
