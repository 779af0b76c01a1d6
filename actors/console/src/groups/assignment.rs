//! What a member was assigned, in the form that Kafka's own assignors write:
//!
//! ```text
//!   version i16 │ topics i32 × ( name i16+bytes │ partitions i32 × i32 ) │ user data …
//! ```
//!
//! The bytes come from a client and mean nothing to the group. They are read as far
//! as they make sense, and counts are held against the bytes that are there.

use crate::api::AssignedLog;

/// The logs and partitions of an assignment, by name; `None` if it is none.
pub fn read(assignment: &[u8]) -> Option<Vec<AssignedLog>> {
    if assignment.is_empty() {
        return Some(Vec::new());
    }
    let mut rest = assignment;
    take::<2>(&mut rest)?; // version
    let mut logs = Vec::new();
    for _ in 0..count(&mut rest)? {
        let length = u16::from_be_bytes(take(&mut rest)?);
        let name = split(&mut rest, length.into())?;
        let log = std::str::from_utf8(name).ok()?.to_owned();
        let numbers = count(&mut rest)?.checked_mul(4)?;
        let (numbers, _) = split(&mut rest, numbers)?.as_chunks();
        let mut partitions: Vec<u32> = numbers.iter().copied().map(u32::from_be_bytes).collect();
        partitions.sort_unstable();
        logs.push(AssignedLog { log, partitions });
    }
    logs.sort_unstable_by(|a, b| a.log.cmp(&b.log));
    Some(logs)
}

fn split<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(taken)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    split(rest, N)?.try_into().ok()
}

/// Nothing is reserved by it: elements that are not there end the reading.
fn count(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(i32::from_be_bytes(take(rest)?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flights() -> Vec<u8> {
        [
            &[0, 1, 0, 0, 0, 2][..],
            &[0, 7],
            b"flights",
            &[0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1],
            &[0, 3],
            b"dep",
            &[0, 0, 0, 0],
            // No user data.
            &[0xff; 4],
        ]
        .concat()
    }

    #[test]
    fn an_assignment_is_read_in_order() {
        let flights = flights();
        let read = read(&flights).unwrap();
        let logs: Vec<_> = read.iter().map(|log| (&*log.log, &log.partitions[..])).collect();
        assert_eq!(logs, [("dep", &[][..]), ("flights", &[1, 3][..])]);
        assert_eq!(super::read(&[]), Some(Vec::new()));
    }

    #[test]
    fn whatever_a_client_sends_is_an_assignment_or_none() {
        let flights = flights();
        for length in 1..flights.len() - 4 {
            assert_eq!(read(&flights[..length]), None, "{length}");
        }
        for at in 0..flights.len() {
            for byte in [0, 0x7f, 0x80, 0xff] {
                let mut forged = flights.clone();
                forged[at] = byte;
                // Neither a panic nor more partitions than there are bytes for.
                let logs = read(&forged).unwrap_or_default();
                let partitions: usize = logs.iter().map(|log| log.partitions.len()).sum();
                assert!(logs.len() <= flights.len() / 6 && partitions <= flights.len() / 4);
            }
        }
        assert_eq!(read(&[0, 1, 0x7f, 0xff, 0xff, 0xff]), None);
        assert_eq!(read(&[0, 1, 0, 0, 0, 1, 0, 0, 0x7f, 0xff, 0xff, 0xff]), None);
    }
}
