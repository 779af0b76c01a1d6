//! Knowing when a supervisor has left nothing behind.
//!
//! When a supervisor is killed, ractor kills what is linked to it and forgets
//! it; nobody is told when the last descendant's state is gone. So each
//! incarnation of a supervisor is a household: whoever lives in it, at any
//! depth, holds a token, and the parent starts the next incarnation only when
//! every token has been dropped. A token is the sending half of a channel on
//! which nothing is ever sent: it cannot be forgotten, only dropped.
//!
//! Tokens are held by the attendants of lives, never by a supervisor's state:
//! that travels in the event of its end, and may wait there for a parent which
//! itself waits for the household to be empty.

use std::convert::Infallible;

use tokio::sync::mpsc;

/// A token of one household and of all those around it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Household(Vec<mpsc::Sender<Infallible>>);

/// The right of a supervisor to take in children while it lives.
#[derive(Debug, Clone, Default)]
pub(crate) struct Doorway(Vec<mpsc::WeakSender<Infallible>>);

/// What the parent waits on.
#[derive(Debug)]
pub(crate) struct Remains(mpsc::Receiver<Infallible>);

impl Household {
    /// A household within this one, and the way to learn that it is empty.
    pub(crate) fn nested(&self) -> (Household, Remains) {
        let (token, remains) = mpsc::channel(1);
        let mut tokens = self.0.clone();
        tokens.push(token);
        (Household(tokens), Remains(remains))
    }

    pub(crate) fn doorway(&self) -> Doorway {
        Doorway(self.0.iter().map(mpsc::Sender::downgrade).collect())
    }
}

impl Doorway {
    /// A token for a new child; None when the household is already empty,
    /// because the supervisor is no more.
    pub(crate) fn enter(&self) -> Option<Household> {
        let tokens: Option<Vec<_>> = self.0.iter().map(mpsc::WeakSender::upgrade).collect();
        tokens.map(Household)
    }
}

impl Remains {
    /// Resolves when the last token of the household has been dropped.
    pub(crate) async fn gone(mut self) {
        let nothing = self.0.recv().await;
        debug_assert!(nothing.is_none(), "nothing can be sent on this channel");
    }
}
