//! Manifests: they come back, overlap nowhere, and take the place of each other whole.

use super::*;
use crate::database::{Database, Schema};
use crate::{Manifest, RewrittenSegment};
use redb::TableDefinition;

const P: (u64, u32) = (7, 3);

fn partition() -> PartitionId {
    PartitionId::new(P.0, P.1)
}

fn segment(end: u64, generation: u64) -> RewrittenSegment {
    RewrittenSegment { end, generation, bytes: end * 100 }
}

fn manifest(store: &MetaStore) -> Manifest {
    store.load_checkpoints().unwrap().manifests.remove(&partition()).unwrap_or_default()
}

fn bases(store: &MetaStore) -> Vec<(u64, u64)> {
    manifest(store).segments.iter().map(|(base, segment)| (*base, segment.end)).collect()
}

#[test]
fn a_segment_takes_the_place_of_those_in_its_offsets() {
    let disk = sim(1);
    let store = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
    let beside = [PartitionId::new(7, 2), PartitionId::new(7, 4), PartitionId::new(8, 3)];
    for other in beside {
        store.replace_segments(other, 10, &segment(50, 1)).unwrap();
    }
    for (base, end) in [(0, 40), (40, 90), (90, 100), (200, 300)] {
        store.replace_segments(partition(), base, &segment(end, 1)).unwrap();
    }
    store.replace_segments(partition(), 40, &segment(100, 2)).unwrap();
    assert_eq!(bases(&store), [(0, 40), (40, 100), (200, 300)]);
    store.save_cleaned(partition(), 250).unwrap();
    store.save_start(partition(), &checkpoint(80), WalCheckpoint::default()).unwrap();
    assert_eq!(bases(&store), [(40, 100), (200, 300)], "its start is 40");
    drop(store);
    disk.crash(2);
    let store = MetaStore::open(disk, Path::new(FILE)).unwrap();
    assert_eq!(bases(&store), [(40, 100), (200, 300)]);
    let kept = manifest(&store);
    assert_eq!((kept.cleaned, kept.segments[&40]), (250, segment(100, 2)));
    let found = store.load_checkpoints().unwrap();
    assert_eq!(found.partitions[&partition()], checkpoint(80));
    store.remove_log(LogNumber(7)).unwrap();
    let left = store.load_checkpoints().unwrap().manifests;
    assert_eq!(left.keys().copied().collect::<Vec<_>>(), [beside[2]]);
}

#[test]
fn a_store_of_format_1_gets_its_tables_and_keeps_what_it_has() {
    const OLD: TableDefinition<'static, (u64, u32), &[u8]> = TableDefinition::new("partitions");
    const WAL: TableDefinition<'static, (), &[u8]> = TableDefinition::new("wal");
    let first = Schema {
        kind: "checkpoints",
        format: 1,
        tables: |transaction| {
            transaction.open_table(OLD)?.insert(P, [1, 1, 2, 3, 4, 5, 6].as_slice())?;
            transaction.open_table(WAL)?;
            Ok(())
        },
    };
    for operations in 0.. {
        let disk = sim(operations);
        drop(Database::open(&*disk, Path::new(FILE), first).unwrap());
        let before = disk.read_file(Path::new(FILE)).unwrap();
        let looked = MetaStore::look(&*disk, Path::new(FILE)).unwrap();
        assert_eq!(looked.load_checkpoints().unwrap().partitions[&partition()].epoch, 6);
        drop(looked);
        assert!(disk.read_file(Path::new(FILE)).unwrap() == before, "who looks changes nothing");
        disk.arm_crash_at(operations);
        let opened = MetaStore::open(disk.clone(), Path::new(FILE)).is_ok() && !disk.is_off();
        disk.crash(operations);
        let store = MetaStore::open(disk.clone(), Path::new(FILE)).unwrap();
        let found = store.load_checkpoints().unwrap();
        assert_eq!(found.partitions[&partition()].epoch, 6);
        store.replace_segments(partition(), 0, &segment(9, 1)).unwrap();
        drop(store);
        // What is of format 2 an older program refuses.
        let refused = Database::open(&*disk, Path::new(FILE), first).unwrap_err();
        assert!(matches!(refused, MetaError::Version { found: 2, known: 1, .. }), "{refused}");
        if opened {
            assert!(operations > 10);
            return;
        }
    }
}
