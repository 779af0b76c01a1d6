//! Rows in, objects out.

use super::*;
use std::io::BufReader;

fn open(text: &str, form: CsvForm) -> CsvRecords<BufReader<&[u8]>> {
    CsvRecords::open(BufReader::new(text.as_bytes()), form, 10_000).unwrap_or_else(|fault| {
        panic!("{text:?}: {fault:?}");
    })
}

fn all(records: &mut impl Records) -> Vec<(Option<String>, String)> {
    let (mut record, mut all) = (Record::default(), Vec::new());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    while records.next(&mut record).unwrap() {
        all.push((record.key().map(text), text(&record.value)));
    }
    all
}

fn values(records: &mut impl Records) -> Vec<String> {
    all(records).into_iter().map(|(_, value)| value).collect()
}

fn refused(text: &str, form: CsvForm) -> String {
    match CsvRecords::open(BufReader::new(text.as_bytes()), form, 10_000) {
        Err(Fault::Fatal(failure)) => failure.to_string(),
        other => panic!("{text:?}: {:?}", other.err()),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn rows_become_objects_in_the_order_of_the_columns() {
    let text = "b,a,\"c \"\"d\"\"\"\n1,x,\n2.50,\"\",NA\n007,true,\"1\"\n";
    let mut records = open(text, CsvForm { nulls: texts(&["NA"]), ..CsvForm::default() });
    assert_eq!(
        values(&mut records),
        [
            r#"{"b":1,"a":"x","c \"d\"":null}"#,
            r#"{"b":2.50,"a":"","c \"d\"":null}"#,
            r#"{"b":"007","a":true,"c \"d\"":1}"#,
        ]
    );
    assert_eq!(records.nulls(), 2);
}

#[test]
fn a_schema_says_what_stays_a_text() {
    let mut records = open("Code,n,when,free\n12,12,2013,12\n", CsvForm::default());
    let schema = "code TEXT, n BIGINT, \"when\" DATE".parse().unwrap();
    assert_eq!(records.strangers(&schema), ["Code", "free"]);
    records.obey(&schema);
    assert_eq!(records.strangers(&schema), ["free"]);
    assert_eq!(values(&mut records), [r#"{"code":"12","n":12,"when":"2013","free":12}"#]);
}

#[test]
fn keys_are_the_text_of_their_column() {
    let form = CsvForm { key: Some("k".into()), nulls: texts(&["NA", "-"]), ..CsvForm::default() };
    let mut records = open("v,k\n1,007\n2,\n3,NA\n4,\"\"\n5,-\n", form);
    let keys: Vec<_> = all(&mut records).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [Some("007".into()), None, None, Some(String::new()), None]);
}

#[test]
fn names_and_delimiters_may_be_given() {
    let form =
        CsvForm { columns: Some(texts(&["x", "y"])), delimiter: Some(b'\t'), ..CsvForm::default() };
    assert_eq!(values(&mut open("1\ta,b\n", form)), [r#"{"x":1,"y":"a,b"}"#]);
}

#[test]
fn a_head_that_will_not_do_says_why() {
    let keyed = |key: &str| CsvForm { key: Some(key.into()), ..CsvForm::default() };
    assert!(refused("", CsvForm::default()).contains("empty"));
    assert!(refused("a,,b\n", CsvForm::default()).contains("column 2 has no name"));
    assert!(refused("a,b,a\n", CsvForm::default()).contains("two columns are called 'a'"));
    let near = refused("tailnum,carrier\n", keyed("tailnumber"));
    assert!(near.contains("tailnum, carrier; did you mean 'tailnum'?"), "{near}");
    assert!(refused(&"x".repeat(20_000), CsvForm::default()).contains("CSV file?"));
}

#[test]
fn a_row_that_is_none_has_its_line_and_the_next_is_read() {
    let text = b"a,b\n1,2\n\n3\n\"x\ny\",4,5\n6,\xff\n7,8\n";
    let mut records =
        CsvRecords::open(BufReader::new(&text[..]), CsvForm::default(), 1_000).unwrap();
    let (mut record, mut faults, mut good) = (Record::default(), Vec::new(), 0);
    loop {
        match records.next(&mut record) {
            Ok(true) => good += 1,
            Ok(false) => break,
            Err(Fault::Invalid { line, why }) => faults.push((line, why)),
            Err(fault) => panic!("{fault:?}"),
        }
    }
    let lines: Vec<_> = faults.iter().map(|(line, _)| *line).collect();
    assert_eq!((good, lines), (2, vec![4, 5, 7]), "{faults:?}");
    assert_eq!(faults[0].1, "1 fields, but there are 2 columns");
    assert!(faults[2].1.contains("column 'b' is not UTF-8"));
}

#[test]
fn schemas_are_inferred_and_the_sample_is_read_again() {
    let text = "i,d,t,b,day,at,zone,none,mixed,zip,_x\n\
                1,1,a,true,2013-01-01,2013-01-01T05:00:00Z,2013-01-01 05:00:00,NA,1,01234,1\n\
                -2,2.5,NA,false,2013-02-28,2013-01-01T05:00:00+02:00,2013-01-01T05:00,,x,5,2\n";
    let mut records = open(text, CsvForm { nulls: texts(&["NA"]), ..CsvForm::default() });
    let schema = records.infer().unwrap();
    assert_eq!(
        schema.to_string(),
        "i BIGINT, d DOUBLE, t TEXT, b BOOLEAN, day DATE, at TIMESTAMP, zone TIMESTAMP, \
         none TEXT, mixed TEXT, zip TEXT"
    );
    records.obey(&schema);
    let values = values(&mut records);
    assert_eq!(values.len(), 2);
    assert!(values[0].contains(r#""mixed":"1","zip":"01234","_x":1"#), "{}", values[0]);
    let text = format!("n\n{}", "5\n".repeat(3_000));
    let mut many = open(&text, CsvForm::default());
    many.infer().unwrap();
    assert_eq!(all(&mut many).len(), 3_000);
    assert!(matches!(open("_a\n1\n", CsvForm::default()).infer(), Err(Fault::Fatal(_))));
}
