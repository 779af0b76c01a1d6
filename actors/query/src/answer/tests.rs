//! Every type in both forms, and where an answer is cut.

use super::*;
use datafusion::arrow::array::*;
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::*;
use futures::stream;
use pyralog_env::RealClock;
use pyralog_model::ErrorCode;
use serde_json::Value;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let field =
        |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let columns = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn answer(batches: Vec<Result<RecordBatch, ApiError>>, form: AnswerForm) -> Answer {
    let schema = batches[0].as_ref().unwrap().schema();
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let started = clock.monotonic();
    Answer::over(schema, stream::iter(batches).boxed(), form, clock, started)
}

async fn chunks(mut answer: Answer) -> Vec<String> {
    let mut chunks = Vec::new();
    while let Some(chunk) = answer.next_chunk().await.unwrap() {
        chunks.push(String::from_utf8(chunk.to_vec()).unwrap());
    }
    chunks
}

async fn written(batch: RecordBatch, form: AnswerForm) -> String {
    chunks(answer(vec![Ok(batch)], form)).await.concat()
}

/// A column of one value and NULL: its type, the value in JSON and in CSV.
#[track_caller]
fn check(array: impl Array + 'static, kind: &str, json: &str, csv: &str) {
    let array: ArrayRef = Arc::new(array);
    let described = kinds::kind(array.data_type());
    let cells = Cells::of(&*array).unwrap();
    let (mut as_json, mut as_csv) = (Vec::new(), Vec::new());
    cells.write_json(&mut as_json, 0).unwrap();
    cells.write_csv(&mut as_csv, 0).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let found = (described.as_str(), text(as_json), text(as_csv));
    assert_eq!(found, (kind, json.to_owned(), csv.to_owned()));
    serde_json::from_str::<Value>(&found.1).expect("JSON");
    if array.len() > 1 {
        let (mut as_json, mut as_csv) = (Vec::new(), Vec::new());
        cells.write_json(&mut as_json, 1).unwrap();
        cells.write_csv(&mut as_csv, 1).unwrap();
        assert_eq!((text(as_json).as_str(), text(as_csv).as_str()), ("null", ""), "{kind}");
    }
}

#[test]
fn numbers_keep_every_digit() {
    check(Int8Array::from(vec![Some(-8), None]), "TINYINT", "-8", "-8");
    check(Int16Array::from(vec![Some(16), None]), "SMALLINT", "16", "16");
    check(Int32Array::from(vec![Some(-32), None]), "INTEGER", "-32", "-32");
    let least = i64::MIN.to_string();
    check(Int64Array::from(vec![Some(i64::MIN), None]), "BIGINT", &least, &least);
    check(UInt32Array::from(vec![Some(32), None]), "INTEGER UNSIGNED", "32", "32");
    let most = u64::MAX.to_string();
    let quoted = format!("\"{most}\"");
    check(UInt64Array::from(vec![Some(u64::MAX), None]), "BIGINT UNSIGNED", &quoted, &most);
    check(Float64Array::from(vec![Some(0.1), None]), "DOUBLE", "0.1", "0.1");
    check(Float32Array::from(vec![Some(0.1), None]), "REAL", "0.1", "0.1");
    check(Float64Array::from(vec![1e300]), "DOUBLE", "1e300", "1e300");
    check(Float64Array::from(vec![f64::NAN]), "DOUBLE", "\"NaN\"", "NaN");
    check(Float32Array::from(vec![f32::NEG_INFINITY]), "REAL", "\"-inf\"", "-inf");
    let decimal = Decimal128Array::from(vec![Some(-1_250), None]);
    let decimal = decimal.with_precision_and_scale(10, 2).unwrap();
    check(decimal, "DECIMAL(10, 2)", "\"-12.50\"", "-12.50");
    check(BooleanArray::from(vec![Some(true), None]), "BOOLEAN", "true", "true");
    check(NullArray::new(2), "NULL", "null", "");
}

#[test]
fn times_are_iso_8601_and_have_a_zone_only_if_they_have_one() {
    let day = Date32Array::from(vec![Some(15_706), None]);
    check(day, "DATE", "\"2013-01-01\"", "2013-01-01");
    let moment = 1_357_034_400_000_000;
    let plain = TimestampMicrosecondArray::from(vec![Some(moment), None]);
    check(plain.clone(), "TIMESTAMP", "\"2013-01-01T10:00:00\"", "2013-01-01T10:00:00");
    let zoned = plain.with_timezone("UTC");
    let zoned_kind = "TIMESTAMP WITH TIME ZONE";
    check(zoned, zoned_kind, "\"2013-01-01T10:00:00Z\"", "2013-01-01T10:00:00Z");
    let fine = TimestampMillisecondArray::from(vec![Some(moment / 1_000 + 7), None]);
    check(fine, "TIMESTAMP(3)", "\"2013-01-01T10:00:00.007\"", "2013-01-01T10:00:00.007");
    let time = Time64MicrosecondArray::from(vec![Some(36_000_000_001), None]);
    check(time, "TIME", "\"10:00:00.000001\"", "10:00:00.000001");
    let long = DurationMillisecondArray::from(vec![Some(1_500), None]);
    check(long, "INTERVAL", "\"PT1.5S\"", "PT1.5S");
}

#[test]
fn text_is_text_and_bytes_are_text_when_they_can_be() {
    for (text, json, csv) in [
        ("plain", "\"plain\"", "plain"),
        ("", "\"\"", "\"\""),
        ("a,b", "\"a,b\"", "\"a,b\""),
        ("say \"hi\"", "\"say \\\"hi\\\"\"", "\"say \"\"hi\"\"\""),
        ("two\nlines", "\"two\\nlines\"", "\"two\nlines\""),
        ("\r", "\"\\r\"", "\"\r\""),
        ("žluťoučký", "\"žluťoučký\"", "žluťoučký"),
    ] {
        check(StringArray::from(vec![Some(text), None]), "TEXT", json, csv);
        check(StringViewArray::from(vec![Some(text), None]), "TEXT", json, csv);
        check(LargeStringArray::from(vec![Some(text), None]), "TEXT", json, csv);
        check(BinaryArray::from(vec![Some(text.as_bytes()), None]), "BYTEA", json, csv);
        check(BinaryViewArray::from(vec![Some(text.as_bytes()), None]), "BYTEA", json, csv);
    }
    let raw = BinaryArray::from(vec![Some(&[0xff, 0x00][..]), None]);
    check(raw, "BYTEA", "{\"base64\":\"/wA=\"}", "\"{\"\"base64\"\":\"\"/wA=\"\"}\"");
}

#[test]
fn lists_structs_maps_and_dictionaries_are_json() {
    let list =
        ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None]);
    check(list.clone(), "INTEGER[]", "[1,null]", "\"[1,null]\"");
    // A slice begins in the middle of its buffers.
    let later = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
        Some(vec![Some(7)]),
        Some(vec![Some(8), Some(9)]),
        None,
    ]);
    check(later.slice(1, 2), "INTEGER[]", "[8,9]", "\"[8,9]\"");
    let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(
        vec![Some(vec![Some(1), Some(2)]), Some(vec![Some(3), Some(4)]), None],
        2,
    );
    check(fixed.slice(1, 2), "INTEGER[]", "[3,4]", "\"[3,4]\"");

    let key: ArrayRef = Arc::new(StringArray::from(vec!["h"]));
    let value: ArrayRef = Arc::new(BinaryArray::from(vec![Some(&b"v"[..])]));
    let fields = Fields::from(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("value", DataType::Binary, true),
    ]);
    let headers = StructArray::new(fields.clone(), vec![key, value], None);
    let item = Arc::new(Field::new("item", DataType::Struct(fields), true));
    let offsets = OffsetBuffer::new(vec![0, 1, 1].into());
    let nulls = NullBuffer::from(vec![true, false]);
    let headers = ListArray::new(item, offsets, Arc::new(headers), Some(nulls));
    let json = "[{\"key\":\"h\",\"value\":\"v\"}]";
    let csv = format!("\"{}\"", json.replace('"', "\"\""));
    check(headers, "STRUCT(key TEXT, value BYTEA)[]", json, &csv);

    let mut map = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    map.keys().append_value(7);
    map.values().append_value("seven");
    map.append(true).unwrap();
    let map = map.finish();
    let mut json = Vec::new();
    Cells::of(&map).unwrap().write_json(&mut json, 0).unwrap();
    assert_eq!(json, b"{\"7\":\"seven\"}");

    let words: DictionaryArray<Int8Type> = vec![Some("word"), None].into_iter().collect();
    check(words, "TEXT", "\"word\"", "word");
}

#[tokio::test]
async fn an_answer_has_a_head_rows_and_an_end() {
    let rows = batch(vec![
        ("carrier", Arc::new(StringArray::from(vec![Some("UA"), None]))),
        ("n", Arc::new(Int64Array::from(vec![1, 2]))),
    ]);
    let text = written(rows.clone(), AnswerForm::Ndjson).await;
    let lines: Vec<_> = text.lines().collect();
    let head = "{\"columns\":[{\"name\":\"carrier\",\"type\":\"TEXT\"},{\"name\":\"n\",\"type\":\"BIGINT\"}]}";
    assert_eq!(lines[..2], [head, "{\"rows\":[[\"UA\",1],[null,2]]}"]);
    let end: Value = serde_json::from_str(lines[2]).unwrap();
    assert_eq!((&end["done"]["rows"], lines.len()), (&2.into(), 3), "{text}");
    assert_eq!(written(rows, AnswerForm::Csv).await, "carrier,n\nUA,1\n,2\n");
    let none = batch(vec![("a,b", Arc::new(Int64Array::from(Vec::<i64>::new())))]);
    assert_eq!(written(none.clone(), AnswerForm::Csv).await, "\"a,b\"\n");
    assert_eq!(written(none, AnswerForm::Ndjson).await.lines().count(), 2);
}

#[tokio::test]
async fn lines_are_bounded_by_rows_and_by_bytes_and_lose_nothing() {
    let numbers = |range: std::ops::Range<i64>| {
        batch(vec![("n", Arc::new(Int64Array::from_iter_values(range)))])
    };
    let several = vec![Ok(numbers(0..2_500)), Ok(numbers(0..0)), Ok(numbers(2_500..2_501))];
    let chunks_of_rows = chunks(answer(several, AnswerForm::Ndjson)).await;
    let counts: Vec<_> = chunks_of_rows.iter().map(|chunk| rows(chunk).len()).collect();
    assert_eq!(counts, [1_000, 1_000, 500, 1, 0]);
    let all: Vec<_> = chunks_of_rows.iter().flat_map(|chunk| rows(chunk)).collect();
    assert!(all.iter().enumerate().all(|(place, row)| *row == serde_json::json!([place])));

    let wide = vec!["x".repeat(40_000); 5];
    let wide = batch(vec![("wide", Arc::new(StringArray::from(wide)))]);
    for form in [AnswerForm::Ndjson, AnswerForm::Csv] {
        let chunks = chunks(answer(vec![Ok(wide.clone())], form)).await;
        let full: Vec<_> = chunks.iter().filter(|chunk| chunk.len() > 1_000).collect();
        assert_eq!(full.len(), 3, "two rows a chunk");
        assert!(full.iter().all(|chunk| chunk.len() < LINE_BYTES + 40_000));
    }
}

/// The rows that a chunk has.
fn rows(chunk: &str) -> Vec<Value> {
    let documents = chunk.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    documents
        .flat_map(|document| document["rows"].as_array().cloned().unwrap_or_default())
        .collect()
}

#[tokio::test]
async fn an_error_ends_the_answer_without_an_end() {
    let one = || batch(vec![("n", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let failed = || Err(ApiError::new(ErrorCode::QueryFailed, "overflow"));
    let mut late = answer(vec![Ok(one()), failed()], AnswerForm::Ndjson);
    let first = late.next_chunk().await.unwrap().unwrap();
    assert!(first.ends_with(b"{\"rows\":[[1]]}\n"), "{first:?}");
    assert_eq!(late.next_chunk().await.unwrap_err().code, ErrorCode::QueryFailed);
    assert_eq!(late.next_chunk().await.unwrap(), None);
    // Before the first row there is no head either: the door can say it by a status.
    let empty = one().slice(0, 0);
    let mut early = answer(vec![Ok(empty), failed()], AnswerForm::Csv);
    assert_eq!(early.next_chunk().await.unwrap_err().code, ErrorCode::QueryFailed);
    assert_eq!(early.next_chunk().await.unwrap(), None);
}
