//! Which column a field of a document belongs to.
//!
//! Documents of one log look alike: the fields of the next one most often come in
//! the order of the last. So the field at the same place is guessed first, which
//! costs one comparison; only a wrong guess is looked up by hash.

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};
use std::collections::HashMap;
use std::fmt;

/// Guesses that are kept: a document of more fields is looked up from there on.
const GUESSES_MAX: usize = 2_000;

/// A field seen at a place of the last document.
#[derive(Debug, Default)]
struct Guess {
    name: String,
    /// The name as most documents write it, `"name":`; empty if it needs escapes.
    head: String,
    column: Option<usize>,
}

/// The wanted fields, and the shape of the last document.
#[derive(Debug)]
pub(super) struct Layout {
    columns: HashMap<String, usize>,
    guesses: Vec<Guess>,
}

impl Layout {
    /// The fields that are wanted, in the order of their columns.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Layout {
        let columns = names.enumerate().map(|(column, name)| (name.to_owned(), column)).collect();
        Layout { columns, guesses: Vec::new() }
    }

    /// What the `place`-th field most likely begins with, and its column.
    pub(super) fn guess(&self, place: usize) -> Option<(&[u8], Option<usize>)> {
        let guess = self.guesses.get(place).filter(|guess| !guess.head.is_empty())?;
        Some((guess.head.as_bytes(), guess.column))
    }

    /// The column of the field `name`, seen as the `place`-th of its document.
    pub(super) fn column(&mut self, place: usize, name: &str) -> Option<usize> {
        if let Some(guess) = self.guesses.get(place)
            && guess.name == name
        {
            return guess.column;
        }
        let column = self.columns.get(name).copied();
        if place == self.guesses.len() && place < GUESSES_MAX {
            self.guesses.push(Guess::default());
        }
        if let Some(guess) = self.guesses.get_mut(place) {
            guess.name.clear();
            guess.name.push_str(name);
            guess.head.clear();
            if !name.contains(|c| matches!(c, '"' | '\\' | '\0'..' ')) {
                guess.head.extend(["\"", name, "\":"]);
            }
            guess.column = column;
        }
        column
    }
}

/// Reads the name of a field as the column it belongs to.
pub(super) struct FieldName<'a> {
    pub(super) layout: &'a mut Layout,
    pub(super) place: usize,
}

impl<'de> DeserializeSeed<'de> for FieldName<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Option<usize>, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldName<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.layout.column(self.place, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_guess_is_looked_up_and_remembered() {
        let mut layout = Layout::new(["a", "b"].into_iter());
        for _ in 0..2 {
            assert_eq!(layout.column(0, "b"), Some(1));
            assert_eq!(layout.column(1, "x"), None);
            assert_eq!(layout.column(2, "a"), Some(0));
        }
        assert_eq!(layout.column(0, "x"), None);
        assert_eq!(layout.column(1, "b"), Some(1));
        // A gap is possible only past the guesses that are kept.
        assert_eq!(layout.column(GUESSES_MAX + 7, "a"), Some(0));
        assert_eq!(layout.guesses.len(), 3);
    }
}
