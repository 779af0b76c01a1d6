//! A field of delimited text as a JSON value. Numbers keep their digits: `1.10`
//! stays `1.10`, and what is no number in JSON, such as `007`, stays a text.

use pyralog_model::ColumnKind;

/// What the fields of a column may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Texts only: the schema says so.
    Text,
    /// Numbers, `true` and `false` where they are written as JSON writes them.
    Free,
}

impl Form {
    /// What a column of this kind takes. SQL makes of texts what the others need; a
    /// number is no date, but it is a time: milliseconds since 1970.
    pub fn of(kind: ColumnKind) -> Form {
        match kind {
            ColumnKind::Text | ColumnKind::Date => Form::Text,
            _ => Form::Free,
        }
    }
}

/// Puts the JSON of a field at the end of `value`.
pub fn write(field: &str, form: Form, value: &mut Vec<u8>) {
    if form == Form::Free && (matches!(field, "true" | "false") || is_number(field)) {
        value.extend_from_slice(field.as_bytes());
    } else {
        serde_json::to_writer(value, field).expect("a vector takes every text");
    }
}

/// True for what JSON takes as a number, and every reader of it: an exponent that
/// leaves the range of a double does not.
pub fn is_number(field: &str) -> bool {
    let (digits, exponent) = match field.find(['e', 'E']) {
        Some(at) => (&field[..at], Some(&field[at + 1..])),
        None => (field, None),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(is_digits)
        && (field.len() < 300 && exponent.is_none() || field.parse().is_ok_and(f64::is_finite))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_values() {
        for (field, free) in [
            ("1", "1"),
            ("-0", "-0"),
            ("1.10", "1.10"),
            ("10.357019999999999", "10.357019999999999"),
            ("1e5", "1e5"),
            ("-2.5E-3", "-2.5E-3"),
            ("12345678901234567890123", "12345678901234567890123"),
            ("true", "true"),
            ("false", "false"),
            ("007", "\"007\""),
            ("+1", "\"+1\""),
            (".5", "\".5\""),
            ("5.", "\"5.\""),
            ("1e", "\"1e\""),
            ("1e999", "\"1e999\""),
            ("1 ", "\"1 \""),
            ("-", "\"-\""),
            ("1_000", "\"1_000\""),
            ("0x10", "\"0x10\""),
            ("NaN", "\"NaN\""),
            ("TRUE", "\"TRUE\""),
            ("null", "\"null\""),
            ("", "\"\""),
            ("٣", "\"٣\""),
            ("say \"hi\"\n", "\"say \\\"hi\\\"\\n\""),
        ] {
            let mut value = Vec::new();
            write(field, Form::Free, &mut value);
            assert_eq!(String::from_utf8(value.clone()).unwrap(), free, "{field:?}");
            serde_json::from_slice::<serde_json::Value>(&value).unwrap();
            let mut value = Vec::new();
            write(field, Form::Text, &mut value);
            assert_eq!(serde_json::from_slice::<String>(&value).unwrap(), field);
        }
    }
}
