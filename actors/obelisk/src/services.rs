//! What an Obelisk gives out, each by a service of its own.

mod desk_keeper;
mod lanes;
mod scarab;

pub(crate) use desk_keeper::{DeskArguments, DeskKeeper, DeskMessage};
pub(crate) use lanes::{Lanes, LanesArguments, LanesMessage, leased_now};
pub(crate) use scarab::{Scarab, ScarabArguments, ScarabMessage};
