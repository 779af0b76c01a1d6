//! Making, growing and deleting logs: proposals to the Obelisk, each answered when
//! this node shows what was done.

use super::{CreateLog, Shen, internal};
use crate::log_entry::{LogEntry, entry};
use pyralog_directory::{Command, Directory};
use pyralog_model::{ApiError, ErrorCode, LogName, LogNumber, LogSettings, PartitionId, Schema};
use pyralog_pharaoh::{Answer, Made, Request};
use std::sync::Arc;
use std::time::Duration;

/// How long a new log may take to serve.
const CREATION_PATIENCE: Duration = Duration::from_secs(5);
/// How long this node's copy of the directory may be behind a change it made.
const COPY_PATIENCE: Duration = Duration::from_secs(5);

impl Shen {
    /// Creates a log, or only checks that it could be. Returns when its
    /// partitions serve.
    pub async fn create_log(&self, create: CreateLog) -> Result<Arc<LogEntry>, ApiError> {
        let CreateLog { name, schema, validate_only, .. } = create;
        if name.is_internal() {
            return Err(internal(&name));
        }
        let partitions = create.partitions.unwrap_or(self.settings.default_partitions);
        self.check_partitions(partitions, partitions)?;
        check_replication(create.replication_factor)?;
        let mut settings = self.settings.log_settings.clone();
        for (key, value) in &create.settings {
            let set = settings.set(key, value);
            set.map_err(|error| ApiError::new(ErrorCode::SettingInvalid, error.to_string()))?;
        }
        let possible = settings.check();
        possible.map_err(|error| ApiError::new(ErrorCode::SettingInvalid, error.to_string()))?;
        if self.log(name.as_str()).is_some() {
            let message = format!("there is a log '{name}' already");
            return Err(ApiError::new(ErrorCode::LogExists, message));
        }
        let command = creation(name.clone(), partitions, settings, schema);
        match validate_only {
            true => self.would_make(&name, &command),
            false => self.make(name, partitions, command).await,
        }
    }

    /// Finds one of the cluster's own logs, whose names begin with `__`, or makes it.
    /// Of two who ask at once, both get the same log.
    ///
    /// # Errors
    /// As for `create_log`; `log-name-invalid` for a name of users.
    pub async fn create_internal_log(
        &self,
        name: LogName,
        partitions: u32,
        settings: LogSettings,
    ) -> Result<Arc<LogEntry>, ApiError> {
        if !name.is_internal() {
            let message = format!("'{name}' is a name of users; internal logs begin with '__'");
            return Err(ApiError::new(ErrorCode::LogNameInvalid, message));
        }
        let command = creation(name.clone(), partitions, settings, None);
        if let Some(log) = self.log(name.as_str()) {
            self.await_serving(log.number, log.partitions).await?;
            return Ok(log);
        }
        match self.make(name.clone(), partitions, command).await {
            Err(error) if error.code == ErrorCode::LogExists => self.made_by_another(&name).await,
            made => made,
        }
    }

    /// Deletes a log. Its files go soon after.
    pub async fn delete_log(&self, number: LogNumber) -> Result<(), ApiError> {
        self.changeable(number)?;
        self.propose(Command::DeleteLog { number }).await.map(|_| ())
    }

    /// Gives a log a schema, or appends columns to the one that it has; the version
    /// in `wanted` does not count. Returns the schema as it is then.
    ///
    /// # Errors
    /// `schema-invalid` if the present columns are not the first of the wanted ones.
    pub async fn alter_schema(
        &self,
        number: LogNumber,
        wanted: Schema,
    ) -> Result<Schema, ApiError> {
        self.changeable(number)?;
        let command = Command::AlterSchema { number, schema: wanted };
        self.hub.directory().check(&command)?;
        self.propose(command).await?;
        let schema = self.changeable(number)?.schema.clone();
        schema.ok_or_else(|| ApiError::unavailable("this node's copy of the directory"))
    }

    /// Appends partitions to a log until there are `total`, or only checks that it
    /// could be. Returns when they serve. Keys of records go elsewhere from then on.
    pub async fn add_partitions(
        &self,
        number: LogNumber,
        total: u32,
        validate_only: bool,
    ) -> Result<(), ApiError> {
        let log = self.changeable(number)?;
        let command = Command::AddPartitions { number, partitions: total };
        self.hub.directory().check(&command)?;
        self.check_partitions(total, total - log.partitions)?;
        if validate_only {
            return Ok(());
        }
        self.propose(command).await?;
        self.await_serving(number, total).await
    }

    /// Changes the directory, and waits until this node's copy shows it: whoever
    /// asks next sees what was done.
    pub(super) async fn propose(&self, command: Command) -> Result<Made, ApiError> {
        match self.pharaoh.ask(Request::Propose(command)).await? {
            Answer::Done { index, made } => {
                self.hub.reach(index, COPY_PATIENCE).await?;
                Ok(made)
            }
            other => Err(unexpected(&other)),
        }
    }

    async fn make(
        &self,
        name: LogName,
        partitions: u32,
        command: Command,
    ) -> Result<Arc<LogEntry>, ApiError> {
        match self.propose(command).await? {
            Made::Log(number) => self.await_serving(number, partitions).await?,
            other => return Err(unexpected(&other)),
        }
        self.log(name.as_str()).ok_or_else(|| {
            ApiError::new(ErrorCode::LogNotFound, format!("log '{name}' was deleted meanwhile"))
        })
    }

    /// The log as it would be.
    fn would_make(&self, name: &LogName, command: &Command) -> Result<Arc<LogEntry>, ApiError> {
        let mut trial = Directory::clone(&self.hub.directory());
        trial.apply(trial.last_index() + 1, command)?;
        let log = trial.log(name).ok_or_else(|| ApiError::unavailable("the directory"))?;
        Ok(entry(&trial, log))
    }

    /// Somebody was faster, and this node's copy may not show it yet.
    async fn made_by_another(&self, name: &LogName) -> Result<Arc<LogEntry>, ApiError> {
        let mut changes = self.hub.watch();
        let shown = changes.wait_for(|directory| directory.log(name).is_some());
        // The sender lives as long as the hub.
        let _ = tokio::time::timeout(COPY_PATIENCE, shown).await;
        let log = self.log(name.as_str());
        let log = log.ok_or_else(|| ApiError::unavailable("this node's copy of the directory"))?;
        self.await_serving(log.number, log.partitions).await?;
        Ok(log)
    }

    /// Whether a log may have `partitions` if so many of them are new.
    fn check_partitions(&self, partitions: u32, new: u32) -> Result<(), ApiError> {
        let refuse = |message| Err(ApiError::new(ErrorCode::PartitionsInvalid, message));
        let per_log = self.settings.partitions_per_log_max;
        if partitions == 0 || partitions > per_log {
            return refuse(format!("a log has 1 to {per_log} partitions, not {partitions}"));
        }
        let present: u32 = self.hub.directory().logs().map(|log| log.partitions).sum();
        let most = self.settings.partitions_max;
        if present.saturating_add(new) > most {
            return refuse(format!(
                "this node has {present} partitions and takes at most {most}; \
                 raise partitions_max or delete a log"
            ));
        }
        Ok(())
    }

    /// Returns when the partitions that are placed here serve.
    async fn await_serving(&self, log: LogNumber, partitions: u32) -> Result<(), ApiError> {
        let (directory, here) = (self.hub.directory(), self.node());
        let ours = |id: &PartitionId| {
            directory.placement(*id).is_some_and(|place| place.replicas.contains(&here))
        };
        let ids = (0..partitions).map(|partition| PartitionId::new(log.0, partition));
        let ids: Vec<PartitionId> = ids.filter(ours).collect();
        let mut changes = self.routes.watch();
        let serving = async {
            loop {
                let all = ids.iter().all(|id| self.routes.gate(*id).is_some());
                if all || changes.changed().await.is_err() {
                    return;
                }
            }
        };
        let waited = tokio::time::timeout(CREATION_PATIENCE, serving).await;
        waited.map_err(|_| {
            ApiError::new(
                ErrorCode::Timeout,
                "it is done, but not all partitions serve yet; look at `pyralog actors`",
            )
        })
    }
}

fn creation(
    name: LogName,
    partitions: u32,
    settings: LogSettings,
    schema: Option<Schema>,
) -> Command {
    let (replication_factor, internal) = (1, name.is_internal());
    match schema {
        None => Command::CreateLog { name, partitions, replication_factor, settings, internal },
        Some(schema) => Command::CreateTypedLog {
            name,
            partitions,
            replication_factor,
            settings,
            internal,
            schema,
        },
    }
}

fn check_replication(factor: Option<u16>) -> Result<(), ApiError> {
    match factor {
        None | Some(1) => Ok(()),
        Some(other) => Err(ApiError::new(
            ErrorCode::ReplicationInvalid,
            format!("{other} replicas were asked for, but there is 1 live Pyramid"),
        )),
    }
}

fn unexpected(answer: &impl std::fmt::Debug) -> ApiError {
    let message = format!("the Obelisk answered something else: {answer:?}; please report it");
    ApiError::new(ErrorCode::Internal, message)
}
