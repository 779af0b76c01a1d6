//! What the simulated Obelisk answers.

use super::SimObelisk;
use crate::protocol::{
    Answer, AskOutcome, CounterView, LaneGrant, Made, NodeStart, ObeliskStatus, Request,
};
use pyralog_directory::{Command, Outcome};
use pyralog_model::{
    ApiError, CounterNumber, ErrorCode, Incarnation, Lane, LogicalClock, NodeNumber, ScarabId,
    SessionId,
};
use std::time::Duration;

/// Commands and bytes of a snapshot in one answer: few, so that tests meet many
/// answers.
const COMMANDS_MAX: usize = 64;
const PIECE_BYTES: usize = 100;

impl SimObelisk {
    pub(super) async fn answer(&self, request: Request) -> AskOutcome {
        let request = request.verified(&self.directory())?;
        match request {
            Request::Knowing { .. } => unreachable!("it was taken out above"),
            Request::Echo(bytes) => Ok(Answer::Echo(bytes)),
            Request::Start(start) => self.start(start),
            Request::Propose(command) => self.propose(command),
            Request::Changes { after, wait_ms } => self.changes(after, wait_ms).await,
            Request::Snapshot { index, from } => self.piece(index, from),
            Request::LeaseLane { node, incarnation, floor } => self.lease(node, incarnation, floor),
            Request::ReleaseLane { node, incarnation, lane, granted_to, used_to } => {
                let release = Command::ReleaseLane { node, incarnation, lane, granted_to, used_to };
                self.carry_out(release).map(|_| Answer::Released)
            }
            Request::Session => {
                let session = SessionId(self.claim(CounterNumber::SESSIONS, 1));
                Ok(Answer::Session(session))
            }
            Request::EpochLabels(count) => {
                Ok(Answer::EpochLabels(self.claim(CounterNumber::EPOCHS, count)))
            }
            Request::Ids(count) => Ok(Answer::Ids(self.id(count))),
            Request::CausalTimestamp { .. } => Ok(Answer::Ids(self.id(1))),
            Request::CreateCounter { name, mode } => {
                match self.carry_out(Command::CreateCounter { name, mode })? {
                    (index, Outcome::CounterCreated(number)) => {
                        Ok(Answer::Counter { number, index })
                    }
                    (_, other) => unreachable!("CreateCounter led to {other:?}"),
                }
            }
            Request::Claim { counter, count } => {
                if self.directory().counter_mode(counter).is_none() {
                    return Err(ApiError::new(ErrorCode::CounterNotFound, "no such counter"));
                }
                Ok(Answer::Claimed(self.claim(counter, count)))
            }
            Request::Value(counter) => {
                let value = self.state().counters.get(&counter).copied().unwrap_or(0);
                Ok(Answer::Value(CounterView { value, durable_bound: value }))
            }
            Request::Status => Ok(self.status()),
        }
    }

    fn start(&self, start: NodeStart) -> AskOutcome {
        let NodeStart { name, store, roles, presented, next, advertised } = start;
        let command = Command::StartNode { name, store, roles, presented, next, advertised };
        match self.carry_out(command)? {
            (index, Outcome::NodeStarted { number, incarnation }) => {
                let cluster = self.directory().cluster().expect("it was founded");
                Ok(Answer::Started { cluster, node: number, incarnation, index })
            }
            (_, other) => unreachable!("StartNode led to {other:?}"),
        }
    }

    fn propose(&self, command: Command) -> AskOutcome {
        let (index, outcome) = self.carry_out(command)?;
        let made = match outcome {
            Outcome::LogCreated(number) => Made::Log(number),
            Outcome::CounterCreated(number) => Made::Counter(number),
            _ => Made::Nothing,
        };
        Ok(Answer::Done { index, made })
    }

    async fn changes(&self, after: u64, wait_ms: u32) -> AskOutcome {
        let mut index = self.0.index.subscribe();
        let longest = Duration::from_millis(u64::from(wait_ms));
        let _ = tokio::time::timeout(longest, index.wait_for(|index| *index > after)).await;
        let state = self.state();
        if after < state.compacted {
            let bytes = state.snapshot.len() as u64;
            return Ok(Answer::SnapshotIs { index: state.compacted, bytes });
        }
        if after > state.directory.last_index() {
            let message = "the directory ends before that";
            return Err(ApiError::new(ErrorCode::DirectoryDiverged, message));
        }
        let past = usize::try_from(after - state.compacted).expect("a test has few commands");
        let commands = state.commands.iter().skip(past).take(COMMANDS_MAX);
        Ok(Answer::Commands(commands.cloned().collect()))
    }

    fn piece(&self, index: u64, from: u64) -> AskOutcome {
        let state = self.state();
        if index != state.compacted {
            return Ok(Answer::Piece(Vec::new()));
        }
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(state.snapshot.len());
        let to = (from + PIECE_BYTES).min(state.snapshot.len());
        Ok(Answer::Piece(state.snapshot[from..to].to_vec()))
    }

    fn lease(&self, node: NodeNumber, incarnation: Incarnation, floor: LogicalClock) -> AskOutcome {
        let (now, term_ms) = (self.now(), self.state().term_ms);
        let command = Command::LeaseLane { node, incarnation, floor, now, term_ms };
        match self.carry_out(command)? {
            (_, Outcome::LaneLeased { lane, from, to }) => {
                Ok(Answer::Lane(LaneGrant { lane, from, to, now }))
            }
            (_, other) => unreachable!("LeaseLane led to {other:?}"),
        }
    }

    fn status(&self) -> Answer {
        let state = self.state();
        let counted = |number| state.counters.get(&number).copied().unwrap_or(0);
        Answer::Status(ObeliskStatus {
            node: NodeNumber(0),
            index: state.directory.last_index(),
            lanes_leased: state.directory.lanes().count() as u32,
            counters: state.directory.counter_count() as u64,
            sessions: counted(CounterNumber::SESSIONS),
            epoch_labels: counted(CounterNumber::EPOCHS),
        })
    }

    fn claim(&self, counter: CounterNumber, count: u32) -> u64 {
        let mut state = self.state();
        let last = state.counters.entry(counter).or_default();
        let first = *last + 1;
        *last += u64::from(count);
        first
    }

    /// From the last lane, which the directory gives away last.
    fn id(&self, count: u32) -> ScarabId {
        let first = self.claim(CounterNumber::SCARABS, count);
        let lane = Lane::new(Lane::COUNT - 1).expect("the last of them");
        ScarabId::compose(self.now().plus(first), lane)
    }

    /// By the wall clock, never back.
    fn now(&self) -> LogicalClock {
        let wall_ms = u64::try_from(self.0.clock.wall().0).unwrap_or(0);
        let mut state = self.state();
        state.last_now = LogicalClock::at_unix_ms(wall_ms).max(state.last_now);
        state.last_now
    }
}
