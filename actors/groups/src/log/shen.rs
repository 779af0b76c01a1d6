//! A partition of `__groups` behind the façade.

use super::{AppendError, COORDINATORS, GROUPS_LOG, GroupLog, GroupLogs, Listed};
use crate::record::EncodedRecord;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use pyralog_env::WallMillis;
use pyralog_model::{
    ApiError, BatchBuilder, BatchHeader, ErrorCode, LogNumber, LogSettings, Offset, PartitionId,
    decode_records, stored_batches,
};
use pyralog_partition::{Shen, Slice};
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Where a batch is closed, in bytes.
const BATCH_BYTES: usize = 512 << 10;
/// Bytes that are read at once.
const READ_BYTES: usize = 4 << 20;
/// Records are not compressed: a batch is never larger in memory than in the log.
const DECODED_BYTES_MAX: usize = 64 << 20;

/// Where a segment is sealed, in bytes: what checkpoints leave behind should go soon.
const SEGMENT_BYTES: u64 = 16 << 20;

/// The real log.
#[derive(Debug)]
pub(crate) struct ShenLogs {
    shen: Shen,
    /// Made for the first who asks, and the same for all.
    follower: OnceLock<Follower>,
}

impl ShenLogs {
    /// Behind a façade of whoever's.
    pub(crate) fn new(shen: &Shen) -> ShenLogs {
        ShenLogs { shen: shen.for_cluster(), follower: OnceLock::new() }
    }

    async fn create(&self) -> Result<(), ApiError> {
        let name = GROUPS_LOG.parse().expect("it is a name");
        let settings = LogSettings {
            segment_bytes: SEGMENT_BYTES,
            scarab_ids: false,
            ..LogSettings::default()
        };
        self.shen.create_internal_log(name, COORDINATORS, settings).await.map(|_| ())
    }
}

impl GroupLogs for ShenLogs {
    fn exist(&self) -> bool {
        self.shen.log(GROUPS_LOG).is_some()
    }

    fn create(&self) -> BoxFuture<'_, Result<(), ApiError>> {
        ShenLogs::create(self).boxed()
    }

    fn partition(&self, partition: u32) -> Arc<dyn GroupLog> {
        Arc::new(ShenLog { shen: self.shen.clone(), partition })
    }

    fn number(&self, log: &str) -> Option<LogNumber> {
        self.shen.log(log).map(|log| log.number)
    }

    fn listed(&self) -> watch::Receiver<Listed> {
        self.follower.get_or_init(|| Follower::new(self.shen.clone())).listed.clone()
    }
}

/// Keeps the list of all logs as the directory changes.
#[derive(Debug)]
struct Follower {
    listed: watch::Receiver<Listed>,
    task: JoinHandle<()>,
}

impl Follower {
    fn new(shen: Shen) -> Follower {
        let mut directory = shen.watch_directory();
        let (sender, listed) = watch::channel(list(&shen));
        let task = tokio::spawn(async move {
            while directory.changed().await.is_ok() {
                let list = list(&shen);
                sender.send_if_modified(|listed| {
                    let changes = *listed != list;
                    *listed = list;
                    changes
                });
            }
        });
        Follower { listed, task }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn list(shen: &Shen) -> Listed {
    let logs = shen.logs();
    Arc::new(logs.iter().map(|log| (log.name.as_str().to_owned(), log.number)).collect())
}

/// One of its partitions.
#[derive(Debug)]
struct ShenLog {
    shen: Shen,
    partition: u32,
}

impl ShenLog {
    fn id(&self) -> Result<PartitionId, ApiError> {
        let log = self.shen.log(GROUPS_LOG);
        let log = log.ok_or_else(|| ApiError::unavailable("the log of the groups"))?;
        Ok(PartitionId::new(log.number.0, self.partition))
    }

    async fn append(&self, records: &[EncodedRecord], at: WallMillis) -> Result<u64, AppendError> {
        let id = self.id().map_err(AppendError::Refused)?;
        let batches = batches(records, at).map_err(AppendError::Refused)?;
        let pending = self.shen.append(id, batches).await.map_err(AppendError::Refused)?;
        pending.await.map(|appended| appended.base_offset.0).map_err(uncertain)
    }

    async fn read(&self, from: u64) -> Result<Vec<EncodedRecord>, ApiError> {
        let Slice { batches, .. } = self.shen.read(self.id()?, Offset(from), READ_BYTES).await?;
        let mut records = Vec::new();
        for (header, batch) in stored_batches(batches.concat().into()).map_err(malformed)? {
            let base = u64::try_from(header.base_offset).map_err(malformed)?;
            let decoded = decode_records(&header, &batch, DECODED_BYTES_MAX).map_err(malformed)?;
            for (offset, record) in (base..).zip(decoded) {
                let record = record.map_err(malformed)?;
                if offset >= from {
                    let key = record.key.unwrap_or_default().to_vec();
                    let value = record.value.map(|value| value.to_vec());
                    records.push(EncodedRecord { key, value });
                }
            }
        }
        Ok(records)
    }
}

impl GroupLog for ShenLog {
    fn serving(&self) -> BoxFuture<'_, ()> {
        async {
            let mut directory = self.shen.watch_directory();
            loop {
                if let Ok(id) = self.id() {
                    return self.shen.serving(id).await;
                }
                // The sender lives as long as the façade.
                if directory.changed().await.is_err() {
                    return;
                }
            }
        }
        .boxed()
    }

    fn bounds(&self) -> Result<(u64, u64), ApiError> {
        let marks = self.shen.watermarks(self.id()?)?;
        Ok((marks.log_start.0, marks.high.0))
    }

    fn append(
        &self,
        records: Vec<EncodedRecord>,
        at: WallMillis,
    ) -> BoxFuture<'_, Result<u64, AppendError>> {
        async move { ShenLog::append(self, &records, at).await }.boxed()
    }

    fn read(&self, from: u64) -> BoxFuture<'_, Result<Vec<EncodedRecord>, ApiError>> {
        ShenLog::read(self, from).boxed()
    }

    fn trim(&self, before: u64) -> BoxFuture<'_, Result<(), ApiError>> {
        async move { self.shen.delete_records(self.id()?, Offset(before)).await.map(|_| ()) }
            .boxed()
    }
}

fn batches(
    records: &[EncodedRecord],
    at: WallMillis,
) -> Result<Vec<(BatchHeader, Bytes)>, ApiError> {
    let (mut builder, mut batches) = (BatchBuilder::new(), Vec::new());
    for record in records {
        if !builder.is_empty() && builder.bytes() + record.bytes() > BATCH_BYTES {
            batches.extend(builder.finish());
        }
        builder.push(at.0, Some(&record.key), record.value.as_deref(), &[]);
    }
    batches.extend(builder.finish());
    let with_header = |batch: Bytes| Ok((BatchHeader::parse(&batch).map_err(malformed)?, batch));
    batches.into_iter().map(with_header).collect()
}

fn malformed(error: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Internal, format!("the log of the groups holds no batch: {error}"))
}

/// Only these say that nothing was stored.
fn uncertain(error: ApiError) -> AppendError {
    match error.code {
        ErrorCode::Overloaded | ErrorCode::DiskFull | ErrorCode::RecordTooLarge => {
            AppendError::Refused(error)
        }
        _ => AppendError::Unknown(error),
    }
}
