//! The file layer: TOML with `[pyramid]` and `[obelisk]`, either or both.
//!
//! The spans of every key and value are kept until the value has been
//! understood, so that any mistake is shown with its line and a caret.

use super::value::{Raw, Value};
use super::{ConfigError, KEYS, Key, Place, Section};
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One understood line of a file.
pub struct FileEntry {
    pub key: &'static Key,
    pub value: Value,
    /// The value as it was written, for printing.
    pub given: String,
    /// From 1.
    pub line: usize,
}

/// Understands the whole file, or says what its first mistake is.
pub fn parse(path: &Path, source: &str) -> Result<Vec<FileEntry>, ConfigError> {
    let table = DeTable::parse(source).map_err(|error| {
        let place = Place::in_file(path, source, error.span().unwrap_or(0..0));
        ConfigError::new(format!("the file is not TOML: {}", error.message().trim()), place)
    })?;
    let mut entries = Vec::new();
    for (name, value) in in_order(table.get_ref()) {
        let place = || Place::in_file(path, source, name.span());
        let Some(section) =
            Section::ALL.into_iter().find(|s| s.as_str() == name.get_ref().as_ref())
        else {
            let error =
                ConfigError::new(format!("unknown section or key '{}'", name.get_ref()), place());
            let near = crate::suggest::nearest(name.get_ref(), Section::ALL.map(Section::as_str));
            return Err(match near {
                Some(near) if value.get_ref().is_table() => {
                    error.help(format!("did you mean [{near}]?"))
                }
                _ => error.help("keys stand in [pyramid] or [obelisk]"),
            });
        };
        let Some(keys) = value.get_ref().as_table() else {
            return Err(ConfigError::new(
                format!("'{section}' is a section, written [{section}]"),
                place(),
            ));
        };
        for (name, value) in in_order(keys) {
            entries.push(entry(path, source, section, name, value)?);
        }
    }
    Ok(entries)
}

type Pair<'t, 'i> = (&'t Spanned<std::borrow::Cow<'i, str>>, &'t Spanned<DeValue<'i>>);

/// The parser's table is sorted by name; people read from the top.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<Pair<'t, 'i>> {
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(name, _)| name.span().start);
    pairs
}

fn entry(
    path: &Path,
    source: &str,
    section: Section,
    name: &Spanned<std::borrow::Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
) -> Result<FileEntry, ConfigError> {
    let key_place = Place::in_file(path, source, name.span());
    let name = name.get_ref().as_ref();
    let Some(key) = Key::find(section, name) else {
        let known = KEYS.iter().filter(|key| key.section == section).map(|key| key.name);
        return Err(ConfigError::new(format!("unknown key '{name}' in [{section}]"), key_place)
            .did_you_mean(name, known));
    };
    let value_place = || Place::in_file(path, source, value.span());
    let refused =
        |why: String| ConfigError::new(format!("'{name}' cannot be this: {why}"), value_place());
    let raw =
        raw(value.get_ref()).ok_or_else(|| refused(format!("expected {}", key.kind.expects())))?;
    let Place::File { line, .. } = key_place else {
        unreachable!("in_file makes a place in a file")
    };
    Ok(FileEntry {
        key,
        value: Value::read(key.kind, &raw).map_err(refused)?,
        given: raw.to_string(),
        line,
    })
}

fn raw(value: &DeValue<'_>) -> Option<Raw> {
    match value {
        DeValue::String(text) => Some(Raw::Text(text.to_string())),
        DeValue::Integer(number) if number.radix() == 10 => {
            Some(Raw::Bare(number.as_str().to_owned()))
        }
        DeValue::Boolean(on) => Some(Raw::Bare(on.to_string())),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            items.collect::<Option<_>>().map(Raw::List)
        }
        _ => None,
    }
}

impl std::fmt::Display for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Raw::Text(text) | Raw::Bare(text) => f.write_str(text),
            Raw::List(items) => f.write_str(&items.join(",")),
        }
    }
}
