//! A reader that checks every length against the bytes that are there.

use thiserror::Error;

/// Bytes that are no request; the field says which part.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("malformed request: {0}")]
pub(crate) struct Malformed(pub &'static str);

/// A cursor over a request. `compact` says whether lengths are the variable
/// ones of the flexible versions.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    compact: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], compact: bool) -> Reader<'a> {
        Reader { rest: bytes, compact }
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed("cut short"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        Ok(self.take(N)?.try_into().expect("take gave N bytes"))
    }

    pub(crate) fn i8(&mut self) -> Result<i8, Malformed> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    pub(crate) fn i16(&mut self) -> Result<i16, Malformed> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    pub(crate) fn unsigned_varint(&mut self) -> Result<u32, Malformed> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.array::<1>()?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value)
                    .map_err(|_| Malformed("a variable integer over 32 bits"));
            }
        }
        Err(Malformed("a variable integer of more than five bytes"))
    }

    /// A string's length and bytes; `None` for null.
    pub(crate) fn nullable_text(&mut self) -> Result<Option<&'a str>, Malformed> {
        let length = match self.compact {
            true => i64::from(self.unsigned_varint()?) - 1,
            false => i64::from(self.i16()?),
        };
        let bytes = match self.length(length, "a negative string length")? {
            Some(length) => self.take(length)?,
            None => return Ok(None),
        };
        std::str::from_utf8(bytes).map(Some).map_err(|_| Malformed("a string that is not UTF-8"))
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        self.nullable_text()?.ok_or(Malformed("a null string where one is needed"))
    }

    /// A byte field's content; `None` for null.
    pub(crate) fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let length = self.i32_or_compact()?;
        match self.length(length, "a negative byte length")? {
            Some(length) => self.take(length).map(Some),
            None => Ok(None),
        }
    }

    /// The number of elements of an array; `None` for null.
    pub(crate) fn nullable_count(&mut self) -> Result<Option<usize>, Malformed> {
        let count = self.i32_or_compact()?;
        self.length(count, "a negative element count")
    }

    pub(crate) fn count(&mut self) -> Result<usize, Malformed> {
        self.nullable_count()?.ok_or(Malformed("a null array where one is needed"))
    }

    /// A list of strings.
    pub(crate) fn texts(&mut self) -> Result<Vec<&'a str>, Malformed> {
        let count = self.count()?;
        // Every string has at least one byte on the wire.
        let mut texts = Vec::with_capacity(count.min(self.remaining()));
        for _ in 0..count {
            texts.push(self.text()?);
        }
        Ok(texts)
    }

    /// Passes over tagged fields; gives their number.
    pub(crate) fn skip_tags(&mut self) -> Result<usize, Malformed> {
        if !self.compact {
            return Ok(0);
        }
        let count = self.unsigned_varint()? as usize;
        if count > self.rest.len() / 2 {
            return Err(Malformed("more tagged fields than bytes"));
        }
        for _ in 0..count {
            self.unsigned_varint()?;
            let length = self.unsigned_varint()? as usize;
            self.take(length)?;
        }
        Ok(count)
    }

    fn i32_or_compact(&mut self) -> Result<i64, Malformed> {
        match self.compact {
            true => Ok(i64::from(self.unsigned_varint()?) - 1),
            false => Ok(i64::from(self.i32()?)),
        }
    }

    fn length(&self, length: i64, negative: &'static str) -> Result<Option<usize>, Malformed> {
        match length {
            -1 => Ok(None),
            0.. => Ok(Some(length as usize)),
            _ => Err(Malformed(negative)),
        }
    }
}
