//! What is printed of a file: what it is, its rows with the damage between them,
//! and a summary.
//!
//! Documents are written as they come, row by row: a segment has a million. A table
//! has to know how wide its columns are and is kept until its end, which is why it
//! shows only so many rows.

use super::cell::{Cell, Fields};
use crate::cli::{InspectArguments, InspectFormat};
use crate::failure::Failure;
use crate::output;
use pyralog_model::Damage;
use serde_json::json;
use std::io::{BufWriter, Stdout, Write};
use std::path::Path;

/// Rows of a table when nobody says how many.
const TABLE_ROWS: u64 = 100;

/// Where everything goes.
pub struct Output {
    format: InspectFormat,
    limit: u64,
    files: u64,
    out: BufWriter<Stdout>,
}

/// One file on its way out.
pub struct Sheet<'a> {
    output: &'a mut Output,
    rows: Vec<Fields>,
    written: u64,
    skipped: u64,
    damages: Vec<Damage>,
}

impl Output {
    /// The beginning of what is printed.
    pub fn begin(arguments: &InspectArguments) -> Result<Output, Failure> {
        let format = arguments.format;
        let most = if format == InspectFormat::Table { TABLE_ROWS } else { u64::MAX };
        let out = BufWriter::with_capacity(64 << 10, std::io::stdout());
        let limit = arguments.limit.unwrap_or(most);
        let mut output = Output { format, limit, files: 0, out };
        if format == InspectFormat::Json {
            write!(output.out, "[")?;
        }
        Ok(output)
    }

    /// Begins a file: what it is and what its header says.
    pub fn file(
        &mut self,
        path: &Path,
        what: &'static str,
        header: Fields,
    ) -> Result<Sheet<'_>, Failure> {
        let name = path.display().to_string();
        self.separate()?;
        match self.format {
            InspectFormat::Table => {
                writeln!(self.out, "{name}: {what}")?;
                for (name, text) in header.shown() {
                    writeln!(self.out, "  {name:16} {text}")?;
                }
            }
            InspectFormat::Json => {
                let (name, what) = (json!(name), json!(what));
                write!(self.out, "{{\"file\":{name},\"what\":{what},\"header\":")?;
                write!(self.out, "{},\"rows\":[", text(&header)?)?;
            }
            InspectFormat::Ndjson => {
                let mut line = vec![
                    ("type", Cell::new("file")),
                    ("file", Cell::new(name)),
                    ("what", Cell::new(what)),
                ];
                line.extend(header.0);
                self.line(&Fields(line))?;
            }
        }
        Ok(Sheet { output: self, rows: Vec::new(), written: 0, skipped: 0, damages: Vec::new() })
    }

    /// A file that could not be gone through.
    pub fn failed(&mut self, path: &Path, failure: &Failure) -> Result<(), Failure> {
        let fields = vec![
            ("file", Cell::new(path.display().to_string())),
            ("error", Cell::new(failure.to_string())),
        ];
        match self.format {
            InspectFormat::Table => Ok(()),
            InspectFormat::Json => {
                self.separate()?;
                Ok(write!(self.out, "{}", text(&Fields(fields))?)?)
            }
            InspectFormat::Ndjson => {
                let line = [vec![("type", Cell::new("error"))], fields].concat();
                self.line(&Fields(line))
            }
        }
    }

    /// The end of what is printed.
    pub fn end(mut self) -> Result<(), Failure> {
        if self.format == InspectFormat::Json {
            writeln!(self.out, "]")?;
        }
        Ok(self.out.flush()?)
    }

    fn separate(&mut self) -> Result<(), Failure> {
        match self.format {
            InspectFormat::Table if self.files > 0 => writeln!(self.out)?,
            InspectFormat::Json if self.files > 0 => write!(self.out, ",")?,
            _ => {}
        }
        self.files += 1;
        Ok(())
    }

    fn line(&mut self, fields: &Fields) -> Result<(), Failure> {
        let text = text(fields)?;
        Ok(writeln!(self.out, "{text}")?)
    }
}

impl Sheet<'_> {
    /// A row. All rows of a file have the same names, and the last one says if it is
    /// sound.
    pub fn row(&mut self, kind: &'static str, fields: Fields) -> Result<(), Failure> {
        if self.written + self.rows.len() as u64 >= self.output.limit {
            self.skipped += 1;
            return Ok(());
        }
        self.put(kind, fields)
    }

    /// A damaged place, shown between the rows around it.
    pub fn damage(&mut self, damage: &Damage) -> Result<(), Failure> {
        let Damage { position, end, expected, found } = damage;
        let state = format!("DAMAGED to byte {end}: expected {expected}, found {found}");
        self.damages.push(damage.clone());
        if self.output.format == InspectFormat::Table {
            let fields = vec![("position", Cell::new(*position)), ("state", Cell::new(state))];
            self.rows.push(Fields(fields));
            return Ok(());
        }
        if self.output.format == InspectFormat::Ndjson {
            let fields = vec![
                ("type", Cell::new("damage")),
                ("position", Cell::new(*position)),
                ("end", Cell::new(*end)),
                ("expected", Cell::new(expected.as_str())),
                ("found", Cell::new(found.as_str())),
            ];
            self.output.line(&Fields(fields))?;
        }
        Ok(())
    }

    fn put(&mut self, kind: &'static str, fields: Fields) -> Result<(), Failure> {
        match self.output.format {
            InspectFormat::Table => self.rows.push(fields),
            InspectFormat::Json => {
                let comma = if self.written > 0 { "," } else { "" };
                write!(self.output.out, "{comma}{}", text(&fields)?)?;
                self.written += 1;
            }
            InspectFormat::Ndjson => {
                let line = [vec![("type", Cell::new(kind))], fields.0].concat();
                self.output.line(&Fields(line))?;
                self.written += 1;
            }
        }
        Ok(())
    }

    /// The end of the file; how many damaged places it has.
    pub fn end(mut self, mut summary: Fields) -> Result<u64, Failure> {
        let damages = self.damages.len() as u64;
        summary.0.push(("damaged_places", Cell::new(damages)));
        match self.output.format {
            InspectFormat::Table => {
                self.table()?;
                let parts: Vec<String> = summary
                    .shown()
                    .map(|(name, text)| format!("{} {text}", name.replace('_', " ")))
                    .collect();
                writeln!(self.output.out, "{}", parts.join(", "))?;
            }
            InspectFormat::Json => {
                let damages = serde_json::to_string(&self.damages).map_err(Failure::failed)?;
                let summary = text(&summary)?;
                write!(self.output.out, "],\"damage\":{damages},\"summary\":{summary}}}")?;
            }
            InspectFormat::Ndjson => {
                let line = [vec![("type", Cell::new("summary"))], summary.0].concat();
                self.output.line(&Fields(line))?;
            }
        }
        Ok(damages)
    }

    /// The rows as a table whose columns are those of the first whole row; damage
    /// has a position and a state only.
    fn table(&mut self) -> Result<(), Failure> {
        let rows = std::mem::take(&mut self.rows);
        let widest = rows.iter().max_by_key(|row| row.0.len());
        let Some(widest) = widest else { return Ok(()) };
        let mut head: Vec<&str> = widest.shown().map(|(name, _)| name).collect();
        if !self.damages.is_empty() && !head.contains(&"state") {
            head.push("state");
        }
        if !self.damages.is_empty() && !head.contains(&"position") {
            head.insert(0, "position");
        }
        let is_number = |name: &str| {
            rows.iter()
                .flat_map(|row| &row.0)
                .all(|(of, cell)| *of != name || cell.value.is_number() || cell.value.is_null())
        };
        let right: Vec<usize> = (0..head.len()).filter(|at| is_number(head[*at])).collect();
        let cells = rows.iter().map(|row| {
            let text = |name: &&str| {
                row.shown().find(|(of, _)| of == name).map_or("", |(_, text)| text).to_owned()
            };
            head.iter().map(text).collect()
        });
        let table = output::table(&head, &right, cells);
        writeln!(self.output.out)?;
        for line in table.lines() {
            writeln!(self.output.out, "{}", line.trim_end())?;
        }
        if self.skipped > 0 {
            writeln!(self.output.out, "… and {} more: --limit N shows them", self.skipped)?;
        }
        Ok(writeln!(self.output.out)?)
    }
}

fn text(fields: &Fields) -> Result<String, Failure> {
    serde_json::to_string(fields).map_err(Failure::failed)
}
