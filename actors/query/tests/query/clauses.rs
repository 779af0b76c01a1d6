//! What is written in a query and would not be done; columns that are asked for twice.

use crate::node::Node;
use crate::shown::collect;
use pyralog_model::ErrorCode;

#[tokio::test(flavor = "multi_thread")]
async fn clauses_without_effect_are_refused() {
    let node = Node::start().await;
    node.create("events", 1, "").await;
    let refused = [
        ("SELECT * FROM events TABLESAMPLE BERNOULLI (10)", "TABLESAMPLE"),
        ("SELECT * FROM events TABLESAMPLE SYSTEM (10 PERCENT)", "TABLESAMPLE"),
        ("SELECT 1 WHERE EXISTS (SELECT * FROM events TABLESAMPLE BERNOULLI (10))", "TABLESAMPLE"),
        ("WITH e AS (SELECT * FROM events FOR UPDATE) SELECT * FROM e", "FOR UPDATE"),
        ("SELECT * FROM events FOR SHARE", "FOR SHARE"),
        ("EXPLAIN SELECT * FROM events FOR UPDATE", "FOR UPDATE"),
        ("EXPLAIN ANALYZE SELECT * FROM events TABLESAMPLE BERNOULLI (10)", "TABLESAMPLE"),
        ("SELECT * FROM generate_series(1, 2) WITH ORDINALITY", "ORDINALITY"),
    ];
    for (sql, expect) in refused {
        let error = node.error(sql).await;
        assert_eq!(error.code, ErrorCode::QueryInvalid, "{sql}: {error}");
        assert!(error.message.contains(expect), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_may_be_asked_for_twice() {
    let node = Node::start().await;
    let log = node.create("events", 1, "").await;
    node.append_values(log, 0, &["a"]).await;
    let asked = [
        (
            "SELECT _offset, e._offset, _offset FROM events e",
            vec!["_offset", "_offset_2", "_offset_3"],
        ),
        ("SELECT scarab_id(), scarab_id()", vec!["scarab_id()", "scarab_id()_2"]),
        (
            "SELECT 1 AS _offset_2, _offset, _offset FROM events",
            vec!["_offset_2", "_offset", "_offset_3"],
        ),
    ];
    for (sql, expect) in asked {
        let rows = node.run(sql).await;
        let names: Vec<_> =
            rows.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names, expect, "{sql}");
        assert_eq!(collect(rows).await.unwrap()[0].num_rows(), 1, "{sql}");
    }
    let counted = "SELECT _offset, _offset, count(*) FROM events GROUP BY _offset ORDER BY _offset";
    assert_eq!(node.rows(counted).await, ["0 0 1"]);
    let error = node.error("SELECT *, _offset FROM events").await;
    assert!(error.message.contains("AS"), "{error}");
}
