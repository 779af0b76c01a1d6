//! Logs are tables: joins, windows, groups.

use crate::node::Node;

async fn flights() -> Node {
    let node = Node::start().await;
    let schema = "carrier TEXT, dep_delay BIGINT, day DATE";
    let flights = node.create("flights", 2, schema).await;
    node.append_values(
        flights,
        0,
        &[
            r#"{"carrier": "UA", "dep_delay": 2, "day": "2013-01-01"}"#,
            r#"{"carrier": "AA", "dep_delay": "4", "day": "2013-01-01"}"#,
            r#"{"carrier": "UA", "dep_delay": -3, "day": "2013-01-02"}"#,
        ],
    )
    .await;
    node.append_values(
        flights,
        1,
        &[
            r#"{"carrier": "B6", "dep_delay": null, "day": "2013-01-02"}"#,
            r#"{"carrier": "UA", "dep_delay": 10, "day": "2013-01-03"}"#,
        ],
    )
    .await;
    let airlines = node.create("Airlines", 1, "carrier TEXT, name TEXT").await;
    node.append_values(
        airlines,
        0,
        &[r#"{"carrier": "UA", "name": "United"}"#, r#"{"carrier": "AA", "name": "American"}"#],
    )
    .await;
    node
}

#[tokio::test(flavor = "multi_thread")]
async fn two_logs_are_joined_and_grouped() {
    let node = flights().await;
    let sql = "SELECT a.name, count(*) AS flights, avg(f.dep_delay) AS late \
               FROM flights f LEFT JOIN \"Airlines\" a ON a.carrier = f.carrier \
               GROUP BY a.name ORDER BY a.name NULLS LAST";
    assert_eq!(node.rows(sql).await, ["American 1 4.0", "United 3 3.0", "NULL 1 NULL"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_run_over_days() {
    let node = flights().await;
    let sql = "SELECT carrier, day, sum(dep_delay) OVER (PARTITION BY carrier ORDER BY day), \
               row_number() OVER (PARTITION BY carrier ORDER BY day DESC) \
               FROM log.flights WHERE carrier = 'UA' ORDER BY day";
    assert_eq!(
        node.rows(sql).await,
        ["UA 2013-01-01 2 3", "UA 2013-01-02 -1 2", "UA 2013-01-03 9 1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn subqueries_unions_and_common_tables() {
    let node = flights().await;
    let sql = "WITH late AS (SELECT carrier FROM flights WHERE dep_delay > 3) \
               SELECT name FROM \"Airlines\" WHERE carrier IN (SELECT carrier FROM late) \
               UNION ALL SELECT 'of ' || count(*) FROM flights WHERE EXISTS (SELECT 1 FROM late) \
               ORDER BY 1";
    assert_eq!(node.rows(sql).await, ["American", "United", "of 5"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_and_order_are_columns_too() {
    let node = flights().await;
    let sql = "SELECT _partition, max(_offset) FROM flights GROUP BY _partition ORDER BY 1";
    assert_eq!(node.rows(sql).await, ["0 2", "1 1"]);
    let sql = "SELECT _partition, _offset FROM flights ORDER BY _partition DESC, _offset DESC";
    assert_eq!(node.rows(sql).await, ["1 1", "1 0", "0 2", "0 1", "0 0"]);
    let sql = "SELECT _offset, _partition FROM flights ORDER BY _offset DESC, _partition LIMIT 3";
    assert_eq!(node.rows(sql).await, ["2 0", "1 0", "1 1"]);
}
