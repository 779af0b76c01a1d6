//! Questions that nobody should ask: each gets rows or a typed error, and the node
//! stays as it was.

use crate::world::World;
use anyhow::{Context, Result, ensure};
use pyralog_tests::seeded::{self, Seeded};
use pyralog_tests::sql::answer;
use pyralog_tests::sql::twisted::{self, Twisted};
use pyralog_tests::sql::wire::Question;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

/// How many ask at once.
const ASKERS: usize = 4;
/// How long one question may keep the node busy.
const TIME_MAX: Duration = Duration::from_millis(500);
/// What a question may be told.
const TYPED: [&str; 8] = [
    "log-not-found",
    "query-failed",
    "query-invalid",
    "query-out-of-memory",
    "query-out-of-time",
    "query-read-only",
    "request-invalid",
    "overloaded",
];

/// Outcomes by name, and a question that had each.
type Outcomes = BTreeMap<String, (usize, String)>;

/// Asks so many of them.
pub fn check(world: &World, questions: usize) -> Result<()> {
    let (generations, seed, started) = (world.generations()?, seeded::seed(), Instant::now());
    println!("seed {seed}");
    let http = world.http();
    let all = thread::scope(|scope| {
        let askers: Vec<_> = (0..ASKERS as u64)
            .map(|number| scope.spawn(move || ask(http, seed + number, questions / ASKERS)))
            .collect();
        let joined = askers.into_iter().map(|asker| asker.join().expect("an asker never panics"));
        joined.collect::<Result<Vec<Outcomes>>>()
    })?;
    let mut outcomes = Outcomes::new();
    for (outcome, (count, query)) in all.into_iter().flatten() {
        outcomes.entry(outcome).or_insert((0, query)).0 += count;
    }
    for (outcome, (count, query)) in &outcomes {
        println!("{count:>6} {outcome:<20} such as {}", short(query));
    }
    let rate = questions as f64 / started.elapsed().as_secs_f64();
    println!("{questions} questions, {rate:.0} a second");
    for (outcome, (_, query)) in &outcomes {
        let typed = outcome == "rows" || TYPED.contains(&outcome.as_str());
        ensure!(typed, "{outcome} is no answer to {query:?}");
    }
    // If all or none were understood, the twists tried one branch.
    for outcome in ["rows", "query-invalid", "query-read-only"] {
        let count = outcomes.get(outcome).map_or(0, |(count, _)| *count);
        ensure!(count >= questions / 100, "only {count} of {questions} ended in {outcome}");
    }
    ensure!(world.generations()? == generations, "an actor was restarted");
    ensure!(answer::number(http, "SELECT count(*) FROM airlines")? == 16, "airlines are lost");
    Ok(())
}

fn ask(http: SocketAddr, seed: u64, questions: usize) -> Result<Outcomes> {
    let (mut seeded, mut outcomes) = (Seeded::new(seed), Outcomes::new());
    for _ in 0..questions {
        let Twisted { query, is_forbidden } = twisted::next(&mut seeded);
        let question = Question { query: &query, time_max: Some(TIME_MAX) };
        let outcome = answer::stream(http, question, |_, _| Ok(()))
            .with_context(|| format!("no answer to {:?} (seed {seed})", short(&query)))?;
        let outcome = outcome.map_or_else(|refusal| refusal.code, |_| "rows".to_owned());
        ensure!(!is_forbidden || outcome != "rows", "this may have no answer: {query}");
        outcomes.entry(outcome).or_insert((0, query)).0 += 1;
    }
    Ok(outcomes)
}

fn short(query: &str) -> String {
    let line = query.replace('\n', " ");
    line.chars().take(90).collect()
}
