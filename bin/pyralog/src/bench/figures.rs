//! Figures of a bench that moves no records: names, numbers and units, with the
//! settings and the machine they were found on.

use super::Machine;
use crate::cli::Format;
use crate::failure::Failure;
use crate::output;
use serde::Serialize;
use serde_json::{Map, Number, Value};

/// One run.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// `ids`, `counters` or `link`.
    pub bench: &'static str,
    /// What it was run with.
    pub settings: Value,
    /// On what.
    pub machine: Machine,
    /// Name to number; the unit is the last word of the name.
    pub figures: Map<String, Value>,
}

impl Figures {
    /// None yet.
    pub fn new(bench: &'static str, settings: Value, machine: Machine) -> Figures {
        Figures { bench, settings, machine, figures: Map::new() }
    }

    /// With one more.
    pub fn with(mut self, name: &str, figure: f64) -> Figures {
        // Four digits are more than any run repeats.
        let digits = 3 - figure.abs().max(1e-3).log10().floor() as i32;
        let scale = 10f64.powi(digits.clamp(0, 6));
        let rounded = Number::from_f64((figure * scale).round() / scale);
        self.figures.insert(name.to_owned(), rounded.map_or(Value::Null, Value::Number));
        self
    }

    /// Prints them.
    pub fn print(&self, format: Format) -> Result<(), Failure> {
        match format {
            Format::Json => output::json(self),
            Format::Table => output::line(self.lines().join("\n")),
        }
    }

    fn lines(&self) -> Vec<String> {
        let settings = self.settings.as_object().cloned().unwrap_or_default();
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let machine = &self.machine;
        let mut lines = vec![
            format!("bench    {} {}", self.bench, settings.join(" ")),
            format!("machine  {} × {}, Linux {}", machine.cores, machine.cpu, machine.kernel),
        ];
        let width = self.figures.keys().map(String::len).max().unwrap_or(0);
        let row = |(name, value): (&String, &Value)| {
            format!("{:width$}  {:>12}", name.replace('_', " "), value.to_string())
        };
        lines.extend(self.figures.iter().map(row));
        if machine.debug_build {
            lines.push("warning  this is a debug build; its figures mean nothing".into());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_keep_four_digits() {
        let figures = Figures::new("ids", json!({}), Machine::here(None))
            .with("small_ns", 0.123_456)
            .with("large_per_second", 12_345_678.9)
            .with("none", f64::NAN);
        assert_eq!(figures.figures["small_ns"], json!(0.1235));
        assert_eq!(figures.figures["large_per_second"], json!(12_345_679.0));
        assert_eq!(figures.figures["none"], Value::Null);
    }
}
