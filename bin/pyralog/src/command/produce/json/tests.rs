//! Documents in, the same documents out.

use super::*;
use std::io::BufReader;

/// Keys and values, and the lines of what was refused; or why nothing more was read.
type Outcome = Result<(Vec<(String, String)>, Vec<u64>), String>;

/// In pieces of several sizes: a boundary may stand anywhere.
fn read(text: &str, key: Option<&str>) -> Outcome {
    let outcomes: Vec<_> = [1, 2, 3, 7, 4096].map(|pieces| read_in(pieces, text, key)).into();
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
    outcomes.into_iter().next().unwrap()
}

fn read_in(pieces: usize, text: &str, key: Option<&str>) -> Outcome {
    let input = BufReader::with_capacity(pieces, text.as_bytes());
    let mut records = JsonRecords::new(input, key.map(str::to_owned), 1_000);
    let (mut record, mut good, mut refused) = (Record::default(), Vec::new(), Vec::new());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    loop {
        match records.next(&mut record) {
            Ok(true) => {
                let key = record.key().map_or_else(|| "-".to_owned(), text);
                good.push((key, text(&record.value)));
            }
            Ok(false) => return Ok((good, refused)),
            Err(Fault::Invalid { line, .. }) => refused.push(line),
            Err(Fault::Fatal(failure)) => return Err(failure.to_string()),
        }
    }
}

#[track_caller]
fn check(text: &str, expect: &[(&str, &str)], refused: &[u64]) {
    let (good, lines) = read(text, Some("k")).unwrap();
    let good: Vec<_> = good.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!((good, lines), (expect.to_vec(), refused.to_vec()), "{text}");
}

#[test]
fn documents_stay_as_they_are() {
    let odd = r#"{ "k" : 1.10,"n":1e400 ,"s":"\u00e4\/", "a":[1 ,2]}"#;
    check(odd, &[("1.10", odd)], &[]);
    check(&format!("\n  [\n{odd}\n]\n"), &[("1.10", odd)], &[]);
}

#[test]
fn keys_are_texts_numbers_and_booleans() {
    check(
        "{\"k\":\"a\\\"b\"}\n\n{\"k\":007}\n{\"k\":-0.50}\r\n{\"k\":true}\n{\"k\":null}\n{}\n{\"k\":{}}\n",
        &[
            ("a\"b", "{\"k\":\"a\\\"b\"}"),
            ("-0.50", "{\"k\":-0.50}"),
            ("true", "{\"k\":true}"),
            ("-", "{\"k\":null}"),
            ("-", "{}"),
        ],
        &[3, 8],
    );
    check(
        "{\"k\":1,\"x\":{\"k\":2},\"\\u006b\":3}",
        &[("3", "{\"k\":1,\"x\":{\"k\":2},\"\\u006b\":3}")],
        &[],
    );
    assert_eq!(read("{\"k\":1}", None).unwrap().0, [("-".to_owned(), "{\"k\":1}".to_owned())]);
}

#[test]
fn what_is_no_object_has_its_line() {
    check("1\n{}\n\"a\"\n{\"a\":}\n{} {}\n[1]\n{\n", &[("-", "{}")], &[1, 3, 4, 5, 6, 7]);
    check("[1,\n {}, \"],\",\n[{}],\nnull]", &[("-", "{}")], &[1, 2, 3, 4]);
}

#[test]
fn arrays_are_cut_where_they_should_be() {
    check("[]", &[], &[]);
    check(" [ ] \n", &[], &[]);
    let tricky = r#"{"a":"}],[{\"\\","k":"\\"}"#;
    check(&format!("[{tricky},{tricky}]"), &[("\\", tricky), ("\\", tricky)], &[]);
    check("[{\"k\":[\n]},\n{\n\"k\":2}]", &[("2", "{\n\"k\":2}")], &[1]);
    for (bad, says) in [
        ("[{}", "line 1: the array is not closed"),
        ("[{},\n]", "line 2: a comma, and no document"),
        ("[]\n{}", "line 2: something stands behind"),
        ("[{}]]", "something stands behind"),
        ("[", "the array is not closed"),
    ] {
        let said = read(bad, None).unwrap_err();
        assert!(said.contains(says), "{bad}: {said}");
    }
    check("[,{}]", &[("-", "{}")], &[1]);
}

#[test]
fn a_document_without_end_is_not_kept() {
    for text in [format!("[\"{}", "x".repeat(5_000)), format!("{{\"{}", "x".repeat(5_000))] {
        assert!(read(&text, None).unwrap_err().contains("longer than 1000 bytes"));
    }
}
