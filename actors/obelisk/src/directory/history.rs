//! The last commands of the directory, for those who follow it: bounded, so that
//! whoever is too far behind takes a snapshot instead. Pure.

use pyralog_directory::Command;
use std::collections::VecDeque;

/// What is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HistoryLimits {
    /// The most commands.
    pub(crate) commands_max: usize,
    /// The most bytes of them, as they are written.
    pub(crate) bytes_max: usize,
}

impl Default for HistoryLimits {
    fn default() -> HistoryLimits {
        HistoryLimits { commands_max: 10_000, bytes_max: 8 << 20 }
    }
}

#[derive(Debug)]
pub(crate) struct History {
    limits: HistoryLimits,
    /// The index of the last command.
    last: u64,
    /// The last commands up to it, with their bytes.
    commands: VecDeque<(Command, usize)>,
    bytes: usize,
}

impl History {
    /// Nothing is known of commands up to `last`.
    pub(crate) fn new(last: u64, limits: HistoryLimits) -> History {
        History { limits, last, commands: VecDeque::new(), bytes: 0 }
    }

    /// The command after the last, of so many bytes.
    pub(crate) fn push(&mut self, command: Command, bytes: usize) {
        self.last += 1;
        self.bytes += bytes;
        self.commands.push_back((command, bytes));
        let HistoryLimits { commands_max, bytes_max } = self.limits;
        while self.commands.len() > commands_max || self.bytes > bytes_max {
            let Some((_, bytes)) = self.commands.pop_front() else { break };
            self.bytes -= bytes;
        }
    }

    /// The commands after `after` in order, of at most `bytes_max` but at least
    /// one; `None` if the first of them is forgotten.
    pub(crate) fn after(&self, after: u64, bytes_max: usize) -> Option<Vec<Command>> {
        let behind = usize::try_from(self.last.checked_sub(after)?).ok()?;
        let skip = self.commands.len().checked_sub(behind)?;
        let mut bytes = 0;
        let due = self.commands.iter().skip(skip).take_while(|(_, more)| {
            let first = bytes == 0;
            bytes += more;
            first || bytes <= bytes_max
        });
        Some(due.map(|(command, _)| command.clone()).collect())
    }

    /// How many commands are kept.
    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_model::LogNumber;

    fn command(number: u64) -> Command {
        Command::DeleteLog { number: LogNumber(number) }
    }

    fn history(limits: HistoryLimits) -> History {
        let mut history = History::new(10, limits);
        (11..=20).for_each(|number| history.push(command(number), 100));
        history
    }

    fn expect(from: u64, to: u64) -> Option<Vec<Command>> {
        Some((from..=to).map(command).collect())
    }

    #[test]
    fn whoever_is_near_gets_what_follows() {
        let history = history(HistoryLimits::default());
        assert_eq!(history.after(20, 1_000), Some(Vec::new()));
        assert_eq!(history.after(17, 1_000), expect(18, 20));
        assert_eq!(history.after(10, 10_000), expect(11, 20));
        assert_eq!(history.after(9, 10_000), None, "before the beginning");
        assert_eq!(history.after(21, 10_000), None, "after the end");
    }

    #[test]
    fn an_answer_has_a_size_and_one_command_always_fits() {
        let history = history(HistoryLimits::default());
        assert_eq!(history.after(12, 250), expect(13, 14));
        assert_eq!(history.after(12, 1), expect(13, 13));
    }

    #[test]
    fn memory_is_bounded_by_count_and_by_bytes() {
        let few = history(HistoryLimits { commands_max: 3, bytes_max: 1 << 20 });
        assert_eq!((few.len(), few.after(17, 1_000)), (3, expect(18, 20)));
        assert_eq!(few.after(16, 1_000), None);
        let small = history(HistoryLimits { commands_max: 100, bytes_max: 450 });
        assert_eq!((small.len(), small.after(16, 1_000)), (4, expect(17, 20)));
        let none = history(HistoryLimits { commands_max: 100, bytes_max: 99 });
        assert_eq!((none.len(), none.after(19, 1_000)), (0, None));
        assert_eq!(none.after(20, 1_000), Some(Vec::new()));
    }
}
