//! An actor that does to itself whatever a test asks for, and writes down what
//! becomes of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyralog_behaviour::{ChildContext, ChildSpec, Observe, Snapshot, Vitals};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_cluster_derive::RactorMessage;
use tokio::sync::{Semaphore, watch};

/// What a probe understands.
#[derive(RactorMessage)]
pub enum ProbeMessage {
    Observe(RpcReplyPort<Snapshot>),
    /// Return an error.
    Fail,
    /// Panic.
    Panic,
    /// Stop in order.
    Finish,
    /// Stay in the handler until killed.
    Hang,
    /// Count one.
    Count,
}

impl From<Observe> for ProbeMessage {
    fn from(observe: Observe) -> ProbeMessage {
        ProbeMessage::Observe(observe.0)
    }
}

/// What all probes of one test write into, and what holds them up.
#[derive(Clone)]
pub struct Journal {
    lines: Arc<watch::Sender<Vec<String>>>,
    /// A permit per `post_stop` that may go through, for probes that wait for one.
    pub gate: Arc<Semaphore>,
    /// Set while the next starts shall fail, with how many of them are left.
    pub failures: Arc<AtomicU32>,
    overlapped: Arc<AtomicBool>,
    living: Arc<Mutex<HashMap<&'static str, ActorRef<ProbeMessage>>>>,
}

impl Journal {
    pub fn new() -> Journal {
        Journal {
            lines: Arc::new(watch::Sender::new(Vec::new())),
            gate: Arc::new(Semaphore::new(0)),
            failures: Arc::default(),
            overlapped: Arc::default(),
            living: Arc::default(),
        }
    }

    pub fn write(&self, line: impl Into<String>) {
        self.lines.send_modify(|lines| lines.push(line.into()));
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    /// Only the lines that begin with `word`, without it.
    pub fn of(&self, word: &str) -> Vec<String> {
        let lines = self.lines();
        let chosen = lines.iter().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        chosen.map(str::to_owned).collect()
    }

    pub fn clear(&self) {
        self.lines.send_modify(Vec::clear);
    }

    /// Waits until `line` has been written `count` times.
    pub async fn until(&self, line: &str, count: usize) {
        let mut lines = self.lines.subscribe();
        let seen = |lines: &Vec<String>| lines.iter().filter(|seen| *seen == line).count() >= count;
        let waited = tokio::time::timeout(Duration::from_secs(20), lines.wait_for(seen)).await;
        let _ = waited.unwrap_or_else(|_| panic!("no {count} × {line:?} in {:?}", self.lines()));
    }

    /// The latest life of the probe with this id.
    pub fn living(&self, id: &str) -> ActorRef<ProbeMessage> {
        self.living.lock().unwrap().get(id).expect("it has started").clone()
    }

    pub fn tell(&self, id: &str, message: ProbeMessage) {
        self.living(id).send_message(message).expect("the probe is up");
    }

    /// Whether two lives of one probe were ever there at once.
    pub fn has_overlapped(&self) -> bool {
        self.overlapped.load(Ordering::SeqCst)
    }
}

/// How a probe is to behave; a specification of it is made by [`Plan::spec`].
#[derive(Clone)]
pub struct Plan {
    id: &'static str,
    journal: Journal,
    /// Whether `post_stop` waits for a permit of the gate.
    waits_to_stop: bool,
    /// Whether its starts fail while the journal says so.
    may_fail: bool,
    /// How long its state takes to go away: an open file, a thread to join.
    drop_time: Duration,
    name: Option<&'static str>,
    lives: Arc<AtomicU32>,
}

impl Plan {
    pub fn new(id: &'static str, journal: &Journal) -> Plan {
        Plan {
            id,
            journal: journal.clone(),
            waits_to_stop: false,
            may_fail: false,
            drop_time: Duration::ZERO,
            name: None,
            lives: Arc::default(),
        }
    }

    pub fn waits_to_stop(self) -> Plan {
        Plan { waits_to_stop: true, ..self }
    }

    pub fn may_fail(self) -> Plan {
        Plan { may_fail: true, ..self }
    }

    pub fn drop_time(self, drop_time: Duration) -> Plan {
        Plan { drop_time, ..self }
    }

    pub fn named(self, name: &'static str) -> Plan {
        Plan { name: Some(name), ..self }
    }

    pub fn spec(self) -> ChildSpec {
        ChildSpec::new(self.id, "probe", move |context: ChildContext| {
            let plan = self.clone();
            async move {
                let name = plan.name.map(str::to_owned);
                let supervisor = context.supervisor();
                supervisor.spawn_linked(name, Probe, (plan, context.vitals())).await
            }
        })
    }
}

pub fn probe(id: &'static str, journal: &Journal) -> ChildSpec {
    Plan::new(id, journal).spec()
}

pub struct Probe;

/// A life: what must be gone before the next one begins.
pub struct ProbeState {
    plan: Plan,
    vitals: Vitals,
}

impl Drop for ProbeState {
    fn drop(&mut self) {
        // The window that a supervisor must not fall into, made wide.
        std::thread::sleep(self.plan.drop_time);
        self.plan.lives.fetch_sub(1, Ordering::SeqCst);
        self.plan.journal.write(format!("gone {}", self.plan.id));
    }
}

impl Actor for Probe {
    type Msg = ProbeMessage;
    type State = ProbeState;
    type Arguments = (Plan, Vitals);

    async fn pre_start(
        &self,
        myself: ActorRef<ProbeMessage>,
        (plan, vitals): (Plan, Vitals),
    ) -> Result<ProbeState, ActorProcessingErr> {
        let failures = &plan.journal.failures;
        if plan.may_fail
            && failures
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok()
        {
            plan.journal.write(format!("refuse {}", plan.id));
            return Err("not today".into());
        }
        if plan.lives.fetch_add(1, Ordering::SeqCst) != 0 {
            plan.journal.overlapped.store(true, Ordering::SeqCst);
        }
        plan.journal.living.lock().unwrap().insert(plan.id, myself);
        plan.journal.write(format!("start {}", plan.id));
        Ok(ProbeState { plan, vitals })
    }

    async fn handle(
        &self,
        myself: ActorRef<ProbeMessage>,
        message: ProbeMessage,
        state: &mut ProbeState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ProbeMessage::Observe(reply) => drop(reply.send(state.vitals.snapshot())),
            ProbeMessage::Fail => return Err("told to fail".into()),
            ProbeMessage::Panic => panic!("told to panic"),
            ProbeMessage::Finish => myself.stop(None),
            ProbeMessage::Hang => {
                state.vitals.set_state("hanging");
                state.plan.journal.write(format!("hang {}", state.plan.id));
                std::future::pending().await
            }
            ProbeMessage::Count => {
                state.vitals.handled();
                state.plan.journal.write(format!("count {}", state.plan.id));
            }
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<ProbeMessage>,
        state: &mut ProbeState,
    ) -> Result<(), ActorProcessingErr> {
        let (journal, id) = (&state.plan.journal, state.plan.id);
        if state.plan.waits_to_stop {
            journal.write(format!("stopping {id}"));
            journal.gate.acquire().await?.forget();
        }
        journal.write(format!("stop {id}"));
        Ok(())
    }
}
