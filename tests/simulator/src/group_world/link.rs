//! The way between a client and the coordinator. Requests arrive in the order in which
//! they were sent, as on a connection; some never do, some twice, and a stalled link
//! delivers much later.

use super::{Event, GroupWorld, Letter, Sender};
use pyralog_env::Monotonic;
use pyralog_groups::{GroupError, Reply, Request};

/// One direction is enough: answers may overtake each other.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// Nothing arrives before.
    pub(super) free_at: Monotonic,
}

impl GroupWorld {
    /// Sends a request and returns its number.
    pub(super) fn send(&mut self, sender: Sender, request: Request) -> u64 {
        let number = self.letter_next;
        self.letter_next += 1;
        if !self.is_quiet && self.chance.percent(3) {
            self.tally.lost_requests += 1;
            return number;
        }
        let latency = self.millis(20);
        let client = if let Sender::Client(client) = sender { client } else { usize::MAX };
        let link = self.links.entry(client).or_default();
        let at = link.free_at.max(self.now + latency);
        link.free_at = at;
        // A commit that came twice with others between would be the client's own doing.
        let may_repeat = !matches!(request, Request::Commit(_));
        let letter = Letter { sender, number, request };
        if may_repeat && !self.is_quiet && self.chance.percent(3) {
            self.tally.repeated += 1;
            let copy = Letter { number: self.letter_next, ..letter.clone() };
            self.letter_next += 1;
            let late = self.millis(2_000);
            self.at(at + late, Event::Arrives(copy));
        }
        self.at(at, Event::Arrives(letter));
        number
    }

    pub(super) fn send_back(
        &mut self,
        sender: Sender,
        number: u64,
        answer: Result<Reply, GroupError>,
    ) {
        if !self.is_quiet && self.chance.percent(3) {
            self.tally.lost_answers += 1;
            return;
        }
        let latency = self.millis(20);
        self.after(latency, Event::Answers { sender, number, answer });
    }
}
