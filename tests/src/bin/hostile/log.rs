//! The log that clients read and write, always nearly empty.

use anyhow::{Context, Result, ensure};
use pyralog_model::{LogName, PartitionId};
use pyralog_partition::CreateLog;
use pyralog_tests::batch::{Record, encode};
use pyralog_tests::kafka::{Client, code};
use pyralog_trees::NodeTree;
use std::net::SocketAddr;

/// The log is made afresh at this size: what a reader asks for is no attack,
/// so there must not be much to read.
const LOG_BYTES_MAX: u64 = 4 * 1024;
const LOG: &str = "flights";
const PARTITIONS: u32 = 2;

/// Puts a plain record of the end of time at the front of each partition: what
/// a lookup by timestamp finds is always this one, so none pays for opening a
/// compressed batch. That is the price of what is stored, not of what is sent.
pub fn plant(address: SocketAddr) -> Result<()> {
    let mut client = Client::dial(address)?;
    for partition in 0..PARTITIONS as i32 {
        let batch =
            encode(&[Record { timestamp: i64::MAX, key: None, value: Some(b"planted".to_vec()) }]);
        let produced = client.produce(LOG, partition, batch)?;
        ensure!(produced.code == code::NONE, "cannot plant a record: {}", produced.code);
    }
    Ok(())
}

/// Makes the log, again if it has grown; true if it is fresh.
pub async fn fresh_log(node: &NodeTree) -> Result<bool> {
    let shen = node.shen.as_ref().context("a Pyramid")?;
    if let Some(log) = shen.log(LOG) {
        let mut bytes = 0;
        for partition in 0..PARTITIONS {
            let sizes = shen.partition(PartitionId::new(log.number.0, partition))?.sizes;
            bytes += sizes.segment_bytes + sizes.tail_bytes as u64;
        }
        if bytes <= LOG_BYTES_MAX {
            return Ok(false);
        }
        shen.delete_log(log.number).await?;
    }
    let create = CreateLog {
        name: LogName::for_user(LOG).expect("a good name"),
        partitions: Some(PARTITIONS),
        replication_factor: None,
        settings: Vec::new(),
        schema: None,
        validate_only: false,
    };
    shen.create_log(create).await?;
    Ok(true)
}
