//! Logs grow: columns at the end of a schema, partitions after the last.

use super::*;
use pyralog_model::{COLUMNS_MAX, Column, ColumnKind, ErrorCode, SchemaError};

fn columns_of(directory: &Directory, number: u64) -> (u32, String) {
    let log = directory.log_by_number(LogNumber(number)).unwrap();
    let schema = log.schema.as_ref().unwrap();
    (schema.version, schema.to_string())
}

#[test]
fn a_schema_begins_with_version_1_and_only_grows() {
    let mut directory = cluster(1);
    let mut made = create_typed("a", 1, "a TEXT");
    if let Command::CreateTypedLog { schema, .. } = &mut made {
        schema.version = 77;
    }
    assert_eq!(apply(&mut directory, &made), Ok(Outcome::LogCreated(LogNumber(1))));
    assert_eq!(columns_of(&directory, 1), (1, "a TEXT".to_owned()));
    let altered = Ok(Outcome::LogAltered(LogNumber(1)));
    assert_eq!(apply(&mut directory, &alter_schema(1, "a TEXT, b DATE")), altered);
    assert_eq!(columns_of(&directory, 1), (2, "a TEXT, b DATE".to_owned()));
    assert_eq!(apply(&mut directory, &alter_schema(1, "a TEXT, b DATE")), altered);
    assert_eq!(columns_of(&directory, 1).0, 2, "the same columns are the same version");
    for (wanted, place) in [("a TEXT", 2), ("a TEXT, b REAL", 2), ("z TEXT, b DATE, c REAL", 1)] {
        let error = refused(&directory, alter_schema(1, wanted));
        let found = match &error {
            DirectoryError::Schema(SchemaError::NotAppended { place, .. }) => *place,
            other => panic!("{wanted}: {other:?}"),
        };
        assert_eq!(found, place, "{wanted}");
        assert_eq!(pyralog_model::ApiError::from(error).code, ErrorCode::SchemaInvalid);
    }
    let nowhere = refused(&directory, alter_schema(9, "a TEXT"));
    assert_eq!(nowhere, DirectoryError::LogNotFound(LogNumber(9)));
}

#[test]
fn a_log_without_a_schema_gets_one() {
    let mut directory = cluster(1);
    apply(&mut directory, &create("a", 1, 1)).unwrap();
    assert_eq!(directory.log_by_number(LogNumber(1)).unwrap().schema, None);
    apply(&mut directory, &alter_schema(1, "b DATE")).unwrap();
    assert_eq!(columns_of(&directory, 1), (1, "b DATE".to_owned()));
}

#[test]
fn schemas_that_cannot_be_are_refused_in_bytes_and_in_commands() {
    let directory = cluster(1);
    let column = |name: &str| Column { name: name.to_owned(), kind: ColumnKind::Text };
    let twice = Schema { version: 1, columns: vec![column("a"), column("a")] };
    let Command::CreateTypedLog { name, settings, .. } = create_typed("a", 1, "a TEXT") else {
        unreachable!()
    };
    let typed = |schema| Command::CreateTypedLog {
        name: name.clone(),
        partitions: 1,
        replication_factor: 1,
        settings: settings.clone(),
        internal: false,
        schema,
    };
    let command = typed(twice);
    let expect = SchemaError::Twice("a".to_owned());
    assert_eq!(Command::decode(&command.encode()), Err(DecodeError::Schema(expect.clone())));
    assert_eq!(refused(&directory, command), DirectoryError::Schema(expect));
    // Each name may be, and all of them do not fit: they could not be read again.
    let name_of = |n: usize| column(&format!("{}{n}", "x".repeat(200)));
    let wide = Schema { version: 1, columns: (0..COLUMNS_MAX).map(name_of).collect() };
    wide.check().unwrap();
    let error = refused(&directory, typed(wide.clone()));
    assert!(matches!(error, DirectoryError::SchemaBytes { most: 65_536, .. }), "{error:?}");
    let mut directory = directory;
    apply(&mut directory, &create("b", 1, 1)).unwrap();
    let error = refused(&directory, Command::AlterSchema { number: LogNumber(1), schema: wide });
    assert!(matches!(error, DirectoryError::SchemaBytes { .. }), "{error:?}");
}

#[test]
fn partitions_are_added_as_if_they_had_been_there_and_never_taken_away() {
    let mut grown = cluster(3);
    apply(&mut grown, &create("a", 2, 2)).unwrap();
    let mut whole = cluster(3);
    apply(&mut whole, &create("a", 7, 2)).unwrap();
    let altered = Ok(Outcome::LogAltered(LogNumber(1)));
    assert_eq!(apply(&mut grown, &add_partitions(1, 7)), altered);
    assert_eq!(grown.logs, whole.logs, "placed as at creation");
    for asked in [0, 6, 7] {
        let error = refused(&grown, add_partitions(1, asked));
        assert_eq!(error, DirectoryError::PartitionsNotMore { asked, have: 7 });
    }
    let asked = PARTITIONS_MAX + 1;
    let error = refused(&grown, add_partitions(1, asked));
    assert_eq!(error, DirectoryError::Partitions { asked, most: PARTITIONS_MAX });
    assert_eq!(refused(&grown, add_partitions(2, 9)), DirectoryError::LogNotFound(LogNumber(2)));
}
