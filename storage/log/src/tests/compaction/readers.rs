//! Readers while files are replaced: each sees the segments of before or those of
//! after, and what it has in hand it keeps.

use super::directed::written;
use super::*;
use pyralog_env::{Disk, WallMillis};

/// Reads everything at every step of a round.
struct Watching<'a> {
    writer: &'a mut SegmentWriter,
    log: Arc<PartitionLog>,
    ledger: &'a Ledger,
    reads: u64,
    replaced: u64,
}

impl Watching<'_> {
    fn read(&mut self) {
        let visible = visible(&self.log).unwrap();
        self.ledger.check(&visible, self.log.bounds().0.0, self.log.cleaned().0).unwrap();
        self.reads += 1;
    }
}

impl CompactionHost for Watching<'_> {
    fn go_on(&mut self, _: u64) -> bool {
        self.read();
        true
    }

    fn replace(
        &mut self,
        log: &Arc<PartitionLog>,
        replacement: Replacement,
    ) -> Result<Switched, LogError> {
        let switched = self.writer.replace(log, replacement);
        self.replaced += 1;
        self.read();
        switched
    }

    fn save_cleaned(&mut self, log: &Arc<PartitionLog>, cleaned: Offset) -> Result<(), LogError> {
        self.writer.save_cleaned(log, cleaned)
    }
}

#[test]
fn who_reads_during_a_round_sees_one_state_or_the_other() {
    let mut world = written(None);
    world.ledger.round_at(world.now, 1_000);
    let log = Arc::clone(world.log());
    let options = CompactionOptions { key_bytes_max: 1 << 20 };
    let (writer, ledger) = (&mut world.rig.writer, &world.ledger);
    let mut host = Watching { writer, log: Arc::clone(&log), ledger, reads: 0, replaced: 0 };
    compact(&log, &options, WallMillis(world.now), Offset(121), &mut host).unwrap().unwrap();
    assert!(host.reads > 200 && host.replaced > 1, "{} and {}", host.reads, host.replaced);
}

#[test]
fn files_stay_while_a_reader_has_them_in_hand() {
    let mut world = written(None);
    let first = world.log().view(|view| Arc::clone(&view.segments[0]));
    let before = {
        let mut slice = Slice::default();
        first.read(Offset(0), 1 << 20, &mut slice).unwrap();
        slice.pieces
    };
    world.round().unwrap().unwrap();
    assert_eq!(world.log().sweep().unwrap(), 1);
    assert!(world.rig.disk.exists(&first.path).unwrap());
    // It may even open the file again by its name.
    let mut slice = Slice::default();
    first.read(Offset(0), 1 << 20, &mut slice).unwrap();
    assert_eq!(slice.pieces, before);
    let path = first.path.clone();
    drop(first);
    assert_eq!(world.log().sweep().unwrap(), 0);
    assert!(!world.rig.disk.exists(&path).unwrap());
    world.check().unwrap();
}

#[test]
fn times_and_epochs_are_found_over_gaps() {
    let mut world = World::new(None);
    for n in 0..120 {
        world.rig.epoch = 1 + n / 30;
        let sent = Sent::new(&format!("k{}", n % 7), Some("value"), i64::from(n) * 10);
        world.append(&[sent], Compression::None).unwrap();
    }
    world.now = 5_000;
    world.seal();
    world.round().unwrap().unwrap();
    let visible = world.visible().unwrap();
    assert_eq!(visible.len(), 7);
    for time in 0..1_200 {
        let expect = visible.iter().find(|(_, record)| record.timestamp >= time);
        let found = world.log().batch_at_time(time, Offset(0)).unwrap();
        let base =
            found.map(|batch| pyralog_model::BatchHeader::parse(&batch).unwrap().base_offset);
        assert_eq!(base, expect.map(|(offset, _)| *offset as i64), "at {time}");
    }
    // Of the earlier epochs nothing is left.
    let end = world.log().epoch_end(pyralog_model::Epoch(2)).unwrap();
    assert!(end.is_none_or(|(_, end)| end.0 <= 113), "{end:?}");
    let last = world.log().epoch_end(pyralog_model::Epoch(4)).unwrap();
    assert_eq!(last, Some((pyralog_model::Epoch(4), Offset(120))));
}

#[test]
fn a_round_that_is_told_to_end_leaves_nothing_behind() {
    let mut ended = 0;
    for bytes in (500..60_000).step_by(1_500) {
        let mut world = written(None);
        match world.round_for(bytes, Offset(121)) {
            Err(LogError::Closed) => ended += 1,
            Ok(Some(_)) => {}
            other => panic!("{other:?}"),
        }
        world.check().unwrap();
        world.log().sweep().unwrap();
        let dir = paths::partition_dir(&super::super::rig::pyramid(), P);
        let entries = world.rig.disk.list(&dir).unwrap();
        let files = entries.iter().filter(|entry| entry.name.ends_with(".segment")).count();
        assert_eq!(files, world.log().sizes().segments, "after {bytes} bytes");
        let mut world = world.reboot(bytes).unwrap();
        world.round().unwrap();
        world.check().unwrap();
    }
    assert!(ended > 5, "only {ended} rounds were ended");
}
