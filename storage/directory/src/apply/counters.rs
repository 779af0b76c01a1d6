//! Counters of users.

use crate::counters::COUNTERS_MAX;
use crate::directory::Directory;
use crate::error::DirectoryError;
use pyralog_model::{CounterMode, CounterName, CounterNumber};

impl Directory {
    pub(super) fn check_counter(
        &self,
        name: &CounterName,
        mode: CounterMode,
    ) -> Result<(), DirectoryError> {
        self.check_is_founded()?;
        match self.counter(name) {
            Some(own) if own.number < CounterNumber::FIRST_OF_USERS => {
                Err(DirectoryError::CounterReserved(own.name))
            }
            Some(there) if there.mode == mode => Ok(()),
            Some(there) => {
                Err(DirectoryError::CounterExists { name: there.name, mode: there.mode })
            }
            None if self.counters.len() >= COUNTERS_MAX as usize => {
                Err(DirectoryError::CountersExhausted { most: COUNTERS_MAX })
            }
            None => Ok(()),
        }
    }

    pub(super) fn create_counter(
        &mut self,
        name: &CounterName,
        mode: CounterMode,
    ) -> CounterNumber {
        match self.counter(name) {
            Some(there) => there.number,
            None => self.counters.push(name, mode),
        }
    }
}
