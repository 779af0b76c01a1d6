//! Collecting records into batches, per partition.

use crate::api::{RecordIn, Text};
use crate::murmur2::partition_of;
use crate::reply::Refusal;
use bytes::Bytes;
use pyralog_model::{BATCH_HEADER_BYTES, BatchBuilder, BatchHeader, ErrorCode};
use std::collections::BTreeMap;

/// A batch is sent when it has this many bytes …
const BATCH_BYTES: usize = 256 * 1024;
/// … or this many records …
const BATCH_RECORDS: usize = 1_000;
/// … or when all that is collected together has this many bytes.
const COLLECTED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A batch that is ready to be appended.
#[derive(Debug)]
pub struct Full {
    pub partition: u32,
    pub header: BatchHeader,
    pub batch: Bytes,
    /// Which record of the body its first one is, from 0.
    pub first: u64,
}

/// A batch that takes more.
struct Open {
    batch: BatchBuilder,
    first: u64,
}

/// Open batches.
pub struct Collector {
    partitions: u32,
    /// The log's own limit for a batch.
    batch_bytes_max: usize,
    /// Every record goes here, if the request said so.
    fixed: Option<u32>,
    /// The partition of the next record without a key.
    turn: u32,
    open: BTreeMap<u32, Open>,
    open_bytes: usize,
    taken: u64,
}

impl Collector {
    pub fn new(
        partitions: u32,
        batch_bytes_max: usize,
        fixed: Option<u32>,
        turn: u32,
    ) -> Result<Collector, Refusal> {
        let open = BTreeMap::new();
        let (open_bytes, taken) = (0, 0);
        let collector =
            Collector { partitions, batch_bytes_max, fixed, turn, open, open_bytes, taken };
        if let Some(partition) = fixed {
            collector.check(partition)?;
        }
        Ok(collector)
    }

    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Which record of the body is the first that stands in an open batch, or the next
    /// one if there is none.
    pub fn first_open(&self) -> u64 {
        self.open.values().map(|open| open.first).min().unwrap_or(self.taken)
    }

    /// Takes the record of one line; the batches that are full now.
    pub fn take(&mut self, line: &[u8], now_ms: i64) -> Result<Vec<Full>, Refusal> {
        let record: RecordIn = serde_json::from_slice(line)
            .map_err(|error| Refusal::invalid(format!("not a record: {error}")))?;
        let key = bytes(record.key)?;
        let value = bytes(record.value)?;
        let headers =
            record.headers.into_iter().map(|header| Ok((header.key, bytes(header.value)?)));
        let headers = headers.collect::<Result<Vec<_>, Refusal>>()?;
        let headers: Vec<_> =
            headers.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        let partition = self.partition(record.partition, key.as_deref())?;

        let timestamp = record.timestamp.unwrap_or(now_ms);
        let (key, value) = (key.as_deref(), value.as_deref());
        let bytes_max = size_max(key, value, &headers);
        let push = |batch: &mut BatchBuilder| batch.push(timestamp, key, value, &headers);
        if BATCH_HEADER_BYTES + bytes_max > self.batch_bytes_max {
            // Perhaps too large even alone; if so the open batches stay as they are.
            let mut alone = BatchBuilder::default();
            push(&mut alone);
            if alone.bytes() > self.batch_bytes_max {
                return Err(too_large(self.batch_bytes_max));
            }
        }
        let mut full = Vec::new();
        let open_bytes = self.open.get(&partition).map_or(0, |open| open.batch.bytes());
        if open_bytes + bytes_max > self.batch_bytes_max {
            full.extend(self.close(partition));
        }
        let first = self.taken;
        let open = || Open { batch: BatchBuilder::default(), first };
        let batch = &mut self.open.entry(partition).or_insert_with(open).batch;
        let before = batch.bytes();
        push(batch);
        self.open_bytes += batch.bytes() - before;
        self.taken += 1;
        if batch.bytes() >= BATCH_BYTES || batch.records() >= BATCH_RECORDS {
            full.extend(self.close(partition));
        } else if self.open_bytes >= COLLECTED_BYTES_MAX {
            full.extend(self.close_all());
        }
        Ok(full)
    }

    /// Every open batch, in order of the partitions.
    pub fn close_all(&mut self) -> Vec<Full> {
        let open: Vec<u32> = self.open.keys().copied().collect();
        open.into_iter().filter_map(|partition| self.close(partition)).collect()
    }

    fn close(&mut self, partition: u32) -> Option<Full> {
        let Open { mut batch, first } = self.open.remove(&partition)?;
        self.open_bytes = self.open_bytes.saturating_sub(batch.bytes());
        let batch = batch.finish()?;
        let header = BatchHeader::parse(&batch).expect("the builder makes good batches");
        Some(Full { partition, header, batch, first })
    }

    fn partition(&mut self, named: Option<u32>, key: Option<&[u8]>) -> Result<u32, Refusal> {
        match (named.or(self.fixed), key) {
            (Some(partition), _) => self.check(partition),
            (None, Some(key)) => Ok(partition_of(key, self.partitions)),
            (None, None) => {
                let partition = self.turn % self.partitions;
                self.turn = (partition + 1) % self.partitions;
                Ok(partition)
            }
        }
    }

    fn check(&self, partition: u32) -> Result<u32, Refusal> {
        if partition < self.partitions {
            return Ok(partition);
        }
        let message =
            format!("the log has partitions 0 to {}, not {partition}", self.partitions - 1);
        Err(Refusal::new(ErrorCode::PartitionNotFound, message))
    }
}

/// More than a record adds to a batch: six lengths and numbers of at most ten
/// bytes, and two lengths a header.
fn size_max(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[(&str, Option<&[u8]>)]) -> usize {
    let length = |field: Option<&[u8]>| field.map_or(0, <[u8]>::len);
    let headers = headers.iter().map(|(name, value)| name.len() + length(*value) + 10);
    60 + length(key) + length(value) + headers.sum::<usize>()
}

fn too_large(batch_bytes_max: usize) -> Refusal {
    let message =
        format!("the record is larger than the log's max.message.bytes, {batch_bytes_max}");
    Refusal::new(ErrorCode::RecordTooLarge, message)
}

fn bytes(text: Option<Text>) -> Result<Option<Vec<u8>>, Refusal> {
    text.map(Text::into_bytes).transpose().map_err(|error| Refusal::invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_model::decode_records;

    fn collector(partitions: u32) -> Collector {
        Collector::new(partitions, 1 << 20, None, 0).unwrap()
    }

    #[test]
    fn keys_choose_and_the_keyless_take_turns() {
        let mut collector = collector(3);
        for line in [
            "{\"value\":\"a\"}",
            "{\"value\":\"b\"}",
            "{\"key\":\"21\",\"value\":null}",
            "{\"value\":\"c\",\"partition\":2}",
        ] {
            assert!(collector.take(line.as_bytes(), 5).unwrap().is_empty());
        }
        let full = collector.close_all();
        let counts: Vec<_> =
            full.iter().map(|full| (full.partition, full.header.record_count)).collect();
        let by_key = partition_of(b"21", 3);
        let expect = |partition: u32, own: i32| own + i32::from(partition == by_key);
        assert_eq!(counts, [(0, expect(0, 1)), (1, expect(1, 1)), (2, expect(2, 1))]);
        assert!(collector.is_empty() && collector.open_bytes == 0);
    }

    #[test]
    fn batches_are_bounded_and_keep_their_records() {
        let mut collector = collector(1);
        let mut full = Vec::new();
        for index in 0..2_500 {
            let line = format!(
                "{{\"value\":\"{index}\",\"timestamp\":{index},\"headers\":[{{\"key\":\"h\",\"value\":null}}]}}"
            );
            full.extend(collector.take(line.as_bytes(), 0).unwrap());
        }
        full.extend(collector.close_all());
        assert_eq!(
            full.iter().map(|full| full.header.record_count).collect::<Vec<_>>(),
            [1_000, 1_000, 500]
        );
        let Full { header, batch, .. } = &full[2];
        let record = decode_records(header, batch, 0).unwrap().next().unwrap().unwrap();
        assert_eq!(
            (record.timestamp, record.value.as_deref(), record.headers.len()),
            (2_000, Some(&b"2000"[..]), 1)
        );
    }

    #[test]
    fn batches_keep_to_the_logs_own_limit() {
        let mut collector = Collector::new(1, 1_000, None, 0).unwrap();
        let line = format!("{{\"value\":\"{}\"}}", "x".repeat(300));
        let mut full = Vec::new();
        for _ in 0..10 {
            full.extend(collector.take(line.as_bytes(), 0).unwrap());
        }
        full.extend(collector.close_all());
        assert!(full.iter().all(|full| full.header.batch_bytes <= 1_000));
        assert_eq!(full.iter().map(|full| full.header.record_count).sum::<i32>(), 10);
        let large = format!("{{\"value\":\"{}\"}}", "x".repeat(1_000));
        let refusal = collector.take(large.as_bytes(), 0).unwrap_err();
        assert_eq!(refusal.error.code, ErrorCode::RecordTooLarge);
    }

    #[test]
    fn a_record_too_large_takes_no_other_with_it() {
        let mut collector = Collector::new(2, 1_000, None, 0).unwrap();
        for line in [r#"{"value":"a"}"#, r#"{"value":"b"}"#] {
            assert!(collector.take(line.as_bytes(), 0).unwrap().is_empty());
        }
        let large = format!("{{\"value\":\"{}\"}}", "x".repeat(1_000));
        assert!(collector.take(large.as_bytes(), 0).is_err());
        assert_eq!((collector.close_all().len(), collector.first_open()), (2, 2));
    }

    #[test]
    fn the_first_open_record_is_known() {
        let mut collector = collector(3);
        for (partition, first_open) in [(2, 0), (0, 0), (2, 0), (1, 0)] {
            let line = format!("{{\"value\":\"v\",\"partition\":{partition}}}");
            collector.take(line.as_bytes(), 0).unwrap();
            assert_eq!(collector.first_open(), first_open);
        }
        let closed = collector.close(2).unwrap();
        assert_eq!((closed.first, collector.first_open()), (0, 1));
        let firsts: Vec<_> = collector.close_all().iter().map(|full| full.first).collect();
        assert_eq!((firsts, collector.first_open()), (vec![1, 3], 4));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let mut collector = collector(2);
        for bad in [
            "",
            "{}",
            "[]",
            "{\"value\":1}",
            "{\"value\":\"a\",\"kye\":\"b\"}",
            "{\"value\":{\"base64\":\"?\"}}",
        ] {
            let refusal = collector.take(bad.as_bytes(), 0).unwrap_err();
            assert_eq!(refusal.error.code, ErrorCode::RequestInvalid, "{bad}");
        }
        let refusal = collector.take(b"{\"value\":\"a\",\"partition\":2}", 0).unwrap_err();
        assert_eq!(refusal.error.code, ErrorCode::PartitionNotFound);
        assert!(Collector::new(2, 1 << 20, Some(2), 0).is_err());
    }
}
