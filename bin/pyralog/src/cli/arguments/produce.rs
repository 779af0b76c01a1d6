//! `pyralog produce` as it is typed.

use super::{OutputFlag, ServerFlags};
use clap::Args;
use std::path::PathBuf;

/// `pyralog produce`
#[derive(Debug, Args)]
pub struct ProduceArguments {
    /// The log
    pub log: String,
    /// File with a record per line, '-' for standard input; .zst and .gz are unpacked
    #[arg(default_value = "-")]
    pub file: PathBuf,
    /// CSV file, or '-': a row becomes a JSON object, its fields named by the first row
    #[arg(long, value_name = "FILE", group = "document", conflicts_with = "file")]
    pub csv: Option<PathBuf>,
    /// File, or '-', with a JSON object a line or an array of them; kept as they are written
    #[arg(long, value_name = "FILE", group = "document", conflicts_with = "file")]
    pub json: Option<PathBuf>,
    /// Column or field that is the key of a record
    #[arg(long, value_name = "COLUMN", requires = "document")]
    pub key: Option<String>,
    /// What separates key from value in a line; without it lines have no keys
    #[arg(long, value_name = "C", conflicts_with = "document")]
    pub key_separator: Option<String>,
    /// Text that stands for null, such as NA; may be repeated. An empty field always does
    #[arg(long = "null", value_name = "TEXT", requires = "csv", conflicts_with = "json")]
    pub nulls: Vec<String>,
    /// Names of the columns, when the first row has none
    #[arg(
        long,
        value_name = "A,B,…",
        requires = "csv",
        conflicts_with = "json",
        value_delimiter = ','
    )]
    pub columns: Option<Vec<String>>,
    /// What separates fields: one character, or 'tab'
    #[arg(long, value_name = "C", value_parser = delimiter)]
    #[arg(requires = "csv", conflicts_with = "json")]
    pub delimiter: Option<u8>,
    /// Make the log if it is not there
    #[arg(long)]
    pub create: bool,
    /// Partitions of the log that is made
    #[arg(long, value_name = "N", requires = "create")]
    pub partitions: Option<u32>,
    /// Schema of the log that is made: 'a TEXT, b BIGINT', or @FILE
    #[arg(long, value_name = "COLUMNS", requires = "create", allow_hyphen_values = true)]
    pub schema: Option<String>,
    /// Give the log that is made a schema that fits the first 1,000 rows
    #[arg(long, requires_all = ["create", "csv"], conflicts_with_all = ["schema", "json"])]
    pub infer_schema: bool,
    /// Leave out so many rows at the beginning, as an interrupted run advises
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub skip_rows: u64,
    /// Leave out what is no record, and say how many, instead of stopping there
    #[arg(long)]
    pub skip_invalid: bool,
    /// Partition for every record; by key, else in turn, when not given
    #[arg(long, value_name = "N")]
    pub partition: Option<u32>,
    /// No progress bar
    #[arg(long)]
    pub quiet: bool,
    /// Which server.
    #[command(flatten)]
    pub server: ServerFlags,
    /// How to print the result.
    #[command(flatten)]
    pub output: OutputFlag,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if matches!(text, "tab" | "\\t") => Ok(b'\t'),
        [b'"' | b'\n' | b'\r'] => Err("a quote or the end of a line cannot separate fields".into()),
        [one] if one.is_ascii() => Ok(*one),
        _ => Err("expected one ASCII character, or 'tab'".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_one_byte() {
        for (text, expect) in [(",", Some(b',')), ("tab", Some(b'\t')), (";", Some(b';'))] {
            assert_eq!(delimiter(text).ok(), expect);
        }
        for text in ["", ";;", "\"", "\n", "ä"] {
            assert!(delimiter(text).is_err(), "{text:?}");
        }
    }
}
