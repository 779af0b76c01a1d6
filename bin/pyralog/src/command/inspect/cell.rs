//! A value as programs read it and as people do.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;

/// One value of a row.
#[derive(Debug, Clone)]
pub struct Cell {
    /// For programs.
    pub value: Value,
    /// For people; none if tables leave it out.
    pub text: Option<String>,
}

/// Names and values, in this order.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub Vec<(&'static str, Cell)>);

impl Cell {
    /// The same for both.
    pub fn new(value: impl Into<Value>) -> Cell {
        let value = value.into();
        let text = match &value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            Value::Bool(true) => "yes".to_owned(),
            Value::Bool(false) => "no".to_owned(),
            other => other.to_string(),
        };
        Cell { value, text: Some(text) }
    }

    /// A number that -1 or 0 stands in for when there is none.
    pub fn unless<T: PartialEq + Into<Value>>(value: T, none: T) -> Cell {
        if value == none { Cell::new(Value::Null) } else { Cell::new(value) }
    }

    /// A time in milliseconds since 1970.
    pub fn time(unix_ms: i64) -> Cell {
        let time = jiff::Timestamp::from_millisecond(unix_ms).ok();
        let text = time.map_or_else(|| unix_ms.to_string(), |time| format!("{time:.3}"));
        Cell { value: unix_ms.into(), text: Some(text) }
    }

    /// Only for programs: tables are narrow.
    pub fn detail(value: impl Into<Value>) -> Cell {
        Cell { value: value.into(), text: None }
    }
}

impl Fields {
    /// The fields that tables show.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().filter_map(|(name, cell)| Some((*name, cell.text.as_deref()?)))
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, cell) in &self.0 {
            map.serialize_entry(name, &cell.value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_values_and_people_words() {
        let fields = Fields(vec![
            ("b", Cell::new(7)),
            ("a", Cell::unless(-1i64, -1)),
            ("t", Cell::time(1_500)),
            ("x", Cell::detail("long")),
        ]);
        let json = serde_json::to_string(&fields).unwrap();
        assert_eq!(json, r#"{"b":7,"a":null,"t":1500,"x":"long"}"#);
        let shown: Vec<_> = fields.shown().collect();
        assert_eq!(shown, [("b", "7"), ("a", "-"), ("t", "1970-01-01T00:00:01.500Z")]);
    }
}
