//! Changing the settings of a log. What runs follows: the reconciler tells the
//! partitions.

use super::Shen;
use pyralog_directory::Command;
use pyralog_model::{ApiError, ErrorCode, LogNumber, LogSettings};

/// A key and its new value; without one the node's default is put back.
type Change = (String, Option<String>);

impl Shen {
    /// Changes the settings that are named, or only checks that it could. Returns
    /// all of them as they are then.
    ///
    /// # Errors
    /// `setting-invalid`, and then none of them is changed.
    pub async fn alter_settings(
        &self,
        number: LogNumber,
        changes: Vec<Change>,
        validate_only: bool,
    ) -> Result<LogSettings, ApiError> {
        let _one_at_a_time = self.altering.lock().await;
        let present = self.changeable(number)?.settings.clone();
        self.set_all(number, present, &changes, validate_only).await
    }

    /// As `alter_settings`; every setting that is not named gets the node's default, but
    /// for the durability, which stays.
    pub async fn replace_settings(
        &self,
        number: LogNumber,
        changes: Vec<Change>,
        validate_only: bool,
    ) -> Result<LogSettings, ApiError> {
        let _one_at_a_time = self.altering.lock().await;
        let durability = self.changeable(number)?.settings.durability;
        let defaults = LogSettings { durability, ..self.settings.log_settings.clone() };
        self.set_all(number, defaults, &changes, validate_only).await
    }

    async fn set_all(
        &self,
        number: LogNumber,
        mut settings: LogSettings,
        changes: &[Change],
        validate_only: bool,
    ) -> Result<LogSettings, ApiError> {
        let defaults = &self.settings.log_settings;
        for (key, value) in changes {
            let set = match value {
                Some(value) => settings.set(key, value),
                None => settings.reset(key, defaults),
            };
            set.map_err(|error| ApiError::new(ErrorCode::SettingInvalid, error.to_string()))?;
        }
        let command = Command::AlterLog { number, settings: settings.clone() };
        self.hub.directory().check(&command)?;
        if !validate_only {
            self.propose(command).await?;
        }
        Ok(settings)
    }
}
