//! As much of protobuf as it takes to speak like a node, and to misspeak.

/// A field with a length.
pub fn bytes(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 8);
    out.push(number << 3 | 2);
    put(&mut out, content.len() as u64);
    out.extend_from_slice(content);
    out
}

/// A field with a number.
pub fn number(number: u8, value: u64) -> Vec<u8> {
    let mut out = vec![number << 3];
    put(&mut out, value);
    out
}

/// A frame of ractor_cluster: a length, then a message.
pub fn frame(payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u64).to_be_bytes()[..], payload].concat()
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The content of the first field of this number: `Ok` of one with a length,
/// `Err` of a number.
pub fn find(message: &[u8], wanted: u64) -> Option<Result<&[u8], u64>> {
    let mut rest = message;
    while !rest.is_empty() {
        let (key, after) = take(rest)?;
        let (value, after) = take(after)?;
        let found = match key & 7 {
            0 => Err(value),
            _ => Ok(after.get(..usize::try_from(value).ok()?)?),
        };
        if key >> 3 == wanted {
            return Some(found);
        }
        rest = &after[found.map_or(0, <[u8]>::len)..];
    }
    None
}

/// A field of fields, by the way there.
pub fn within<'a>(message: &'a [u8], way: &[u64]) -> Option<&'a [u8]> {
    way.iter().try_fold(message, |message, number| find(message, *number)?.ok())
}

/// A number in a message; 0 is not written.
pub fn value(message: &[u8], wanted: u64) -> u64 {
    find(message, wanted).and_then(Result::err).unwrap_or(0)
}

fn take(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (place, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[place + 1..]));
        }
    }
    None
}
