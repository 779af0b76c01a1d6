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
}
