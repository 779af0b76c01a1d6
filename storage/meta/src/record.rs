//! How a value lies in a table: its version, then its body, both in postcard.
//! A new version is a new body; old ones are read for ever.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version of every body there is today.
const VERSION: u16 = 1;

/// Encodes `body` with its version before it.
pub(crate) fn encode(body: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(&(VERSION, body)).expect("plain numbers always encode")
}

/// Decodes what `encode` made; the error says what is wrong.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let (version, body) =
        postcard::take_from_bytes::<u16>(bytes).map_err(|error| error.to_string())?;
    if version != VERSION {
        return Err(format!("a record has version {version}, known is {VERSION}"));
    }
    match postcard::take_from_bytes(body) {
        Ok((body, [])) => Ok(body),
        Ok((_, rest)) => Err(format!("a record has {} bytes too many", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_record_is_refused() {
        let good = encode(&(7u64, 8u32));
        assert_eq!(good, [1, 7, 8], "the bytes on disk must not move");
        assert_eq!(decode::<(u64, u32)>(&good), Ok((7, 8)));
        assert!(decode::<(u64, u32)>(&good[..2]).is_err());
        assert!(decode::<(u64, u32)>(&[good, vec![0]].concat()).unwrap_err().contains("too many"));
        assert!(decode::<(u64, u32)>(&[2, 7, 8]).unwrap_err().contains("version 2"));
        assert!(decode::<(u64, u32)>(&[]).is_err());
    }

    /// A failure here means that old data cannot be read: make a new version.
    #[test]
    fn a_checkpoint_has_its_bytes() {
        let partition = crate::PartitionCheckpoint {
            segment_base: 300,
            segment_position: 70_000,
            next_offset: 450,
            lsn: 1_000_000,
            log_start: 7,
            epoch: 3,
        };
        let expect = [1, 0xac, 2, 0xf0, 0xa2, 4, 0xc2, 3, 0xc0, 0x84, 0x3d, 7, 3];
        assert_eq!(encode(&partition), expect);
        assert_eq!(decode(&expect), Ok(partition));
        let wal = crate::WalCheckpoint { first_needed_round: 128, next_lsn: 5 };
        assert_eq!(encode(&wal), [1, 0x80, 1, 5]);
        assert_eq!(decode(&encode(&wal)), Ok(wal));
        let segment = crate::RewrittenSegment { end: 300, generation: 2, bytes: 70_000 };
        assert_eq!(encode(&segment), [1, 0xac, 2, 2, 0xf0, 0xa2, 4]);
        assert_eq!(encode(&300_u64), [1, 0xac, 2], "how far it is compacted");
    }
}
