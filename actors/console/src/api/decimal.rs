//! 64-bit numbers in JSON: as text, since half of the world reads JSON's numbers
//! as floating point, which is exact up to 2⁵³ only.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// A number that travels as its decimal digits: `"18446744073709551615"`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(pub u64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        deserializer.deserialize_str(Digits)
    }
}

struct Digits;

impl de::Visitor<'_> for Digits {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string of decimal digits below 2^64")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.map(Decimal).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_survives_and_nothing_else_is_one() {
        for number in [0, 1, (1 << 53) + 1, u64::MAX] {
            let json = serde_json::to_string(&Decimal(number)).unwrap();
            assert_eq!(json, format!("\"{number}\""));
            assert_eq!(serde_json::from_str::<Decimal>(&json).unwrap(), Decimal(number));
        }
        for bad in ["1", "\"\"", "\"+1\"", "\"-1\"", "\"1e3\"", "\"18446744073709551616\"", "null"]
        {
            assert!(serde_json::from_str::<Decimal>(bad).is_err(), "{bad}");
        }
    }
}
