//! Whether a document is an object, and which key it has.

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// What is asked of a document.
pub struct Object {
    /// The field that is the key.
    pub key: Option<String>,
}

impl Object {
    /// The key's text: what a string says, or a number or a boolean as it is
    /// written. `None` if the field is null or absent, or no key is wanted.
    ///
    /// # Errors
    /// What is wrong with the document.
    pub fn check(&self, document: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let text = std::str::from_utf8(document)
            .map_err(|_| "not UTF-8, which JSON is; `iconv` makes it so".to_owned())?;
        let mut parser = serde_json::Deserializer::from_str(text);
        let key = self.deserialize(&mut parser).and_then(|key| parser.end().map(|()| key));
        let key = key.map_err(|error| format!("not a JSON object: {}", placed(&error)))?;
        key.map_or(Ok(None), |key| self.text(key))
    }

    fn text(&self, key: &RawValue) -> Result<Option<Vec<u8>>, String> {
        match key.get().as_bytes() {
            b"null" => Ok(None),
            [b'{' | b'[', ..] => {
                let field = self.key.as_deref().unwrap_or_default();
                Err(format!("'{field}' is no text, number or boolean, and so can be no key"))
            }
            [b'"', ..] => serde_json::from_str::<String>(key.get())
                .map(|text| Some(text.into_bytes()))
                .map_err(|error| error.to_string()),
            token => Ok(Some(token.to_vec())),
        }
    }
}

/// The parser's complaint with the column only: the line is ours to name.
fn placed(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let what = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
    match error.column() {
        0 => what.to_owned(),
        column => format!("{what} (column {column})"),
    }
}

impl<'de> DeserializeSeed<'de> for &Object {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &Object {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut key = None;
        while let Some(Name(name)) = fields.next_key()? {
            match &self.key {
                // Of fields of one name the last counts, as it does in SQL.
                Some(wanted) if *wanted == name => key = Some(fields.next_value()?),
                _ => _ = fields.next_value::<IgnoredAny>()?,
            }
        }
        Ok(key)
    }
}

/// A field's name, copied only if it has escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Name<'de>, D::Error> {
        struct Borrowing;
        impl<'de> Visitor<'de> for Borrowing {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }
            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(name))
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(name.to_owned()))
            }
        }
        from.deserialize_str(Borrowing).map(Name)
    }
}
