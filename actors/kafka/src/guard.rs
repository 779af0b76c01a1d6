//! The guard before the codec.
//!
//! The codec reserves memory by the counts it reads: a request of thirty bytes
//! that claims two billion topics would end the process. So every request is
//! first walked by a table of its shape, which costs no memory, and
//!
//! - every length and count is held against the bytes that remain,
//! - the elements of all arrays together stay below [`ELEMENTS_MAX`],
//! - what the elements will take once decoded stays within
//!   [`DECODED_FACTOR`] × the bytes received + [`DECODED_SLACK_BYTES`].
//!
//! The last rule turns away requests of thousands of three-byte elements, which
//! no client sends, and no request whose elements carry their usual names.

mod shapes;

use crate::wire::{Malformed, Reader};
use kafka_protocol::messages::ApiKey;

/// The most elements in all arrays of a request.
pub(crate) const ELEMENTS_MAX: usize = 100_000;

/// Decoded elements may take this many times the bytes received…
pub(crate) const DECODED_FACTOR: usize = 2;

/// …and this much more.
pub(crate) const DECODED_SLACK_BYTES: usize = 40 * 1024;

/// The most tagged fields in a request: a handful is defined, and the codec
/// keeps a map for the unknown ones of each structure.
const TAGS_MAX: usize = 16;

/// What one field looks like on the wire.
enum Kind {
    /// A number, a flag or an id of so many bytes.
    Fixed(usize),
    /// A string.
    Text,
    /// A string or null.
    NullableText,
    /// Bytes or null.
    NullableBytes,
    /// An array of structures; each takes so many bytes once decoded.
    Array(usize, &'static [Field]),
    /// An array of structures, or null.
    NullableArray(usize, &'static [Field]),
    /// An array of strings.
    Texts,
    /// An array of strings, or null.
    NullableTexts,
    /// An array of 32-bit numbers.
    Numbers,
    /// An array of 32-bit numbers that take more than their own bytes each.
    NumbersWorth(usize),
}

/// A field and the versions that have it.
struct Field {
    from: i16,
    to: i16,
    kind: Kind,
}

/// Walks `body`, a request of `key` in `version`. An error means that it must
/// not be decoded.
pub(crate) fn inspect(
    key: ApiKey,
    version: i16,
    body: &[u8],
    flexible: bool,
) -> Result<(), Malformed> {
    let shape = shapes::of(key).ok_or(Malformed("an API without a shape"))?;
    let mut walk = Walk {
        reader: Reader::new(body, flexible),
        version,
        elements: 0,
        decoded_bytes: 0,
        decoded_bytes_max: DECODED_FACTOR * body.len() + DECODED_SLACK_BYTES,
        tags: 0,
    };
    walk.structure(shape)
}

struct Walk<'a> {
    reader: Reader<'a>,
    version: i16,
    elements: usize,
    decoded_bytes: usize,
    decoded_bytes_max: usize,
    tags: usize,
}

impl Walk<'_> {
    fn structure(&mut self, fields: &'static [Field]) -> Result<(), Malformed> {
        for field in fields {
            if (field.from..=field.to).contains(&self.version) {
                self.field(&field.kind)?;
            }
        }
        self.tags += self.reader.skip_tags()?;
        if self.tags > TAGS_MAX {
            return Err(Malformed("too many tagged fields"));
        }
        Ok(())
    }

    fn field(&mut self, kind: &Kind) -> Result<(), Malformed> {
        match kind {
            Kind::Fixed(bytes) => drop(self.reader.take(*bytes)?),
            Kind::Text => drop(self.reader.text()?),
            Kind::NullableText => drop(self.reader.nullable_text()?),
            Kind::NullableBytes => drop(self.reader.nullable_bytes()?),
            Kind::Array(element_bytes, fields) => {
                let count = self.reader.count()?;
                self.elements(count, *element_bytes, fields)?;
            }
            Kind::NullableArray(element_bytes, fields) => {
                let count = self.reader.nullable_count()?.unwrap_or(0);
                self.elements(count, *element_bytes, fields)?;
            }
            Kind::Texts => {
                let count = self.reader.count()?;
                self.texts(count)?;
            }
            Kind::NullableTexts => {
                let count = self.reader.nullable_count()?.unwrap_or(0);
                self.texts(count)?;
            }
            Kind::Numbers => self.numbers(size_of::<i32>())?,
            Kind::NumbersWorth(number_bytes) => self.numbers(*number_bytes)?,
        }
        Ok(())
    }

    fn texts(&mut self, count: usize) -> Result<(), Malformed> {
        self.admit(count, size_of::<kafka_protocol::messages::TopicName>())?;
        (0..count).try_for_each(|_| self.reader.text().map(drop))
    }

    fn numbers(&mut self, number_bytes: usize) -> Result<(), Malformed> {
        let count = self.reader.count()?;
        self.admit(count, number_bytes)?;
        self.reader.take(4 * count).map(drop)
    }

    fn elements(
        &mut self,
        count: usize,
        element_bytes: usize,
        fields: &'static [Field],
    ) -> Result<(), Malformed> {
        self.admit(count, element_bytes)?;
        (0..count).try_for_each(|_| self.structure(fields))
    }

    fn admit(&mut self, count: usize, element_bytes: usize) -> Result<(), Malformed> {
        // Every element has at least one byte on the wire.
        if count > self.reader.remaining() {
            return Err(Malformed("more elements than bytes"));
        }
        self.elements += count;
        if self.elements > ELEMENTS_MAX {
            return Err(Malformed("too many elements"));
        }
        self.decoded_bytes += count * element_bytes;
        if self.decoded_bytes > self.decoded_bytes_max {
            return Err(Malformed("too many tiny elements"));
        }
        Ok(())
    }
}
