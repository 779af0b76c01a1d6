//! Defaults, then file, then environment, then flags.

use super::value::{Raw, Value};
use super::{ConfigError, KEYS, Key, Place, Section, file};
use pyralog_directory::Roles;
use std::fmt;
use std::path::{Path, PathBuf};

/// Which layer spoke last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody: the built-in value.
    Default,
    /// `pyralog dev`, whose defaults suit trying things out.
    Dev,
    /// A file, with the line.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
    /// A flag, with its dashes.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::Dev => f.write_str("dev"),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Variable(name) => f.write_str(name),
            Origin::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One key with its value and who set it.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The key.
    pub key: &'static Key,
    /// Its value.
    pub value: Value,
    /// The value as it was given: `1GB` stays `1GB`.
    pub given: String,
    /// Who set it.
    pub origin: Origin,
}

/// Every key with its value, in the order of [`KEYS`].
#[derive(Debug, Clone)]
pub struct Configuration {
    settings: Vec<Setting>,
}

/// Where the layers come from. Everything is passed in, so that tests need no
/// process environment.
#[derive(Debug, Default)]
pub struct Layers {
    /// Use the defaults of `pyralog dev`.
    pub dev: bool,
    /// A configuration file.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Flags that set a key: key name, value. The key is that of the section
    /// that names a node of `roles`, or else of `[obelisk]` if it is one too.
    pub flags: Vec<(&'static str, String)>,
    /// What the node does.
    pub roles: Roles,
}

/// What `dev` sets differently, below every layer that a person wrote.
const DEV: &[(&str, &str)] = &[("auto_create_logs", "true")];

impl Layers {
    /// Puts the layers on top of each other.
    pub fn read(&self) -> Result<Configuration, ConfigError> {
        let mut configuration = Configuration::defaults();
        if self.dev {
            for (name, text) in DEV {
                let key = Key::find(Section::Pyramid, name).expect("dev names keys of the table");
                configuration.put_text(key, text, Origin::Dev, Place::Whole)?;
            }
        }
        if let Some(path) = &self.file {
            configuration.put_file(path)?;
        }
        for (name, text) in &self.environment {
            if let Some(key) = key_of_variable(name)? {
                let place = Place::Variable(name.clone());
                configuration.put_text(key, text, Origin::Variable(name.clone()), place)?;
            }
        }
        for (name, text) in &self.flags {
            let flag = format!("--{}", name.replace('_', "-"));
            let key = self.key_of_flag(name)?;
            configuration.put_text(key, text, Origin::Flag(flag.clone()), Place::Flag(flag))?;
        }
        Ok(configuration)
    }

    /// The key that a flag sets for a node of these roles.
    fn key_of_flag(&self, name: &str) -> Result<&'static Key, ConfigError> {
        let own = Section::of(self.roles);
        let also = (self.roles.obelisk && own == Section::Pyramid).then_some(Section::Obelisk);
        let found = [Some(own), also].into_iter().flatten().find_map(|s| Key::find(s, name));
        found.ok_or_else(|| {
            let flag = format!("--{}", name.replace('_', "-"));
            let role = if self.roles.obelisk { "an Obelisk" } else { "a Pyramid" };
            let what = format!("{flag} sets nothing of {role}");
            let error = ConfigError::new(what, Place::Flag(flag));
            match name {
                "link_addr" => error.help("where other nodes reach an Obelisk is --listen-addr"),
                _ => error.help("leave it out, or give the other role to --role as well"),
            }
        })
    }
}

impl Configuration {
    /// Every setting, in the order of the documentation.
    pub fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// One setting. The key must be one of the table.
    pub fn get(&self, section: Section, name: &str) -> &Setting {
        self.settings
            .iter()
            .find(|setting| setting.key.section == section && setting.key.name == name)
            .expect("every key of the table has a setting")
    }

    fn defaults() -> Configuration {
        let setting = |key: &'static Key| Setting {
            key,
            value: Value::read(key.kind, &Raw::Text(key.default.to_owned()))
                .expect("defaults are good values"),
            given: key.default.to_owned(),
            origin: Origin::Default,
        };
        Configuration { settings: KEYS.iter().map(setting).collect() }
    }

    fn put(&mut self, key: &'static Key, value: Value, given: String, origin: Origin) {
        let at = KEYS
            .iter()
            .position(|known| std::ptr::eq(known, key))
            .expect("keys come from the table");
        self.settings[at] = Setting { key, value, given, origin };
    }

    fn put_text(
        &mut self,
        key: &'static Key,
        text: &str,
        origin: Origin,
        place: Place,
    ) -> Result<(), ConfigError> {
        let value = Value::read(key.kind, &Raw::Text(text.to_owned())).map_err(|why| {
            ConfigError::new(format!("'{}' cannot be '{text}': {why}", key.name), place)
        })?;
        self.put(key, value, text.to_owned(), origin);
        Ok(())
    }

    fn put_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let source = std::fs::read_to_string(path).map_err(|error| {
            ConfigError::new(
                format!("cannot read {}: {error}", path.display()),
                Place::Flag("--config".into()),
            )
        })?;
        for entry in file::parse(path, &source)? {
            self.put(
                entry.key,
                entry.value,
                entry.given,
                Origin::File(path.to_owned(), entry.line),
            );
        }
        Ok(())
    }
}

/// The key a variable names; `None` for variables that are none of ours.
fn key_of_variable(name: &str) -> Result<Option<&'static Key>, ConfigError> {
    if !Section::ALL
        .iter()
        .any(|section| name.starts_with(&format!("PYRALOG_{section}_").to_uppercase()))
    {
        return Ok(None);
    }
    match KEYS.iter().find(|key| key.variable() == name) {
        Some(key) => Ok(Some(key)),
        None => {
            let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
            Err(ConfigError::new(format!("{name} sets no key"), Place::Variable(name.to_owned()))
                .did_you_mean(name, known.iter().map(String::as_str)))
        }
    }
}

#[cfg(test)]
#[path = "layers/tests.rs"]
mod tests;
