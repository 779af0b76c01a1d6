//! The door of an Obelisk alone, asked without a socket: what it gives out, what
//! it has no use for, and how its mistakes look.

mod sql;

use crate::routes::{Context, router};
use crate::{ConsoleArguments, ConsoleLimits, NodeFacts, Readiness};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use futures::StreamExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use pyralog_env::{Clock, RealClock, RealEntropy};
use pyralog_model::{Boot, ClusterId, ScarabId, StoreId};
use pyralog_pharaoh::simulated::{Manners, SimObelisk};
use pyralog_pharaoh::{Ask, DirectoryHub, Pharaoh, PharaohOptions, Request as Question};
use pyralog_query::Queries;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::Arc;
use tokio::sync::watch;

struct Door {
    obelisk: SimObelisk,
    router: Router,
    readiness: watch::Sender<Readiness>,
    stop: watch::Sender<bool>,
}

impl Door {
    fn new() -> Door {
        Door::with(None)
    }

    fn with(queries: Option<Queries>) -> Door {
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let obelisk = SimObelisk::founded(ClusterId(9), Arc::clone(&clock));
        let hub = DirectoryHub::default();
        tokio::spawn(follow(obelisk.clone(), hub.clone()));
        let pharaoh = Pharaoh::new(PharaohOptions {
            endpoints: vec![obelisk.endpoint()],
            hub,
            clock: Arc::clone(&clock),
            entropy: Arc::new(RealEntropy),
        });
        let (readiness, readiness_seen) = watch::channel(Readiness::Ready);
        let (stop, stopping) = watch::channel(false);
        let arguments = ConsoleArguments {
            listener: Arc::new(TcpListener::bind("127.0.0.1:0").unwrap()),
            pharaoh,
            shen: None,
            groups: None,
            queries,
            tree: Arc::default(),
            facts: facts(&*clock),
            readiness: readiness_seen,
            clock,
            more_metrics: Arc::new(String::new),
            debug_faults: false,
            limits: ConsoleLimits::default(),
        };
        let router = router(Context::new(arguments, "pyralog/console", stopping));
        Door { obelisk, router, readiness, stop }
    }

    /// Status and body of an answer.
    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = TowerToHyperService::new(self.router.clone()).call(request).await.unwrap();
        let status = response.status().as_u16();
        let mut chunks = response.into_body().into_data_stream();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
        (status, String::from_utf8(bytes).unwrap())
    }

    async fn json(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, body) = self.ask(method, path, &body).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::String(body)))
    }

    #[track_caller]
    fn refusal((status, body): (u16, Value)) -> (u16, String) {
        (status, body["error"]["code"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned())
    }
}

/// What the Obelisk's own directory actor does for its hub.
async fn follow(obelisk: SimObelisk, hub: DirectoryHub) {
    loop {
        let after = hub.directory().last_index();
        let _ = obelisk.ask(Question::Changes { after, wait_ms: 1_000 }).await;
        hub.publish(Arc::new(obelisk.directory()));
        // Also when nothing is waited for: this runs beside a test on one thread.
        tokio::task::yield_now().await;
    }
}

fn facts(clock: &dyn Clock) -> NodeFacts {
    NodeFacts {
        version: "0".into(),
        name: "o".into(),
        role: "obelisk".into(),
        store: StoreId(1),
        boot: Boot(1),
        data_dir: "data".into(),
        kafka_address: None,
        link_address: None,
        http_address: "127.0.0.1:7071".parse().unwrap(),
        started: clock.monotonic(),
    }
}

#[tokio::test]
async fn ids_are_strings_in_order_and_bounded() {
    let door = Door::new();
    let (status, reply) = door.json("POST", "/v1/ids", json!({ "count": 3 })).await;
    assert_eq!(status, 200, "{reply}");
    let id = |value: &Value| value.as_str().unwrap().parse::<u64>().unwrap();
    let ids: Vec<u64> = reply["ids"].as_array().unwrap().iter().map(id).collect();
    assert!(ids.len() == 3 && ids.is_sorted_by(|a, b| a < b), "{reply}");
    assert_eq!((id(&reply["first"]), id(&reply["last"])), (ids[0], ids[2]));
    let (_, one) = door.json("POST", "/v1/ids", Value::Null).await;
    assert!(id(&one["first"]) > ids[2], "{one}");
    let (_, many) = door.json("POST", "/v1/ids", json!({ "count": 10_001 })).await;
    assert!(many.get("ids").is_none(), "{many}");
    assert_eq!(id(&many["last"]), ScarabId(id(&many["first"])).nth(10_000).0);
    for bad in [json!({ "count": 0 }), json!({ "count": 1_000_001 }), json!({ "cuont": 1 })] {
        let refused = Door::refusal(door.json("POST", "/v1/ids", bad).await);
        assert_eq!(refused, (400, "request-invalid".into()));
    }
    let (_, unique) = door.json("POST", "/v1/timestamps/unique", Value::Null).await;
    let after = json!({ "after": unique["id"] });
    let (status, causal) = door.json("POST", "/v1/timestamps/causal", after).await;
    assert!(status == 200 && id(&causal["id"]) > id(&unique["id"]), "{causal}");
    // A number would have lost digits on its way here.
    let number = json!({ "after": 17 });
    let refused = Door::refusal(door.json("POST", "/v1/timestamps/causal", number).await);
    assert_eq!(refused, (400, "request-invalid".into()));
}

#[tokio::test]
async fn counters_are_made_counted_with_and_listed() {
    let door = Door::new();
    let create = json!({ "name": "tickets" });
    let (status, made) = door.json("POST", "/v1/counters", create.clone()).await;
    assert_eq!((status, &made["mode"]), (201, &json!("exact")), "{made}");
    assert_eq!(door.json("POST", "/v1/counters", create).await.0, 200);
    let path = "/v1/counters/tickets";
    let (status, next) = door.json("POST", path, json!({ "count": 5 })).await;
    assert_eq!((status, &next["first"], &next["last"]), (200, &json!("1"), &json!("5")), "{next}");
    let (_, next) = door.json("POST", path, Value::Null).await;
    assert_eq!((&next["first"], &next["count"]), (&json!("6"), &json!(1)), "{next}");
    let (_, found) = door.json("GET", path, Value::Null).await;
    assert_eq!((&found["name"], &found["value"]), (&json!("tickets"), &json!("6")), "{found}");
    // Made by its first use.
    let first = json!({ "mode": "exact" });
    assert_eq!(door.json("POST", "/v1/counters/seats", first).await.0, 200);
    let (_, list) = door.json("GET", "/v1/counters", Value::Null).await;
    let names: Vec<_> = list["counters"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(names, ["tickets", "seats"]);
    let after = format!("/v1/counters?after={}", made["number"].as_str().unwrap());
    let (_, list) = door.json("GET", &after, Value::Null).await;
    assert_eq!(list["counters"].as_array().unwrap().len(), 1, "{list}");
}

#[tokio::test]
async fn mistakes_with_counters_say_what_is_wrong() {
    let door = Door::new();
    door.json("POST", "/v1/counters", json!({ "name": "tickets" })).await;
    for (method, path, body, status, code) in [
        ("GET", "/v1/counters/none", Value::Null, 404, "counter-not-found"),
        ("POST", "/v1/counters/none", Value::Null, 404, "counter-not-found"),
        ("POST", "/v1/counters/..", json!({ "mode": "exact" }), 400, "counter-name-invalid"),
        ("POST", "/v1/counters", json!({ "name": "a b" }), 400, "counter-name-invalid"),
        ("POST", "/v1/counters/tickets", json!({ "mode": "leased" }), 409, "counter-exists"),
        ("POST", "/v1/counters/tickets", json!({ "count": 0 }), 400, "request-invalid"),
        ("POST", "/v1/counters/tickets", json!({ "mode": "odd" }), 400, "request-invalid"),
        ("POST", "/v1/counters/sessions", Value::Null, 400, "counter-name-invalid"),
        ("GET", "/v1/counters?after=x", Value::Null, 400, "request-invalid"),
        ("GET", "/v1/logs", Value::Null, 501, "not-supported"),
        ("POST", "/v1/logs/a/records", Value::Null, 501, "not-supported"),
        ("POST", "/v1/sql", json!({ "query": "SELECT 1" }), 501, "not-supported"),
        ("GET", "/v1/groups", Value::Null, 501, "not-supported"),
    ] {
        let refused = Door::refusal(door.json(method, path, body).await);
        assert_eq!(refused, (status, code.to_owned()), "{method} {path}");
    }
}

#[tokio::test]
async fn a_node_without_an_obelisk_says_so() {
    let door = Door::new();
    door.obelisk.set_manners(Manners::Away);
    let refused = Door::refusal(door.json("POST", "/v1/ids", Value::Null).await);
    assert_eq!(refused, (503, "obelisk-away".into()));
    let (_, status) = door.json("GET", "/v1/status", Value::Null).await;
    assert_eq!((&status["obelisks"][0]["up"], &status["logs"]), (&json!(false), &Value::Null));
    assert_eq!((&status["role"], &status["lease"]), (&json!("obelisk"), &Value::Null));
    // It serves what it has.
    assert_eq!(door.ask("GET", "/readyz", "").await, (200, "ready\n".into()));
    door.readiness.send_replace(Readiness::Starting);
    let (status, why) = door.ask("GET", "/readyz", "").await;
    assert!(status == 503 && why.starts_with("starting: no Obelisk reached yet at"), "{why}");
    let (_, page) = door.ask("GET", "/metrics", "").await;
    assert!(page.contains("pyralog_obelisk_up{endpoint=\"simulated:1\"} 0"), "{page}");
    door.obelisk.set_manners(Manners::Well);
    let (_, page) = door.ask("GET", "/metrics", "").await;
    assert!(page.contains("pyralog_sessions_total 0"), "{page}");
}
