//! Damage to real requests, from a seed.

use crate::recordings::api_key;
use crate::seeded::Seeded;

/// What lengths, counts and versions are most often wrong by.
const NUMBERS: [i32; 12] =
    [0, 1, -1, -2, 127, 128, 255, 0x7fff, 0x1_0000, i32::MAX, i32::MIN, 1 << 24];
/// API key, version and correlation id. Mostly left alone: an unknown API is
/// refused before anything of the rest is read.
const HEAD_BYTES: usize = 8;
const FETCH: i16 = 1;
const JOIN_GROUP: i16 = 11;
const CREATE_TOPICS: i16 = 19;
/// How long a group waits for a member of a mutation.
const PATIENCE_MS: i32 = 5;

/// Writes a damaged copy of `frame` to `out`, without a length before it.
pub fn mutate(seeded: &mut Seeded, frame: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(frame);
    for _ in 0..=seeded.below(3) {
        let spared = if seeded.below(16) == 0 { 0 } else { HEAD_BYTES };
        if out.len() > spared {
            let at = spared + seeded.below(out.len() - spared);
            change(seeded, out, at);
        }
    }
}

fn change(seeded: &mut Seeded, out: &mut Vec<u8>, at: usize) {
    let rest = out.len() - at;
    match seeded.below(8) {
        0 => out[at] ^= 1 << seeded.below(8),
        1 => out[at] = [0x00, 0xff, 0x7f, 0x80][seeded.below(4)],
        2 => out[at] = seeded.next_u64() as u8,
        3 => out.truncate(at),
        4 => overwrite(out, at, &NUMBERS[seeded.below(NUMBERS.len())].to_be_bytes()),
        5 => overwrite(out, at, &(NUMBERS[seeded.below(NUMBERS.len())] as i16).to_be_bytes()),
        // The longest that a compact length can be.
        6 => drop(out.splice(at..=at, [0xff, 0xff, 0xff, 0xff, 0x0f])),
        _ => {
            let length = 1 + seeded.below(rest.min(64));
            out.extend_from_within(at..at + length);
            out[at..].rotate_right(length);
        }
    }
}

fn overwrite(out: &mut [u8], at: usize, bytes: &[u8]) {
    let length = bytes.len().min(out.len() - at);
    out[at..at + length].copy_from_slice(&bytes[..length]);
}

/// Takes the honest work out of a request: a fetch that waits for a record for a
/// month, a member that its group waits for, a topic that is made. It would only
/// keep the next mutation waiting, or cost what such a thing costs. Where the body
/// begins depends on the client's name, which may be damaged too; then what is hit
/// is just one more mutation.
pub fn hurry(frame: &mut [u8]) {
    if frame.len() < 10 {
        return;
    }
    let version = i16::from_be_bytes([frame[2], frame[3]]);
    let name = usize::try_from(i16::from_be_bytes([frame[8], frame[9]])).unwrap_or(0);
    match api_key(frame) {
        // The longest wait, after the replica; v12 has tagged fields before them.
        FETCH => fill(frame, 10 + name + usize::from(version >= 12) + 4, &[0; 4]),
        // The patience with a member, and with a rebalance: after the group's name.
        JOIN_GROUP => {
            let body = 10 + name + usize::from(version >= 6);
            let at = body + text_bytes(frame.get(body..).unwrap_or_default(), version >= 6);
            fill(frame, at, &PATIENCE_MS.to_be_bytes());
            if version >= 1 {
                fill(frame, at + 4, &PATIENCE_MS.to_be_bytes());
            }
        }
        // Only to be looked at: the last field, which tagged fields follow since v5.
        CREATE_TOPICS => {
            let at = frame.len() - 1 - usize::from(version >= 5);
            fill(frame, at, &[1]);
        }
        _ => {}
    }
}

/// How long a short text is with its length: a byte since lengths are compact.
fn text_bytes(from: &[u8], compact: bool) -> usize {
    match *from {
        [length, ..] if compact => usize::from(length & 0x7f).max(1),
        [high, low, ..] => 2 + usize::from(u16::from_be_bytes([high & 0x7f, low])),
        _ => 0,
    }
}

fn fill(frame: &mut [u8], at: usize, with: &[u8]) {
    if let Some(field) = frame.get_mut(at..at + with.len()) {
        field.copy_from_slice(with);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_no_mutation_is_out_of_bounds() {
        let frame: Vec<u8> = (0..200).collect();
        let (mut one, mut other) = (Seeded::new(7), Seeded::new(7));
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for length in (0..200).cycle().take(20_000) {
            mutate(&mut one, &frame[..length], &mut a);
            mutate(&mut other, &frame[..length], &mut b);
            hurry(&mut a);
            hurry(&mut b);
            assert_eq!(a, b);
        }
    }

    /// Key, version, correlation id, the client's name "c".
    fn head(key: i16, version: i16) -> Vec<u8> {
        let mut frame = [key.to_be_bytes(), version.to_be_bytes()].concat();
        frame.extend([0, 0, 0, 7, 0, 1, b'c']);
        frame
    }

    #[test]
    fn nobody_waits_for_a_member_and_no_topic_is_made() {
        let hour = 3_600_000_i32.to_be_bytes();
        let patience = PATIENCE_MS.to_be_bytes();
        let names = [(5, &b"\0\x01g"[..]), (9, &b"\0\x02g"[..])]; // tags before a compact name
        for (version, name) in names {
            let mut join = [&head(JOIN_GROUP, version), name, &hour, &hour, b"rest"].concat();
            hurry(&mut join);
            let hurried = [&patience[..], &patience, b"rest"].concat();
            assert!(join.ends_with(&hurried), "version {version}: {join:?}");
        }
        for (version, end) in [(3, &[0][..]), (7, &[0, 0])] {
            let mut create = [&head(CREATE_TOPICS, version), &b"topics"[..], end].concat();
            hurry(&mut create);
            assert_eq!(create[head(0, 0).len() + 6], 1, "version {version}");
        }
    }
}
