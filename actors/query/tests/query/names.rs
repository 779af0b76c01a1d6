//! What names mean, and what is said when one means nothing.

use crate::node::Node;
use pyralog_model::ErrorCode;

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_listed_and_described() {
    let node = Node::start().await;
    node.create("flights", 1, "carrier TEXT, \"Dep\" BIGINT").await;
    node.create("A-b.c", 1, "").await;
    let listed = "SELECT table_schema, table_name FROM information_schema.tables \
                  WHERE table_schema IN ('log', 'sys')";
    let rows = node.rows(listed).await;
    assert_eq!(rows[..3], ["log A-b.c", "log flights", "sys asleep"]);
    let shown = node.rows("SHOW TABLES").await;
    assert!(shown.iter().any(|row| row.contains("flights")), "{shown:?}");
    let described = node.rows("DESCRIBE flights").await;
    let types = |name: &str| described.iter().find(|row| row.starts_with(name)).unwrap().clone();
    assert!(types("_timestamp").contains("TIMESTAMP(3) NO"), "{described:?}");
    assert!(types("carrier").contains("TEXT YES"), "{described:?}");
    assert!(types("_headers").contains("STRUCT(key TEXT, value BYTEA)[] NO"), "{described:?}");
    assert_eq!(described.len(), 10);
    let columns = "SELECT data_type FROM information_schema.columns AS c \
                   WHERE table_name = 'flights' AND c.column_name = '_partition'";
    assert_eq!(node.rows(columns).await, ["INTEGER"]);
    let shown = node.rows("SHOW COLUMNS FROM flights").await;
    assert!(shown.iter().any(|row| row.contains("Dep BIGINT YES")), "{shown:?}");
    let settings = node.error("SHOW ALL").await;
    assert!(settings.message.contains("sys.config"), "{settings}");
    assert_eq!(node.rows("SELECT * FROM \"A-b.c\"").await, [""; 0]);
    assert_eq!(node.rows("SELECT \"Dep\" FROM log.flights").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_not_there_is_told_with_one_that_is() {
    let node = Node::start().await;
    node.create("Flights", 1, "carrier TEXT, dep_delay BIGINT").await;
    let told = [
        ("SELECT * FROM Flights", "there is no log 'flights'; did you mean \"Flights\"?"),
        ("SELECT * FROM log.flight", "there is no log 'flight'; did you mean \"Flights\"?"),
        ("SELECT * FROM planes", "there is no log 'planes'; there are \"Flights\""),
        ("SELECT * FROM sys.panics", "there is no table 'sys.panics'; did you mean panic?"),
        ("SELECT * FROM nowhere.planes", "there is no schema 'nowhere'; there are log, sys"),
        ("SELECT carier FROM \"Flights\"", "Did you mean '\"Flights\".carrier'?"),
        ("SELECT sqr(1)", "Did you mean 'sqrt'?"),
        ("SELECT * FROM 'x.csv'", "there is no log 'x.csv'"),
        ("SELECT * FROM '/etc/passwd'", "there is no log '/etc/passwd'"),
        ("SELEC 1", "cannot be read"),
        ("", "no statement"),
        ("SELECT 1; SELECT 2", "2 statements"),
    ];
    for (sql, expect) in told {
        let error = node.error(sql).await;
        assert_eq!(error.code, ErrorCode::QueryInvalid, "{sql}: {error}");
        assert!(error.message.contains(expect), "{sql}: {error}");
        assert!(!error.message.contains("datafusion") && !error.message.contains('\n'), "{error}");
    }
}
