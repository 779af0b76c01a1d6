//! Documents and fields: what each type makes of each kind of JSON.

use super::*;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Field, Int64Type, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use proptest::prelude::*;
use pyralog_model::ColumnKind;
use std::sync::Arc;

const NULL: &str = "NULL";

/// Row by row, and how many fields were coerced to NULL.
fn decode(schema: &str, values: &[Option<&[u8]>]) -> (Vec<Vec<String>>, u64) {
    let schema: pyralog_model::Schema = schema.parse().unwrap();
    let columns: Vec<&Column> = schema.columns.iter().collect();
    let mut decoder = DocumentDecoder::new(&columns);
    let coerced = values.iter().map(|value| decoder.push(*value)).sum();
    let arrays = decoder.finish();
    let options = FormatOptions::default().with_null(NULL);
    let shown: Vec<ArrayFormatter<'_>> =
        arrays.iter().map(|array| ArrayFormatter::try_new(array, &options).unwrap()).collect();
    let row = |row| shown.iter().map(|column| column.value(row).to_string()).collect();
    ((0..values.len()).map(row).collect(), coerced)
}

/// One field `a` of a type: what is shown of it. NULL for `!`, which is counted.
#[track_caller]
fn check(kind: &str, cases: &[(&str, &str)]) {
    for (json, expect) in cases {
        let document = format!("{{\"a\": {json}}}");
        let (rows, coerced) = decode(&format!("a {kind}"), &[Some(document.as_bytes())]);
        let (shown, counted) = if *expect == "!" { (NULL, 1) } else { (*expect, 0) };
        assert_eq!((rows[0][0].as_str(), coerced), (shown, counted), "{kind} from {json}");
    }
}

#[test]
fn whole_numbers() {
    check(
        "BIGINT",
        &[
            ("3", "3"),
            ("-3", "-3"),
            ("\"3\"", "3"),
            ("\" +3 \"", "3"),
            ("3.0", "3"),
            ("1e3", "1000"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "!"),
            ("9007199254740993.0", "9007199254740993"),
            ("null", NULL),
            ("3.5", "!"),
            ("\"\"", "!"),
            ("\"NA\"", "!"),
            ("true", "!"),
            ("[3]", "!"),
            ("{}", "!"),
            ("1e400", "!"),
        ],
    );
    check(
        "SMALLINT",
        &[("32767", "32767"), ("32768", "!"), ("-32768.0", "-32768"), ("1e4", "10000")],
    );
    check("INTEGER", &[("-2147483648", "-2147483648"), ("2147483648", "!"), ("\"7\"", "7")]);
}

#[test]
fn numbers_with_a_point() {
    check(
        "DOUBLE",
        &[
            ("3", "3.0"),
            ("0.1", "0.1"),
            ("\"-2.5\"", "-2.5"),
            ("1e400", "!"),
            ("\"1e400\"", "!"),
            ("\"NaN\"", "NaN"),
            ("\"-Infinity\"", "-inf"),
            ("\"x\"", "!"),
            ("false", "!"),
            ("1e-400", "0.0"),
        ],
    );
    check("REAL", &[("0.5", "0.5"), ("1e39", "!"), ("16777217", "16777216.0")]);
    check(
        "DECIMAL(5, 2)",
        &[
            ("1.5", "1.50"),
            ("999.99", "999.99"),
            ("1000", "!"),
            ("1.005", "!"),
            ("1.0500", "1.05"),
            ("\"-0.01\"", "-0.01"),
            ("1e2", "100.00"),
            ("\"1,5\"", "!"),
            ("true", "!"),
            ("[]", "!"),
        ],
    );
    check(
        "DECIMAL(38, 0)",
        &[
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("123456789012345678901234567890123456789", "!"),
        ],
    );
}

#[test]
fn text_truth_and_time() {
    check(
        "TEXT",
        &[
            ("\"a\\n\\u00e9\\\"\"", "a\né\""),
            ("1.50", "1.50"),
            ("1e400", "1e400"),
            ("true", "true"),
            ("{\"b\": [1, null]}", "{\"b\": [1, null]}"),
            ("[ 1 ]", "[ 1 ]"),
            ("\"\"", ""),
            ("\"null\"", "null"),
            ("\"\\ud800\"", "!"),
            ("null", NULL),
        ],
    );
    check(
        "BOOLEAN",
        &[
            ("true", "true"),
            ("\"False\"", "false"),
            ("1", "true"),
            ("\"0\"", "false"),
            ("2", "!"),
            ("\"yes\"", "!"),
            ("[]", "!"),
            ("null", NULL),
        ],
    );
    check(
        "TIMESTAMP",
        &[
            ("\"2013-01-01T05:00:00Z\"", "2013-01-01T05:00:00"),
            ("\" 2013-01-01 05:00:00.25-01:00 \"", "2013-01-01T06:00:00.250"),
            ("1357016400000", "2013-01-01T05:00:00"),
            ("1357016400000.5", "2013-01-01T05:00:00.000500"),
            ("-1", "1969-12-31T23:59:59.999"),
            ("1e30", "!"),
            ("\"soon\"", "!"),
            ("true", "!"),
            ("\"1357016400000\"", "!"),
            ("{}", "!"),
        ],
    );
    check(
        "DATE",
        &[
            ("\"2013-01-31\"", "2013-01-31"),
            ("\"2013-01-31T23:00:00-02:00\"", "2013-02-01"),
            ("\"2013-02-30\"", "!"),
            ("15706", "!"),
        ],
    );
}

#[test]
fn what_is_no_object_is_null_in_every_column_and_counted_once() {
    let odd: [&[u8]; 12] = [
        b"",
        b"3",
        b"null",
        b"[{\"a\":1}]",
        b"{\"a\":1",
        b"{\"a\":1}}",
        b"{\"a\":1} x",
        b"{\"a\" 1}",
        b"{a:1}",
        b"{\"a\":1,\"b\":tru}",
        b"{\"a\":1,\"b\":\"\xff\"}",
        b"{\"a\":1,\"z\":01}",
    ];
    for value in odd {
        let (rows, coerced) = decode("a BIGINT, b TEXT", &[Some(value)]);
        assert_eq!((rows[0].clone(), coerced), (vec![NULL.into(), NULL.into()], 1), "{value:?}");
    }
    // No value is a mark of deletion, not a mistake.
    assert_eq!(decode("a BIGINT", &[None]), (vec![vec![NULL.into()]], 0));
}

#[test]
fn fields_are_found_in_any_order_and_the_last_of_a_name_counts() {
    let values: [&[u8]; 6] = [
        br#"{"a": 1, "b": "x", "zz": {"a": 9}}"#,
        br#" { "b" : "y" , "a" : 2 } "#,
        br#"{"a": 3, "a": "bad", "a": 4}"#,
        br#"{"a": 5, "b": "z", "a": "bad"}"#,
        br#"{"\u0061": 6, "B": "no"}"#,
        br#"{}"#,
    ];
    let (rows, coerced) = decode("a BIGINT, b TEXT", &values.map(Some));
    let expect = [["1", "x"], ["2", "y"], ["4", NULL], [NULL, "z"], ["6", NULL], [NULL, NULL]];
    assert_eq!(rows, expect.map(|row| row.map(str::to_owned).to_vec()));
    assert_eq!(coerced, 1);
}

#[test]
fn deep_values_do_not_reach_the_end_of_the_stack() {
    let deep =
        format!("{{\"x\": {0}{1}, \"a\": {0}{1}}}", "[".repeat(200_000), "]".repeat(200_000));
    let (rows, coerced) = decode("a TEXT", &[Some(deep.as_bytes())]);
    assert_eq!((rows[0][0].len(), coerced), (400_000, 0));
}

#[test]
fn columns_have_the_types_of_the_schema() {
    let kinds = "a BOOLEAN, b SMALLINT, c INTEGER, d BIGINT, e REAL, f DOUBLE, g TEXT, h DATE, \
                 i TIMESTAMP, j DECIMAL(9, 3)";
    let schema: pyralog_model::Schema = kinds.parse().unwrap();
    let columns: Vec<&Column> = schema.columns.iter().collect();
    let mut decoder = DocumentDecoder::new(&columns);
    decoder.push(Some(b"{}"));
    let table = crate::columns::table_schema(Some(&schema));
    let own: Vec<Arc<Field>> = table.fields()[8..].to_vec();
    assert!(RecordBatch::try_new(Arc::new(Schema::new(own)), decoder.finish()).is_ok());
}

#[test]
fn one_field_is_found_without_a_schema() {
    assert_eq!(json_field(br#"{"a": 1, "b": [2]}"#, "b"), Some("[2]"));
    assert_eq!(json_field(br#"{"a": 1}"#, "b"), None);
    assert_eq!(json_field(b"junk", "b"), None);
}

proptest! {
    /// serde_json's tree is the judge of what the fields are.
    #[test]
    fn integers_agree_with_a_tree(fields in proptest::collection::vec(("[abz]", any::<Option<i64>>()), 0..8)) {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, number)| format!("\"{name}\": {}", number.map_or("null".into(), |n| n.to_string())))
            .collect();
        let document = format!("{{{}}}", fields.join(", "));
        let tree: serde_json::Value = serde_json::from_str(&document).unwrap();
        let columns = [("a", ColumnKind::BigInt), ("b", ColumnKind::BigInt)]
            .map(|(name, kind)| Column { name: name.to_owned(), kind });
        let mut decoder = DocumentDecoder::new(&[&columns[0], &columns[1]]);
        // Twice: the second time the layout guesses.
        decoder.push(Some(document.as_bytes()));
        decoder.push(Some(document.as_bytes()));
        for (array, name) in decoder.finish().iter().zip(["a", "b"]) {
            let array = array.as_primitive::<Int64Type>();
            for row in 0..2 {
                let found = array.is_valid(row).then(|| array.value(row));
                prop_assert_eq!(found, tree[name].as_i64());
            }
        }
    }

    #[test]
    fn nothing_panics(value in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = decode("a BIGINT, b TEXT, c TIMESTAMP, d DECIMAL(5, 2)", &[Some(&value)]);
    }
}
