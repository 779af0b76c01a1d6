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

/// Takes the waiting out of a fetch: one that waits for a record for a month is
/// honest work, and would only keep the next mutation waiting. Where the body
/// begins depends on the client's name, which may be damaged too; then the
/// number that is hit is just one more mutation.
pub fn hurry(frame: &mut [u8]) {
    if api_key(frame) != FETCH || frame.len() < 10 {
        return;
    }
    let version = i16::from_be_bytes([frame[2], frame[3]]);
    let name = usize::try_from(i16::from_be_bytes([frame[8], frame[9]])).unwrap_or(0);
    // Replica (4), then the longest wait (4); v12 has tagged fields before them.
    let at = 10 + name + usize::from(version >= 12) + 4;
    if let Some(wait) = frame.get_mut(at..at + 4) {
        wait.fill(0);
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
}
