//! `/v1/sql` before a real query engine, over a node that has no logs: how questions
//! are taken, and how answers and failures look.

use super::*;
use crate::api::{SqlDone, SqlLine};
use axum::response::Response;
use bytes::Bytes;
use pyralog_behaviour::{Supervisor, SupervisorSpec};
use pyralog_groups::{GroupSettings, Groups};
use pyralog_model::{LogSettings, NodeName};
use pyralog_partition::{NodeIdentity, Routes, Shen, ShenSettings};
use pyralog_query::{QueriesArguments, QuerySettings, SystemSchema, SystemSources, queries_child};

/// A door with an engine behind it.
async fn door() -> Door {
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let entropy = Arc::new(RealEntropy);
    let pharaoh = Pharaoh::new(PharaohOptions {
        endpoints: vec![SimObelisk::founded(ClusterId(9), Arc::clone(&clock)).endpoint()],
        hub: DirectoryHub::default(),
        clock: Arc::clone(&clock),
        entropy: entropy.clone(),
    });
    let identity = NodeIdentity { name: NodeName("n".into()), store: StoreId(1) };
    let settings = ShenSettings {
        default_partitions: 1,
        partitions_per_log_max: 1,
        partitions_max: 1,
        log_settings: LogSettings::default(),
    };
    let shen = Shen::new(identity, settings, pharaoh.clone(), Routes::default());
    let groups = Groups::new(shen.clone(), clock.clone(), entropy, GroupSettings::default());
    let tree = Arc::default();
    let config = Arc::new([]);
    let system = SystemSources { shen: shen.clone(), pharaoh, groups, tree, config };
    let queries = Queries::default();
    let engine = queries_child(QueriesArguments {
        queries: queries.clone(),
        shen,
        system: Arc::new(SystemSchema::new(system)),
        ids: None,
        settings: QuerySettings::default(),
    });
    Supervisor::start("test", SupervisorSpec::one_for_one(vec![engine]), clock, None)
        .await
        .unwrap();
    Door::with(Some(queries))
}

impl Door {
    async fn post(&self, accept: &str, body: &str) -> Response {
        let request = Request::builder().method("POST").uri("/v1/sql").header("accept", accept);
        let request = request.body(Body::from(body.to_owned())).unwrap();
        TowerToHyperService::new(self.router.clone()).call(request).await.unwrap()
    }

    /// The body of a good answer; `None` in it where it breaks off.
    async fn chunks(&self, accept: &str, body: &str) -> Vec<Option<Bytes>> {
        let response = self.post(accept, body).await;
        assert_eq!(response.status(), 200, "{body}");
        response.into_body().into_data_stream().map(Result::ok).collect().await
    }

    async fn text(&self, accept: &str, body: &str) -> String {
        let chunks = self.chunks(accept, body).await;
        let whole: Vec<_> = chunks.into_iter().map(|chunk| chunk.expect("a whole body")).collect();
        String::from_utf8(whole.concat()).unwrap()
    }
}

#[tokio::test]
async fn a_question_is_a_document_or_sql_itself() {
    let door = door().await;
    let csv = "x,y\n1,\n";
    for (accept, body) in [
        ("text/csv", "SELECT 1 AS x, NULL AS y"),
        ("application/json, text/csv;q=0.5", " SELECT 1 AS x, NULL AS y; "),
        ("", "{\"query\":\"SELECT 1 AS x, NULL AS y\",\"format\":\"csv\"}"),
        ("text/csv", "\n {\"query\":\"SELECT 1 AS x, NULL AS y\"}"),
    ] {
        assert_eq!(door.text(accept, body).await, csv, "{accept} {body}");
    }
    let json = "{\"query\":\"SELECT 1 AS x\",\"format\":\"json\",\"time_max_ms\":60000}";
    assert!(door.text("text/csv", json).await.starts_with("{\"columns\":"));
}

#[tokio::test]
async fn an_answer_is_made_of_the_lines_that_clients_know() {
    let door = door().await;
    let text = door.text("", "SELECT value AS n FROM generate_series(1, 2500)").await;
    let (mut columns, mut rows, mut done) = (Vec::new(), Vec::new(), SqlDone::default());
    for line in text.lines() {
        match serde_json::from_str(line).unwrap() {
            SqlLine::Columns(found) => columns = found,
            SqlLine::Rows(found) => rows.extend(found),
            SqlLine::Done(found) => done = found,
            SqlLine::Error(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((columns.len(), &*columns[0].name, &*columns[0].kind), (1, "n", "BIGINT"));
    assert_eq!((rows.len(), rows[2_499][0].get(), done.rows), (2_500, "2500", 2_500));
}

#[tokio::test]
async fn what_fails_before_the_first_row_has_a_status() {
    let door = door().await;
    for (body, status, code) in [
        ("SELEKT 1", 400, "query-invalid"),
        ("SELECT nothing", 400, "query-invalid"),
        ("SELECT 1; SELECT 2", 400, "query-invalid"),
        ("{\"query\":\"SELECT 1\",\"time_max_ms\":0}", 400, "request-invalid"),
        ("{\"query\":\"SELECT 1\",\"from\":0}", 400, "request-invalid"),
        ("DROP TABLE flights", 403, "query-read-only"),
        ("SELECT * FROM sys.actors", 503, "unavailable"),
        ("SELECT 1 / (value - 1) FROM generate_series(1, 1)", 422, "query-failed"),
    ] {
        let refused = Door::refusal(door.json("POST", "/v1/sql", Value::Null).await);
        assert_eq!(refused.0, 400, "an empty question");
        let (found, text) = door.ask("POST", "/v1/sql", body).await;
        let error: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (found, error["error"]["code"].as_str()),
            (status, Some(code)),
            "{body}: {text}"
        );
    }
}

/// Fails at its last row, after many that are good.
const LATE: &str = "SELECT 1 / (value - 300000) FROM generate_series(1, 300000)";

#[tokio::test]
async fn what_fails_later_is_the_last_line_or_breaks_off() {
    let door = door().await;
    let text = door.text("", LATE).await;
    let SqlLine::Error(error) = serde_json::from_str(text.lines().last().unwrap()).unwrap() else {
        panic!("an error")
    };
    assert_eq!((&*error.code, &*error.remedy), ("query-failed", "give-up"));
    let csv = door.chunks("text/csv", LATE).await;
    assert!(
        csv.len() > 2
            && csv.last() == Some(&None)
            && csv[..csv.len() - 1].iter().all(Option::is_some)
    );
}

#[tokio::test]
async fn a_stop_of_the_door_ends_answers_with_a_reason() {
    let door = door().await;
    let endless = "SELECT * FROM generate_series(1, 1000000000000)";
    let mut chunks = door.post("", endless).await.into_body().into_data_stream();
    chunks.next().await.unwrap().unwrap();
    door.stop.send_replace(true);
    let mut last = Bytes::new();
    while let Some(chunk) = chunks.next().await {
        last = chunk.unwrap();
    }
    assert!(String::from_utf8_lossy(&last).contains("\"code\":\"unavailable\""), "{last:?}");
    let (status, _) = door.ask("POST", "/v1/sql", "SELECT 1").await;
    assert_eq!(status, 503);
}
