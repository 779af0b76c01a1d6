//! A value as a JSON object, read in one pass over its text; in two if it is not one of
//! the plain ones.
//!
//! The fields that are wanted are kept as pieces of the text, all others are skipped
//! and nothing is allocated for them. Only when the whole of it is known to be an
//! object do the pieces go to their columns: half a document is none.

mod plain;

use super::field::FieldBuilder;
use super::layout::{FieldName, Layout};
use datafusion::arrow::array::ArrayRef;
use pyralog_model::Column;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The columns of a schema that a query asks for.
pub(super) struct DocumentDecoder {
    layout: Layout,
    builders: Vec<FieldBuilder>,
    /// Kept for its memory; empty between documents.
    pieces: Vec<Option<&'static str>>,
}

impl DocumentDecoder {
    pub(super) fn new(columns: &[&Column]) -> DocumentDecoder {
        DocumentDecoder {
            layout: Layout::new(columns.iter().map(|column| column.name.as_str())),
            builders: columns.iter().map(|column| FieldBuilder::new(column.kind)).collect(),
            pieces: Vec::new(),
        }
    }

    /// One row. Says how many of its fields became NULL for not being what the
    /// schema says; a value that is no object counts once.
    pub(super) fn push(&mut self, value: Option<&[u8]>) -> u64 {
        let mut pieces: Vec<Option<&str>> = emptied(std::mem::take(&mut self.pieces));
        pieces.resize(self.builders.len(), None);
        let read = value.map(|value| read_object(value, &mut self.layout, &mut pieces));
        let mut coerced = 0;
        if read == Some(false) {
            pieces.fill(None);
            coerced = 1;
        }
        for (builder, piece) in self.builders.iter_mut().zip(&pieces) {
            coerced += u64::from(!builder.push(*piece));
        }
        self.pieces = emptied(pieces);
        coerced
    }

    pub(super) fn finish(&mut self) -> Vec<ArrayRef> {
        self.builders.iter_mut().map(FieldBuilder::finish).collect()
    }
}

/// The same memory for pieces of another text.
fn emptied<'a>(mut pieces: Vec<Option<&str>>) -> Vec<Option<&'a str>> {
    pieces.clear();
    // Nothing is left to be mapped; the allocation is kept.
    pieces.into_iter().map(|_| None).collect()
}

/// False if `value` is no JSON object.
fn read_object<'de>(
    value: &'de [u8],
    layout: &mut Layout,
    pieces: &mut [Option<&'de str>],
) -> bool {
    // JSON is UTF-8: checked once for all the pieces.
    let Ok(text) = std::str::from_utf8(value) else { return false };
    plain::read_plain_object(text, layout, pieces).is_some()
        || read_object_in_full(text, layout, pieces)
}

/// The same by serde_json, whatever is in the object.
fn read_object_in_full<'de>(
    text: &'de str,
    layout: &mut Layout,
    pieces: &mut [Option<&'de str>],
) -> bool {
    pieces.fill(None);
    let mut document = serde_json::Deserializer::from_str(text);
    Object { layout, pieces }.deserialize(&mut document).is_ok() && document.end().is_ok()
}

/// An object whose wanted fields are filled in; of two of one name the last counts.
struct Object<'a, 'de> {
    layout: &'a mut Layout,
    pieces: &'a mut [Option<&'de str>],
}

impl<'de> DeserializeSeed<'de> for Object<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<(), D::Error> {
        document.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut place = 0;
        while let Some(column) = fields.next_key_seed(FieldName { layout: self.layout, place })? {
            match column {
                Some(column) => {
                    let piece: &'de RawValue = fields.next_value()?;
                    self.pieces[column] = Some(piece.get());
                }
                None => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
            place += 1;
        }
        Ok(())
    }
}

/// The text of one field of an object; `None` without it.
pub(crate) fn json_field<'de>(value: &'de [u8], name: &str) -> Option<&'de str> {
    let mut layout = Layout::new(std::iter::once(name));
    let mut piece = [None];
    read_object(value, &mut layout, &mut piece).then_some(piece[0]).flatten()
}

#[cfg(test)]
mod tests;
