//! Carries calls out: what the pure `call` decides becomes questions, timers and
//! errors that a person understands.

use crate::ask::{Ask, Asked};
use crate::call::{Call, CallEffect, CallInput, Manner, News};
use crate::endpoints::Endpoints;
use crate::protocol::{AskOutcome, Request};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use pyralog_env::Clock;
use pyralog_model::{ApiError, ErrorCode};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long the one that may be the leader is alone with a question.
const TURN: Duration = Duration::from_secs(1);

/// An Obelisk that can be asked.
#[derive(Clone)]
pub struct Endpoint {
    /// As the operator named it: `host:port`, or `this node`.
    pub name: String,
    /// The way to it.
    pub ask: Arc<dyn Ask>,
}

/// What is known of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointState {
    /// As the operator named it.
    pub name: String,
    /// It has answered, and nothing has failed since.
    pub up: bool,
    /// What went wrong last, until it answers again.
    pub last_error: Option<String>,
}

pub(crate) struct Caller {
    endpoints: Vec<Endpoint>,
    known: Mutex<Known>,
    clock: Arc<dyn Clock>,
    changed: watch::Sender<u64>,
}

struct Known {
    endpoints: Endpoints,
    errors: Vec<Option<String>>,
}

impl Caller {
    pub(crate) fn new(
        endpoints: Vec<Endpoint>,
        clock: Arc<dyn Clock>,
        changed: watch::Sender<u64>,
    ) -> Caller {
        let count = endpoints.len();
        let known = Known { endpoints: Endpoints::new(count), errors: vec![None; count] };
        Caller { endpoints, known: Mutex::new(known), clock, changed }
    }

    pub(crate) fn states(&self) -> Vec<EndpointState> {
        let known = self.known();
        let state = |(place, endpoint): (usize, &Endpoint)| EndpointState {
            name: endpoint.name.clone(),
            up: known.endpoints.is_up(place),
            last_error: known.errors[place].clone(),
        };
        self.endpoints.iter().enumerate().map(state).collect()
    }

    /// Asks until something is settled or `patience` is over.
    pub(crate) async fn ask(
        &self,
        request: Request,
        manner: Manner,
        patience: Duration,
    ) -> AskOutcome {
        let mut now = self.clock.monotonic();
        let mut call = Call::new(manner, now, patience);
        let mut asked = FuturesUnordered::new();
        let mut input = CallInput::Begin;
        // What the last endpoint heard from has said.
        let mut heard: Option<AskOutcome> = None;
        loop {
            let mut effects = Vec::new();
            self.step(&mut call, now, input, &heard, &mut effects);
            for effect in effects {
                match effect {
                    CallEffect::Send(place) => {
                        asked.push(tagged(place, self.endpoints[place].ask.ask(request.clone())));
                    }
                    CallEffect::Finish(_) => {
                        return heard.unwrap_or_else(|| Err(self.away(patience)));
                    }
                    CallEffect::GiveUp => return Err(self.given_up(heard, patience)),
                    CallEffect::GiveUpUnknown => return Err(unknown(heard)),
                }
            }
            let wake_at = call.wake_at();
            tokio::select! {
                Some((place, outcome)) = asked.next() => {
                    now = self.clock.monotonic();
                    input = CallInput::Heard { place, news: news(&outcome) };
                    heard = Some(outcome);
                }
                () = tokio::time::sleep(wake_at.since(now)) => {
                    // A clock that stands still must not stop a deadline.
                    now = self.clock.monotonic().max(wake_at);
                    input = CallInput::Tick;
                }
            }
        }
    }

    fn step(
        &self,
        call: &mut Call,
        now: pyralog_env::Monotonic,
        input: CallInput,
        heard: &Option<AskOutcome>,
        effects: &mut Vec<CallEffect>,
    ) {
        let mut known = self.known();
        let was_up = |known: &Known, place| known.endpoints.is_up(place);
        let before: Vec<bool> = (0..self.endpoints.len()).map(|p| was_up(&known, p)).collect();
        call.step(now, input, &mut known.endpoints, effects);
        if let CallInput::Heard { place, news } = input {
            known.errors[place] = match (news, heard) {
                (News::NotDone | News::Unknown, Some(Err(error))) => Some(error.message.clone()),
                _ => None,
            };
        }
        let changed = (0..self.endpoints.len()).any(|p| was_up(&known, p) != before[p]);
        drop(known);
        if changed {
            self.changed.send_modify(|changes| *changes += 1);
        }
    }

    fn given_up(&self, heard: Option<AskOutcome>, patience: Duration) -> ApiError {
        match heard {
            Some(Err(error)) if error.code == ErrorCode::Overloaded => error,
            _ => self.away(patience),
        }
    }

    fn away(&self, patience: Duration) -> ApiError {
        let states = self.states();
        let names: Vec<_> = states.iter().map(|state| state.name.as_str()).collect();
        let why = states.iter().find_map(|state| state.last_error.as_deref());
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        let message = match names[..] {
            [] => "this node knows no Obelisk: set pharaoh_endpoints".to_owned(),
            _ => format!(
                "no Obelisk answers at {}{why}; existing logs are served, what needs \
                 coordination waits. Waited {} s: try again when the Obelisk is back",
                names.join(", "),
                patience.as_secs_f32()
            ),
        };
        ApiError::new(ErrorCode::ObeliskAway, message)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How a request may be asked.
pub(crate) fn manner_of(request: &Request) -> Manner {
    match request {
        Request::Propose(_) => Manner::Once,
        Request::Changes { wait_ms, .. } => {
            Manner::InTurn(TURN + Duration::from_millis(u64::from(*wait_ms)))
        }
        Request::Start(_)
        | Request::Snapshot { .. }
        | Request::LeaseLane { .. }
        | Request::ReleaseLane { .. }
        | Request::CreateCounter { .. } => Manner::InTurn(TURN),
        Request::Echo(_)
        | Request::Session
        | Request::EpochLabels(_)
        | Request::Ids(_)
        | Request::CausalTimestamp { .. }
        | Request::Claim { .. }
        | Request::Value(_)
        | Request::Status => Manner::Hedged,
        Request::Knowing { request, .. } => manner_of(request),
    }
}

async fn tagged(place: usize, asked: Asked) -> (usize, AskOutcome) {
    (place, asked.await)
}

fn news(outcome: &AskOutcome) -> News {
    match outcome {
        Ok(_) => News::Answer,
        Err(error) => match error.code {
            ErrorCode::Elsewhere | ErrorCode::Overloaded => News::Elsewhere,
            ErrorCode::Unavailable | ErrorCode::ObeliskAway | ErrorCode::PeerRefused => {
                News::NotDone
            }
            ErrorCode::Timeout => News::Unknown,
            _ => News::Answer,
        },
    }
}

fn unknown(heard: Option<AskOutcome>) -> ApiError {
    let why = match heard {
        Some(Err(error)) => error.message,
        _ => "the Obelisk did not answer in time".to_owned(),
    };
    ApiError::new(
        ErrorCode::Timeout,
        format!("{why}; the change may or may not be made: look before you try again"),
    )
}
