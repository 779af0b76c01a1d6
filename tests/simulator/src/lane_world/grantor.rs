//! The Obelisk's side: the real directory, whose commands carry a steady clock.

use pyralog_counter::SteadyClock;
use pyralog_directory::{Command, Directory, DirectoryError, Mutation, Outcome, Roles};
use pyralog_env::sim::SimClock;
use pyralog_env::{Clock, WallMillis};
use pyralog_model::{
    ClusterId, Incarnation, Lane, LogicalClock, NodeName, NodeNumber, SCARAB_EPOCH_MS, StartToken,
    StoreId,
};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

/// How long leases are.
pub(super) const TERM_MS: u32 = 600_000;
/// When worlds begin, by everybody's wall: about 2027.
pub(super) const BEGIN_MS: u64 = SCARAB_EPOCH_MS + 63_072_000_000;
/// Lanes that nobody had before a world begins.
const NEVER_USED: u16 = 2;

pub(super) struct Grantor {
    pub(super) directory: Directory,
    pub(super) clock: SimClock,
    steady: SteadyClock,
}

impl Grantor {
    /// Nearly all lanes were leased before; with `scarce` none of those leases has
    /// ended yet.
    pub(super) fn new(scarce: bool) -> Grantor {
        static SOME: OnceLock<Directory> = OnceLock::new();
        static SCARCE: OnceLock<Directory> = OnceLock::new();
        let used = if scarce { &SCARCE } else { &SOME };
        let directory = used.get_or_init(|| used_directory(scarce)).clone();
        let clock = SimClock::new(WallMillis(BEGIN_MS as i64));
        let steady = SteadyClock::new(directory.clock().unix_ms(), clock.monotonic());
        Grantor { directory, clock, steady }
    }

    pub(super) fn plant(&mut self) {
        self.directory.plant(Some(Mutation::LaneReissued));
    }

    /// The process is gone and comes back: its clock begins at the directory's.
    pub(super) fn restart(&mut self) {
        self.clock = SimClock::new(self.clock.wall());
        let floor_ms = self.directory.clock().unix_ms();
        self.steady = SteadyClock::new(floor_ms, self.clock.monotonic());
    }

    pub(super) fn now(&mut self) -> LogicalClock {
        let now = self.steady.now(self.clock.wall(), self.clock.monotonic());
        LogicalClock::at_unix_ms(now)
    }

    pub(super) fn advance(&mut self, duration: Duration) {
        self.clock.advance(duration);
    }

    pub(super) fn decide(&mut self, command: &Command) -> Result<Outcome, DirectoryError> {
        let index = self.directory.last_index() + 1;
        self.directory.apply(index, command)
    }
}

pub(super) fn start_node(number: usize, presented: Vec<StartToken>, next: StartToken) -> Command {
    Command::StartNode {
        name: NodeName(format!("node-{number}")),
        store: StoreId(number as u128 + 1),
        roles: Roles::BOTH,
        presented,
        next,
        advertised: BTreeMap::new(),
    }
}

/// A directory in which another node has had all lanes but a few.
fn used_directory(scarce: bool) -> Directory {
    let mut directory = Directory::default();
    let mut index = 0;
    let mut decide = |command: &Command| {
        index += 1;
        directory.apply(index, command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    };
    decide(&Command::FoundCluster { cluster: ClusterId(1) });
    let mut token = StartToken(0);
    for at in 0..u32::from(Lane::COUNT - NEVER_USED) {
        let next = StartToken(u128::from(at) + 1);
        let started = decide(&start_node(100, vec![token], next));
        let Outcome::NodeStarted { number, incarnation } = started else { panic!("{started:?}") };
        token = next;
        // Ends of leases lie about the beginning of the world, or shortly after it.
        let ends_ms = if scarce { 60_000 + at * 900 } else { at * 2_000 };
        let begin = LogicalClock::at_unix_ms(BEGIN_MS - 1_000_000);
        let term_ms = if scarce { 1_000_000 + ends_ms } else { 1 + ends_ms };
        decide(&lease(number, incarnation, LogicalClock(0), begin, term_ms));
    }
    directory
}

pub(super) fn lease(
    node: NodeNumber,
    incarnation: Incarnation,
    floor: LogicalClock,
    now: LogicalClock,
    term_ms: u32,
) -> Command {
    Command::LeaseLane { node, incarnation, floor, now, term_ms }
}
