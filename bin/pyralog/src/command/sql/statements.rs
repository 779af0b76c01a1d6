//! Where one statement ends and the next begins: at a `;` that stands outside of
//! quotes and comments.

/// The statements of a text, without their `;` and without empty ones.
pub fn split(text: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let (mut begin, mut blank) = (0, true);
    for (at, piece) in pieces(text) {
        match piece {
            Piece::End => {
                statements.extend(Some(text[begin..at].trim()).filter(|_| !blank));
                (begin, blank) = (at + 1, true);
            }
            Piece::Word | Piece::Open => blank = false,
            Piece::Nothing => {}
        }
    }
    statements.extend(Some(text[begin..].trim()).filter(|_| !blank));
    statements
}

/// Whether a text ends with a statement's end, or has nothing in it: what is typed
/// after that is another one.
pub fn is_complete(text: &str) -> bool {
    let mut complete = true;
    for (_, piece) in pieces(text) {
        match piece {
            Piece::End => complete = true,
            Piece::Word | Piece::Open => complete = false,
            Piece::Nothing => {}
        }
    }
    complete
}

/// What a text is made of, as far as that matters here.
enum Piece {
    /// A `;`.
    End,
    /// Something quoted or a character of a statement.
    Word,
    /// A quote or comment that has no end.
    Open,
    /// White space or a comment.
    Nothing,
}

/// The pieces of a text and where they begin.
fn pieces(text: &str) -> Pieces<'_> {
    Pieces { text, at: 0 }
}

struct Pieces<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Pieces<'_> {
    type Item = (usize, Piece);

    fn next(&mut self) -> Option<(usize, Piece)> {
        let (begin, rest) = (self.at, &self.text[self.at..]);
        let first = rest.chars().next()?;
        let (length, piece) = match first {
            ';' => (Some(1), Piece::End),
            // A quote that is doubled ends one piece and begins the next.
            '\'' | '"' => (after(rest, 1, &first.to_string()), Piece::Word),
            '-' if rest.starts_with("--") => (after(rest, 2, "\n"), Piece::Nothing),
            '/' if rest.starts_with("/*") => (after(rest, 2, "*/"), Piece::Nothing),
            other if other.is_whitespace() => (Some(other.len_utf8()), Piece::Nothing),
            other => (Some(other.len_utf8()), Piece::Word),
        };
        let is_line = rest.starts_with("--");
        self.at += length.unwrap_or(rest.len());
        let piece = if length.is_none() && !is_line { Piece::Open } else { piece };
        Some((begin, piece))
    }
}

/// The length to the end of `end`, which is looked for from `from` on.
fn after(text: &str, from: usize, end: &str) -> Option<usize> {
    text[from..].find(end).map(|at| from + at + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_where_they_end() {
        for (text, expect) in [
            ("SELECT 1", &["SELECT 1"][..]),
            ("SELECT 1;", &["SELECT 1"]),
            (" SELECT 1 ;\n; SELECT 2\n", &["SELECT 1", "SELECT 2"]),
            ("SELECT ';' ; SELECT \";\"", &["SELECT ';'", "SELECT \";\""]),
            ("SELECT 'it''s; so'; SELECT 2", &["SELECT 'it''s; so'", "SELECT 2"]),
            ("SELECT 1 -- no; end\n+ 2; -- done;", &["SELECT 1 -- no; end\n+ 2"]),
            ("/* a; b */ SELECT 'ž'; /* ; */", &["/* a; b */ SELECT 'ž'"]),
            ("SELECT 'open; end", &["SELECT 'open; end"]),
            ("SELECT 5 - 3 / 2;", &["SELECT 5 - 3 / 2"]),
            (" ; -- nothing\n;", &[]),
            ("", &[]),
        ] {
            assert_eq!(split(text), expect, "{text:?}");
        }
    }

    #[test]
    fn a_statement_is_typed_until_its_end() {
        for (text, complete) in [
            ("", true),
            ("  \n", true),
            ("SELECT 1", false),
            ("SELECT 1;", true),
            ("SELECT 1; -- so", true),
            ("SELECT ';'", false),
            ("SELECT ';", false),
            ("SELECT 1; SELECT", false),
            ("/* open", false),
            ("-- only this", true),
        ] {
            assert_eq!(is_complete(text), complete, "{text:?}");
        }
    }
}
