//! Records into columns: of each record only what the query asks for.
//!
//! ```text
//!   record ─┬─▶ system columns       (key, value, headers: as they are)
//!           └─▶ value ─▶ document ─▶ field ─▶ the column's builder
//!                        (JSON, no tree: each wanted field is a piece of the text)
//! ```

mod decimal;
mod document;
mod field;
mod layout;
mod system;
pub(crate) mod time;

pub(crate) use document::json_field;
pub(crate) use field::text_of;

use crate::columns::SystemColumn;
use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use document::DocumentDecoder;
use pyralog_model::{Record, ScarabId, Schema};
use system::SystemBuilder;

/// Rows are handed on before they hold more than this, however few they are.
const BYTES_MAX: usize = 4 << 20;

/// What is known of a record without opening its batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) epoch: i32,
    pub(crate) scarab_id: Option<ScarabId>,
}

/// A column of the answer: where its values come from.
#[derive(Debug, Clone, Copy)]
enum Source {
    System(usize),
    Document(usize),
}

/// Collects rows into columns.
pub(crate) struct RowDecoder {
    schema: SchemaRef,
    sources: Vec<Source>,
    system: Vec<SystemBuilder>,
    document: Option<DocumentDecoder>,
    needs_records: bool,
    rows: usize,
    rows_max: usize,
    bytes: usize,
}

impl RowDecoder {
    /// For the columns of `projection`, which are places in the table of a log with
    /// `log_schema`; `schema` is what they make. Full after `rows_max` rows.
    pub(crate) fn new(
        schema: SchemaRef,
        projection: &[usize],
        log_schema: Option<&Schema>,
        rows_max: usize,
    ) -> RowDecoder {
        let (mut sources, mut system, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        let mut needs_records = false;
        for place in projection {
            match SystemColumn::ALL.get(*place) {
                Some(column) => {
                    needs_records |= !column.is_of_the_batch();
                    sources.push(Source::System(system.len()));
                    system.push(SystemBuilder::new(*column));
                }
                None => {
                    sources.push(Source::Document(wanted.len()));
                    wanted.push(place - SystemColumn::ALL.len());
                }
            }
        }
        let columns = log_schema.map(|schema| schema.columns.as_slice()).unwrap_or_default();
        let wanted: Vec<_> = wanted.into_iter().filter_map(|place| columns.get(place)).collect();
        let document = (!wanted.is_empty()).then(|| DocumentDecoder::new(&wanted));
        needs_records |= document.is_some();
        let (rows, bytes) = (0, 0);
        RowDecoder { schema, sources, system, document, needs_records, rows, rows_max, bytes }
    }

    /// False if `Place`s are enough: then batches are not even decompressed.
    pub(crate) fn needs_records(&self) -> bool {
        self.needs_records
    }

    /// True if values are looked into.
    pub(crate) fn needs_documents(&self) -> bool {
        self.document.is_some()
    }

    /// Rows collected so far.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// About how many bytes they hold.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Time to `finish`.
    pub(crate) fn is_full(&self) -> bool {
        self.rows >= self.rows_max || self.bytes >= BYTES_MAX
    }

    /// A row of which only the place is needed.
    pub(crate) fn push_place(&mut self, place: &Place) {
        self.bytes += self.system.len() * size_of::<u64>();
        for builder in &mut self.system {
            builder.push_place(place);
        }
        self.rows += 1;
    }

    /// A row. Says how many of its fields are not what the schema says.
    pub(crate) fn push(&mut self, place: &Place, record: &Record) -> u64 {
        self.bytes += self.sources.len() * size_of::<u64>();
        for builder in &mut self.system {
            self.bytes += builder.push(place, record);
        }
        self.rows += 1;
        let Some(document) = &mut self.document else { return 0 };
        let value = record.value.as_deref();
        self.bytes += value.map_or(0, <[u8]>::len);
        document.push(value)
    }

    /// The rows so far; begins anew.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let system: Vec<ArrayRef> = self.system.iter_mut().map(SystemBuilder::finish).collect();
        let fields = self.document.as_mut().map(DocumentDecoder::finish).unwrap_or_default();
        let column = |source: &Source| match *source {
            Source::System(place) => system[place].clone(),
            Source::Document(place) => fields[place].clone(),
        };
        let columns = self.sources.iter().map(column).collect();
        // Without a column the number of rows is all there is to say.
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
    }
}
