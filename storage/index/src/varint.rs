//! Numbers in as few bytes as they need: seven bits a byte, the lowest first, the
//! top bit set while more follow (LEB128).

/// The most bytes that a number of 64 bits takes.
pub(crate) const BYTES_MAX: usize = 10;

/// Appends `value`.
pub(crate) fn write(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Takes a number from `next`. `Ok(None)` if it is longer than 64 bits or not in its
/// shortest form.
pub(crate) fn read<E>(mut next: impl FnMut() -> Result<u8, E>) -> Result<Option<u64>, E> {
    let mut value = 0;
    for at in 0..BYTES_MAX {
        let byte = next()?;
        let bits = u64::from(byte & 0x7f);
        if at == BYTES_MAX - 1 && bits > 1 {
            return Ok(None);
        }
        value |= bits << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((at == 0 || byte != 0).then_some(value));
        }
    }
    Ok(None)
}

/// Signed to unsigned, small staying small: 0, −1, 1, −2 become 0, 1, 2, 3.
pub(crate) fn fold_sign(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`fold_sign`].
pub(crate) fn unfold_sign(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn read_all(bytes: &[u8]) -> Option<u64> {
        let mut bytes = bytes.iter();
        let read: Result<_, ()> = read(|| bytes.next().copied().ok_or(()));
        read.ok().flatten().filter(|_| bytes.len() == 0)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in any::<u64>(), shift in 0..64) {
            let mut bytes = Vec::new();
            write(value >> shift, &mut bytes);
            prop_assert_eq!(read_all(&bytes), Some(value >> shift));
            bytes.pop();
            prop_assert_eq!(read_all(&bytes), None);
        }

        #[test]
        fn signs_fold_both_ways(value in any::<i64>()) {
            prop_assert_eq!(unfold_sign(fold_sign(value)), value);
        }
    }

    #[test]
    fn long_forms_are_refused() {
        assert_eq!(read_all(&[0x80, 0]), None);
        assert_eq!(read_all(&[0xff; 10]), None);
        let endless: Result<_, Infallible> = read(|| Ok(0xff));
        assert_eq!(endless, Ok(None));
    }
}
