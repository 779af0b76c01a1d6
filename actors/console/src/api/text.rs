//! Bytes in JSON: as text when they are UTF-8, else as base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A key, a value or a header's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// UTF-8.
    Plain(String),
    /// Anything else: `{"base64": "…"}`.
    Encoded {
        /// With padding, the standard alphabet.
        base64: String,
    },
}

/// Base64 that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not base64 with the standard alphabet and padding: {0}")]
pub struct TextError(String);

impl Text {
    /// From bytes.
    pub fn from_bytes(bytes: &[u8]) -> Text {
        match std::str::from_utf8(bytes) {
            Ok(text) => Text::Plain(text.to_owned()),
            Err(_) => Text::Encoded { base64: STANDARD.encode(bytes) },
        }
    }

    /// The bytes it stands for.
    pub fn into_bytes(self) -> Result<Vec<u8>, TextError> {
        match self {
            Text::Plain(text) => Ok(text.into_bytes()),
            Text::Encoded { base64 } => {
                STANDARD.decode(base64).map_err(|error| TextError(error.to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive() {
        for bytes in [&b"plain"[..], b"", &[0xff, 0x00, 0xfe], "ä\n\u{0}".as_bytes()] {
            let json = serde_json::to_string(&Text::from_bytes(bytes)).unwrap();
            let text: Text = serde_json::from_str(&json).unwrap();
            assert_eq!(text.into_bytes().unwrap(), bytes, "{json}");
        }
        assert!(Text::Encoded { base64: "?".into() }.into_bytes().is_err());
    }
}
