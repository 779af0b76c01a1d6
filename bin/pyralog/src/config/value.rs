//! A setting's value, made from text in one conversion, whichever layer the
//! text came from.

use super::Kind;
use bytesize::ByteSize;
use std::path::PathBuf;
use std::time::Duration;

/// What a key was set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing; only keys without a default.
    Unset,
    /// Text, an address or an identity.
    Text(String),
    /// A list of addresses.
    List(Vec<String>),
    /// A path.
    Path(PathBuf),
    /// Bytes.
    Bytes(u64),
    /// A length of time.
    Duration(Duration),
    /// On or off.
    Switch(bool),
    /// A whole number.
    Count(u64),
}

/// Text as a file, a variable or a flag gives it, before it has a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// A quoted string in a file, or anything outside a file.
    Text(String),
    /// A bare integer or boolean in a file.
    Bare(String),
    /// A list of strings in a file.
    List(Vec<String>),
}

impl Value {
    /// Reads `raw` as `kind`; the error says what was expected.
    pub fn read(kind: Kind, raw: &Raw) -> Result<Value, String> {
        let refused = || Err(format!("expected {}", kind.expects()));
        let text = match (kind, raw) {
            (Kind::Addresses, Raw::List(items)) => {
                return addresses(items.iter().map(String::as_str));
            }
            (_, Raw::List(_)) => return refused(),
            (
                Kind::Text
                | Kind::Address
                | Kind::Path
                | Kind::Addresses
                | Kind::Identity
                | Kind::Duration,
                Raw::Bare(_),
            ) => {
                return refused();
            }
            (_, Raw::Text(text) | Raw::Bare(text)) => text.trim(),
        };
        match kind {
            Kind::Addresses => {
                addresses(text.split(',').map(str::trim).filter(|item| !item.is_empty()))
            }
            _ if text.is_empty() => Ok(Value::Unset),
            Kind::Text => Ok(Value::Text(text.to_owned())),
            Kind::Path => Ok(Value::Path(PathBuf::from(text))),
            Kind::Address => address(text).map(|()| Value::Text(text.to_owned())),
            Kind::Identity => match u128::from_str_radix(text, 16) {
                Ok(_) if text.len() == 32 => Ok(Value::Text(text.to_owned())),
                _ => refused(),
            },
            Kind::Switch => text.parse().map(Value::Switch).or_else(|_| refused()),
            Kind::Bytes => bytes(text).map_or_else(refused, |bytes| Ok(Value::Bytes(bytes))),
            Kind::Duration => duration(text).map_or_else(refused, |time| Ok(Value::Duration(time))),
            Kind::Count(min, max) => match text.replace('_', "").parse() {
                Ok(count) if (min..=max).contains(&count) => Ok(Value::Count(count)),
                _ => refused(),
            },
        }
    }
}

fn addresses<'a>(items: impl Iterator<Item = &'a str>) -> Result<Value, String> {
    let items: Vec<String> = items.map(str::to_owned).collect();
    items.iter().try_for_each(|item| address(item))?;
    Ok(Value::List(items))
}

fn address(text: &str) -> Result<(), String> {
    let (host, port) =
        text.rsplit_once(':').ok_or("expected a host and a port with ':' between them")?;
    if host.is_empty() {
        return Err("expected a host before ':'".into());
    }
    port.parse::<u16>().map(|_| ()).map_err(|_| format!("'{port}' is not a port from 0 to 65535"))
}

/// A size in bytes. A unit is a whole word here: the crate that does the arithmetic would take
/// "1g" and "1 gigs" alike, and a typo in a size is worth an error.
pub fn bytes(text: &str) -> Option<u64> {
    const UNITS: [&str; 12] =
        ["", "B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "PB"];
    let unit =
        text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | ' '));
    if !UNITS.contains(&unit) {
        return None;
    }
    text.replace('_', "").parse::<ByteSize>().ok().map(|size| size.as_u64())
}

fn duration(text: &str) -> Option<Duration> {
    let time: jiff::SignedDuration = text.parse().ok()?;
    Duration::try_from(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, text: &str, expect: Option<Value>) {
        assert_eq!(Value::read(kind, &Raw::Text(text.into())).ok(), expect, "{text:?} as {kind:?}");
    }

    #[test]
    fn sizes_mean_what_their_letters_say() {
        check(Kind::Bytes, "1GB", Some(Value::Bytes(1_000_000_000)));
        check(Kind::Bytes, "1GiB", Some(Value::Bytes(1 << 30)));
        check(Kind::Bytes, "16 GB", Some(Value::Bytes(16_000_000_000)));
        check(Kind::Bytes, "1TB", Some(Value::Bytes(1_000_000_000_000)));
        check(Kind::Bytes, "1048588", Some(Value::Bytes(1_048_588)));
        for bad in ["1 gigs", "GB", "1XB", "-1", "1e9GBs"] {
            check(Kind::Bytes, bad, None);
        }
    }

    #[test]
    fn the_other_kinds_are_checked_too() {
        check(Kind::Switch, "true", Some(Value::Switch(true)));
        check(Kind::Switch, "yes", None);
        check(Kind::Count(1, 5), "5", Some(Value::Count(5)));
        check(Kind::Count(1, 5), "6", None);
        check(Kind::Duration, "24h", Some(Value::Duration(Duration::from_secs(86_400))));
        check(Kind::Duration, "24 fortnights", None);
        check(Kind::Address, "localhost:9092", Some(Value::Text("localhost:9092".into())));
        check(Kind::Address, "[::1]:9092", Some(Value::Text("[::1]:9092".into())));
        check(Kind::Address, "localhost", None);
        check(Kind::Address, "localhost:99999", None);
        check(Kind::Addresses, "a:1, b:2", Some(Value::List(vec!["a:1".into(), "b:2".into()])));
        check(Kind::Identity, "abc", None);
    }
}
