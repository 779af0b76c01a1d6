//! A writer of response fields, plain or compact.

use crate::request::CloseReason;
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::Encodable;

/// Response bytes under construction.
pub(crate) struct Writer {
    out: BytesMut,
    compact: bool,
}

impl Writer {
    pub(crate) fn new(compact: bool, capacity: usize) -> Writer {
        Writer { out: BytesMut::with_capacity(capacity), compact }
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.out.put_u8(u8::from(value));
    }

    pub(crate) fn i8(&mut self, value: i8) {
        self.out.put_i8(value);
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.out.put_i16(value);
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.out.put_i32(value);
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.out.put_i64(value);
    }

    fn unsigned_varint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.out.put_u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.put_u8(value as u8);
    }

    /// A string; the names and messages that are sent are far below 32 KiB.
    pub(crate) fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let bytes = &bytes[..bytes.len().min(i16::MAX as usize)];
        match self.compact {
            true => self.unsigned_varint(bytes.len() as u32 + 1),
            false => self.out.put_i16(bytes.len() as i16),
        }
        self.out.put_slice(bytes);
    }

    pub(crate) fn null_text(&mut self) {
        match self.compact {
            true => self.unsigned_varint(0),
            false => self.out.put_i16(-1),
        }
    }

    /// A string or null.
    pub(crate) fn nullable_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null_text(),
        }
    }

    /// A byte field.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.out.put_slice(bytes);
    }

    /// The number of elements that follow, or of bytes in a byte field: Kafka
    /// writes both alike.
    pub(crate) fn count(&mut self, count: usize) {
        match self.compact {
            true => self.unsigned_varint(count as u32 + 1),
            false => self.out.put_i32(count as i32),
        }
    }

    /// A list of numbers.
    pub(crate) fn i32s(&mut self, values: &[i32]) {
        self.count(values.len());
        values.iter().for_each(|value| self.i32(*value));
    }

    /// A structure of the codec.
    pub(crate) fn structure(
        &mut self,
        version: i16,
        structure: &impl Encodable,
    ) -> Result<(), CloseReason> {
        let encoded = structure.encode(&mut self.out, version);
        encoded.map_err(|error| CloseReason::Encoding(error.to_string()))
    }

    /// No tagged fields; nothing in versions that have none.
    pub(crate) fn no_tags(&mut self) {
        if self.compact {
            self.out.put_u8(0);
        }
    }

    /// Takes out what is written so far, so that foreign bytes can go between.
    pub(crate) fn cut(&mut self) -> Bytes {
        self.out.split().freeze()
    }
}
