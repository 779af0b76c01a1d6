//! Which rows of the input are durable: what the server counts are the records it
//! was sent, and some rows become none.

use std::collections::VecDeque;

/// Where a piece of the body came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// Records in the pieces before it.
    pub records: u64,
    /// Rows of the input in front of its first record.
    pub rows: u64,
}

/// The pieces that may not be durable yet. Their number is bounded, since what the
/// server has not acknowledged is.
#[derive(Debug, Default)]
pub struct Ledger {
    marks: VecDeque<Mark>,
    durable: u64,
}

impl Ledger {
    /// A piece is on its way.
    pub fn sent(&mut self, mark: Mark) {
        self.marks.push_back(mark);
    }

    /// The first `records` of all are durable, without a gap.
    pub fn durable(&mut self, records: u64) {
        self.durable = self.durable.max(records);
        while self.marks.get(1).is_some_and(|mark| mark.records <= self.durable) {
            self.marks.pop_front();
        }
    }

    /// So many rows need not be sent again: all of their records are durable. Where
    /// rows between them became no records, this may be a few too small.
    pub fn rows_durable(&self) -> u64 {
        self.row_before(self.durable)
    }

    /// Records that are on their way, to the nearest piece. If the answer does not come,
    /// each of them may be in the log or not.
    pub fn in_doubt(&self) -> u64 {
        let sent = self.marks.back().map_or(0, |mark| mark.records);
        sent.saturating_sub(self.durable)
    }

    /// Rows in front of the record behind `records` others.
    fn row_before(&self, records: u64) -> u64 {
        let mark = self.marks.iter().rev().find(|mark| mark.records <= records);
        mark.map_or(0, |mark| mark.rows + (records - mark.records))
    }

    /// A message of the server's, with the row of the input in the place of the line
    /// of the body.
    pub fn translated(&self, message: &str, noun: &str) -> String {
        let parts = message.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
        let line = parts.and_then(|(line, what)| Some((line.parse::<u64>().ok()?, what)));
        match line {
            Some((line, what)) => {
                format!("{noun} {}: {what}", self.row_before(line.saturating_sub(1)) + 1)
            }
            None => message.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_from_records() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.rows_durable(), 0);
        // The first 100 rows were skipped; 10 of the next piece were invalid.
        for (records, rows) in [(0, 100), (50, 150), (90, 200)] {
            ledger.sent(Mark { records, rows });
        }
        for (durable, rows) in [(0, 100), (49, 149), (50, 150), (80, 180), (90, 200), (95, 205)] {
            ledger.durable(durable);
            assert_eq!(ledger.rows_durable(), rows, "{durable}");
            assert_eq!(ledger.in_doubt(), 90_u64.saturating_sub(durable));
        }
        assert_eq!(ledger.marks.len(), 1);
        // It never goes back.
        ledger.durable(3);
        assert_eq!(ledger.rows_durable(), 205);
    }

    #[test]
    fn the_server_s_lines_become_rows() {
        let mut ledger = Ledger::default();
        ledger.sent(Mark { records: 0, rows: 7 });
        assert_eq!(
            ledger.translated("line 3: too large: 5 bytes", "row"),
            "row 10: too large: 5 bytes"
        );
        assert_eq!(ledger.translated("line up: no", "row"), "line up: no");
        assert_eq!(ledger.translated("there is no log 'x'", "row"), "there is no log 'x'");
    }
}
