//! What a supervisor knows, and how it comes up.

mod closing;
mod effects;
mod ends;
mod requests;
mod starting;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ractor::{ActorCell, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::sync::watch;

use self::closing::Closing;
use super::life::Life;
use super::{Shared, StartChildError, SupervisorArguments, SupervisorMessage};
use crate::board::Board;
use crate::core::{Core, Exit};
use crate::household::Doorway;
use crate::tree::Outcome;
use crate::{ChildSpec, Intensity, Strategy, Vitals};

/// The state of one incarnation.
pub struct SupervisorState {
    pub(super) vitals: Vitals,
    myself: ActorRef<SupervisorMessage>,
    strategy: Strategy,
    intensity: Intensity,
    is_dynamic: bool,
    core: Core,
    slots: BTreeMap<u64, Slot>,
    place_next: u64,
    /// Ends that were heard of before their attendant reported them.
    exits: HashMap<ActorId, (Exit, String)>,
    board: Arc<Board>,
    doorway: Doorway,
    shared: Shared,
    shutdown_replies: Vec<RpcReplyPort<()>>,
    attendants: Vec<watch::Sender<Option<Outcome>>>,
    closing: Option<Closing>,
}

/// The private side of a child; the public side is its entry on the board.
struct Slot {
    spec: ChildSpec,
    generation: u64,
    life: Option<Life>,
    cell: Option<ActorCell>,
    was_added: bool,
    was_up: bool,
    start_reply: Option<RpcReplyPort<Result<ActorCell, StartChildError>>>,
    stop_replies: Vec<RpcReplyPort<bool>>,
}

impl SupervisorState {
    /// Starts the children in order. When one fails, those before it are
    /// stopped in reverse, and the supervisor has not started.
    pub(super) async fn open(
        myself: ActorRef<SupervisorMessage>,
        arguments: SupervisorArguments,
    ) -> Result<SupervisorState, ActorProcessingErr> {
        let SupervisorArguments { spec, board, doorway, vitals, shared } = arguments;
        let _ = board.strategy.set(spec.strategy);
        let mut state = SupervisorState {
            vitals,
            myself,
            strategy: spec.strategy,
            intensity: spec.intensity,
            is_dynamic: spec.dynamic,
            core: Core::new(&spec),
            slots: BTreeMap::new(),
            place_next: 0,
            exits: HashMap::new(),
            board,
            doorway,
            shared,
            shutdown_replies: Vec::new(),
            attendants: Vec::new(),
            closing: None,
        };
        for child in spec.children {
            if let Err(error) = state.start_first(child).await {
                state.close_inline().await;
                return Err(error.into());
            }
        }
        Ok(state)
    }
}
