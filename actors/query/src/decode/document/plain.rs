//! The short way through a document: an object whose fields are numbers, words and
//! texts, which nearly all are.
//!
//! What is understood here is JSON, and the same to serde_json. All else is left to
//! serde_json: fields that are objects or lists, names with escapes, and what is no
//! JSON at all. So this has to be right only about what it accepts.

use crate::decode::layout::Layout;

/// Fills in the wanted fields. `None` if the document is not one of the plain ones; then
/// `pieces` may have anything in them.
pub(super) fn read_plain_object<'de>(
    text: &'de str,
    layout: &mut Layout,
    pieces: &mut [Option<&'de str>],
) -> Option<()> {
    let bytes = text.as_bytes();
    let mut at = expect(bytes, 0, b'{')?;
    for place in 0.. {
        at = skip_blanks(bytes, at);
        let (column, begin) = match guessed(bytes, at, layout, place) {
            Some(found) => found,
            None => looked_up(text, at, layout, place)?,
        };
        let end = value_end(bytes, begin)?;
        if let Some(column) = column {
            pieces[column] = Some(&text[begin..end]);
        }
        at = skip_blanks(bytes, end) + 1;
        match bytes[at - 1..].first()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    (skip_blanks(bytes, at) == bytes.len()).then_some(())
}

/// The column of the field at `at` and where its value begins, if it is the field that
/// was at this place in the last document.
fn guessed(
    bytes: &[u8],
    at: usize,
    layout: &Layout,
    place: usize,
) -> Option<(Option<usize>, usize)> {
    let (head, column) = layout.guess(place)?;
    let here = bytes.get(at..at + head.len())?;
    is_same(here, head).then(|| (column, skip_blanks(bytes, at + head.len())))
}

/// The same of any field.
fn looked_up(
    text: &str,
    at: usize,
    layout: &mut Layout,
    place: usize,
) -> Option<(Option<usize>, usize)> {
    let bytes = text.as_bytes();
    let begin = expect(bytes, at, b'"')?;
    let end = text_end(bytes, begin)?;
    let name = &text[begin..end - 1];
    let colon = expect(bytes, end, b':')?;
    (!name.contains('\\')).then(|| (layout.column(place, name), skip_blanks(bytes, colon)))
}

/// Names are short: eight bytes at a time are faster than a call that compares any.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (ones, others) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    ones.0 == others.0 && ones.1.iter().eq(others.1)
}

/// Past this byte, which blanks may stand before.
fn expect(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = skip_blanks(bytes, at);
    (*bytes.get(at)? == byte).then_some(at + 1)
}

fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// Past the value that begins at `at`.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    let word = |word: &[u8]| bytes[at..].starts_with(word).then_some(at + word.len());
    match bytes.get(at)? {
        b'"' => text_end(bytes, at + 1),
        b'-' => number_end(bytes, at + 1),
        b'0'..=b'9' => number_end(bytes, at),
        b'n' => word(b"null"),
        b't' => word(b"true"),
        b'f' => word(b"false"),
        _ => None,
    }
}

/// Past the quote of a text whose inside begins at `at`.
fn text_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            // Not `\u`: which of those are texts is a long story.
            b'\\' => match bytes.get(at + 1)? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                _ => return None,
            },
            0..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// Past a number whose first digit is at `at`.
fn number_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = digits_end(bytes, at)?;
    if bytes[at] == b'0' && end > at + 1 {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        end = digits_end(bytes, end + 1)?;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        end = digits_end(bytes, end + 1 + sign)?;
    }
    Some(end)
}

/// Past one digit and all that follow it.
fn digits_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut end = at;
    while bytes.get(end).is_some_and(u8::is_ascii_digit) {
        end += 1;
    }
    (end > at).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::super::read_object_in_full;
    use super::*;
    use proptest::prelude::*;

    /// What the short way says of a document, held against serde_json's word; true if
    /// it went that way.
    fn agrees(document: &str, layout: &mut Layout) -> bool {
        let (mut plain, mut full) = ([None; 3], [None; 3]);
        let mut other = Layout::new(["a", "b", "long_name"].into_iter());
        let went = read_plain_object(document, layout, &mut plain).is_some();
        let is_object = read_object_in_full(document, &mut other, &mut full);
        assert!(!went || is_object, "{document:?} is no object");
        assert!(!went || plain == full, "{document:?}: {plain:?}, not {full:?}");
        went
    }

    #[test]
    fn plain_documents_go_the_short_way_and_others_do_not() {
        let mut layout = Layout::new(["a", "b", "long_name"].into_iter());
        let plain = [
            r#"{"a":1,"b":"x","long_name":null}"#,
            r#"{"a":-0.5e+3,"b":"","long_name":true}"#,
            "{ \"a\" : 1 ,\n\t\"b\" : \"\\\"\\n\", \"long_name\" : 0 } ",
            r#"{"long_name":"last","c":12,"long_name":"first"}"#,
            r#"{"é":"ü","a":0}"#,
        ];
        for document in plain.iter().chain(&plain) {
            assert!(agrees(document, &mut layout), "{document}");
        }
        let others = [
            "",
            "{}",
            "[]",
            "null",
            "{\"a\":1",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":-}",
            "{\"a\":1e}",
            "{\"a\":.5}",
            "{\"a\":nul}",
            "{\"a\":1}}",
            "{\"a\":1} x",
            "{\"a\" 1}",
            "{a:1}",
            "{\"a\":\"\u{1}\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u00e9\"}",
            "{\"a\":[1]}",
            "{\"\\u0061\":1}",
            "{\"a\":{}}",
            "{\"a\":+1}",
            "{\"a\":\"",
            "{\"a\":truex}",
            "{\"a",
        ];
        for document in others.iter().chain(&others) {
            assert!(!agrees(document, &mut layout), "{document}");
        }
    }

    #[test]
    fn a_name_that_needs_escapes_is_never_guessed() {
        let name = "a\",\"b";
        let mut layout = Layout::new([name].into_iter());
        layout.column(0, name);
        let mut piece = [None];
        assert_eq!(read_plain_object("{\"a\",\"b\":1}", &mut layout, &mut piece), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_serde_json_agrees(
            documents in prop::collection::vec("[{}\\[\\]\",:ab01.eE+\\\\ tn-]{0,24}", 1..6),
        ) {
            let mut layout = Layout::new(["a", "b", "long_name"].into_iter());
            for document in &documents {
                agrees(document, &mut layout);
            }
        }

        #[test]
        fn documents_with_a_mutated_byte_are_no_exception(
            values in prop::collection::vec("(-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,2})?|\"[a-z]{0,9}\"|null|true)", 3),
            at in 0..60_usize,
            byte in 0x20..0x7f_u8,
        ) {
            let document = format!("{{\"a\":{},\"long_name\":{},\"b\": {}}}", values[0], values[1], values[2]);
            let mut layout = Layout::new(["a", "b", "long_name"].into_iter());
            prop_assert!(agrees(&document, &mut layout));
            let mut mutant = document.into_bytes();
            let at = at % mutant.len();
            mutant[at] = byte;
            agrees(&String::from_utf8(mutant).unwrap(), &mut layout);
        }
    }
}
