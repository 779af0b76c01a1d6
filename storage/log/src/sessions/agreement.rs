//! Whether a table can have come from a log. A table is a fold over frames, but for
//! what was forgotten because it was idle: that leaves no trace in the log, and so a
//! table may know less than the log tells, never something else.

use super::SessionTable;

impl SessionTable {
    /// What contradicts that this table came from the same frames as `folded`, which
    /// has forgotten nothing. None if nothing does.
    pub(crate) fn contradiction(&self, folded: &SessionTable) -> Option<String> {
        // Up to this number a session may have been forgotten, and have begun anew.
        let forgotten = self.forgotten.session;
        for (id, seat) in &self.seats {
            match folded.seats.get(id) {
                None => return Some(format!("session {id} is in it and has not written")),
                Some(told) if *id > forgotten && told.session != seat.session => {
                    return Some(format!("of session {id} it has other batches than were written"));
                }
                Some(_) => {}
            }
        }
        let missing = |id: &&i64| **id > forgotten && !self.seats.contains_key(id);
        let missing = folded.seats.keys().find(missing);
        missing.map(|id| format!("session {id} has written and is not in it"))
    }

    /// True if nothing was forgotten on the way from `before` to here.
    pub(crate) fn forgot_nothing_since(&self, before: &SessionTable) -> bool {
        self.forgotten == before.forgotten
    }
}
