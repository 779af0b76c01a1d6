//! Reading records and queueing them as pieces of the request's body.
//!
//! This runs on a thread that may wait: standard input can only be read by waiting
//! for it. The queue is bounded, so memory is, however long the input.

use super::ledger::Mark;
use super::progress::Progress;
use super::record::{Fault, Record, Records};
use crate::failure::Failure;
use bytes::Bytes;
use futures::SinkExt;
use futures::channel::mpsc;
use pyralog_console::ConsoleLimits;
use pyralog_model::ErrorCode;
use std::mem;

/// Records are sent in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces waiting to be sent.
pub const PIECES_WAITING: usize = 16;

/// A piece of the body.
pub struct Piece {
    /// Whole lines.
    pub bytes: Bytes,
    /// Where they came from.
    pub mark: Mark,
}

/// Which rows become records.
#[derive(Debug, Clone, Copy, Default)]
pub struct FeedRules {
    /// So many rows at the beginning do not.
    pub skip_rows: u64,
    /// Nor do invalid ones; without this they end the reading.
    pub skip_invalid: bool,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Fed {
    /// Rows in all, with those that were skipped, without one that ended the reading.
    pub rows: u64,
    /// Rows that are no records.
    pub invalid: u64,
    /// The first of them, with what is wrong with it.
    pub invalid_first: Option<String>,
    /// Fields that became null.
    pub nulls: u64,
}

/// One input on its way into the queue.
pub struct Feed {
    records: Box<dyn Records>,
    rules: FeedRules,
    sender: mpsc::Sender<Piece>,
    progress: Progress,
    fed: Fed,
    sent: u64,
}

impl Feed {
    /// Of these records, into this queue.
    pub fn new(
        records: Box<dyn Records>,
        rules: FeedRules,
        sender: mpsc::Sender<Piece>,
        progress: Progress,
    ) -> Feed {
        Feed { records, rules, sender, progress, fed: Fed::default(), sent: 0 }
    }

    /// Reads to the end, or to the first fault. Ends early, without an error, when
    /// the other side has stopped taking pieces. What was read before a fault is sent.
    pub fn run(mut self) -> (Fed, Result<(), Failure>) {
        let mut outcome = Ok(true);
        while let Ok(true) = outcome {
            let mut bytes = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 8);
            let mut mark = Mark { records: self.sent, rows: self.fed.rows };
            outcome = self.fill(&mut bytes, &mut mark);
            self.fed.nulls = self.records.nulls();
            self.progress.read(self.fed.rows);
            let taken = bytes.is_empty() || {
                let piece = Piece { bytes: Bytes::from(bytes), mark };
                tokio::runtime::Handle::current().block_on(self.sender.send(piece)).is_ok()
            };
            if !taken {
                break;
            }
        }
        (mem::take(&mut self.fed), outcome.map(|_| ()))
    }

    /// Fills a piece; false at the end of the input.
    fn fill(&mut self, bytes: &mut Vec<u8>, mark: &mut Mark) -> Result<bool, Failure> {
        let line_bytes_max = ConsoleLimits::default().line_bytes_max;
        let mut record = Record::default();
        // A piece is sent when it is large, and when more would have to be waited for.
        while bytes.len() < PIECE_BYTES && (bytes.is_empty() || !self.records.is_drained()) {
            match self.records.next(&mut record) {
                Ok(false) => return Ok(false),
                Ok(true) if self.fed.rows < self.rules.skip_rows => {
                    self.fed.rows += 1;
                    continue;
                }
                Ok(true) => {}
                Err(Fault::Invalid { line, why }) => {
                    self.invalid(line, &why)?;
                    self.fed.rows += 1;
                    continue;
                }
                Err(Fault::Fatal(failure)) => return Err(failure),
            }
            if bytes.is_empty() {
                mark.rows = self.fed.rows;
            }
            let before = bytes.len();
            record.write(bytes);
            if bytes.len() - before > line_bytes_max {
                // Those before it go, and none after. The server would say the same,
                // but only after it was sent all of it.
                bytes.truncate(before);
                return Err(refused_as_too_large("line", self.records.line(), line_bytes_max));
            }
            self.sent += 1;
            self.fed.rows += 1;
        }
        Ok(true)
    }

    fn invalid(&mut self, line: u64, why: &str) -> Result<(), Failure> {
        if self.fed.rows < self.rules.skip_rows {
            return Ok(());
        }
        let why = format!("line {line}: {why}");
        if !self.rules.skip_invalid {
            return Err(Failure::failed(why));
        }
        self.fed.invalid += 1;
        self.fed.invalid_first.get_or_insert(why);
        Ok(())
    }
}

/// That something in the input is longer than a server takes, wherever it is.
pub fn too_large(what: &str, line: u64, bytes_max: usize) -> Fault {
    Fault::Fatal(refused_as_too_large(what, line, bytes_max))
}

fn refused_as_too_large(what: &str, line: u64, bytes_max: usize) -> Failure {
    let message = format!("{what} {line}: longer than {bytes_max} bytes");
    Failure::from_server(ErrorCode::RecordTooLarge.as_str(), &message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::produce::csv::{CsvForm, CsvRecords};
    use futures::StreamExt;
    use std::io::BufReader;

    /// What is fed, and the pieces as marks and texts.
    async fn feed(text: String, rules: FeedRules) -> (Fed, Option<String>, Vec<(Mark, String)>) {
        let input = BufReader::new(std::io::Cursor::new(text));
        let records = CsvRecords::open(input, CsvForm::default(), 10_000).unwrap();
        let (sender, pieces) = mpsc::channel(1);
        let feed = Feed::new(Box::new(records), rules, sender, Progress::hidden());
        let reading = tokio::task::spawn_blocking(move || feed.run());
        let text = |piece: Piece| (piece.mark, String::from_utf8(piece.bytes.to_vec()).unwrap());
        let pieces = pieces.map(text).collect().await;
        let (fed, outcome) = reading.await.unwrap();
        (fed, outcome.err().map(|failure| failure.to_string()), pieces)
    }

    #[tokio::test]
    async fn marks_tell_rows_from_records() {
        let rows: String = (0..20_000)
            .map(|row| if row % 100 == 7 { "1,2\n".into() } else { format!("{row}\n") })
            .collect();
        let rules = FeedRules { skip_rows: 150, skip_invalid: true };
        let (fed, failed, pieces) = feed(format!("row\n{rows}"), rules).await;
        // Of the first 150 nothing is said, not even that two are invalid.
        assert_eq!((fed.rows, fed.invalid, failed), (20_000, 198, None));
        assert!(fed.invalid_first.unwrap().starts_with("line 209: 2 fields"));
        assert!(pieces.len() > 5);
        let mut records = 0;
        for (mark, text) in pieces {
            assert_eq!(mark.records, records);
            let first = format!("{{\"value\":\"{{\\\"row\\\":{}}}\"}}", mark.rows);
            assert_eq!(text.lines().next(), Some(first.as_str()));
            records += text.lines().count() as u64;
        }
        assert_eq!(records, 20_000 - 150 - 198);
    }

    #[tokio::test]
    async fn what_stands_before_a_fault_is_sent() {
        let rules = FeedRules { skip_rows: 1, skip_invalid: false };
        let (fed, failed, pieces) = feed("row\n1\n2\n3\n4,\n5\n".into(), rules).await;
        assert_eq!(fed.rows, 3);
        assert!(failed.unwrap().contains("line 5: 2 fields, but there are 1 columns"));
        let sent: usize = pieces.iter().map(|(_, text)| text.lines().count()).sum();
        assert_eq!(sent, 2);
        let (fed, failed, _) = feed(format!("row\n1\n\"{}", "x".repeat(20_000)), rules).await;
        assert_eq!(fed.rows, 1);
        assert!(failed.unwrap().contains("row at line 3: longer than 10000 bytes"));
    }
}
