//! As much of protobuf as a judge needs: the fields of a message, unread.

/// The key of a field that has a length.
pub(super) const fn key(number: u8) -> u8 {
    number << 3 | 2
}

/// The number before `bytes`' rest.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (place, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(7 * place as u32)?;
        if byte & 0x80 == 0 {
            return Some((value, &bytes[place + 1..]));
        }
    }
    None
}

/// The fields of a message: number and content, which of a number is empty.
/// `None` is a field that is broken, and the last.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = std::mem::take(&mut self.0);
        (!bytes.is_empty()).then(|| {
            let (number, content, rest) = field(bytes)?;
            self.0 = rest;
            Some((number, content))
        })
    }
}

fn field(bytes: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let (key, rest) = varint(bytes)?;
    let (content, rest) = match key & 7 {
        0 => (&[][..], varint(rest)?.1),
        2 => {
            let (length, rest) = varint(rest)?;
            rest.split_at_checked(usize::try_from(length).ok()?)?
        }
        _ => return None,
    };
    Some((key >> 3, content, rest))
}

/// The only field of a message that has exactly one.
pub(super) fn only(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut fields = Fields(bytes);
    let field = fields.next()??;
    fields.next().is_none().then_some(field)
}
