//! The durable area: everything of the file that is written, never mapped.

use super::header::Header;
use super::layout::{self, GROUP, Layout};
use crate::copies::{BLOCK_BYTES, Block, copy_at, empty_block, next_copy, read_pair};
use crate::entry::{ENTRY_BYTES, Entry, Kept};
use crate::error::CounterError;
use pyralog_env::DiskFile;
use pyralog_model::{CounterNumber, StoreId};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Area {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    store: StoreId,
    layout: Layout,
    /// Groups written since the last sync, and to which copy: until then the
    /// other one is all there is, and stays.
    unsynced: BTreeMap<u64, usize>,
}

/// The entries of one group as they count, and where they are written next.
struct Group {
    entries: Vec<Kept>,
    pair: [Block; 2],
    copy: usize,
    seq: u64,
}

impl Area {
    pub(super) fn new(
        file: Arc<dyn DiskFile>,
        path: &Path,
        store: StoreId,
        layout: Layout,
    ) -> Area {
        Area { file, path: path.to_owned(), store, layout, unsynced: BTreeMap::new() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// True if what the file says of a counter may not survive a power cut.
    pub(super) fn is_unsynced(&self, number: CounterNumber) -> bool {
        self.unsynced.contains_key(&layout::group_of(number))
    }

    /// The entry of a counter that exists.
    pub(super) fn entry(&self, number: CounterNumber) -> Result<Entry, CounterError> {
        if number.0 >= self.layout.counters_max() {
            return Err(CounterError::NotCreated { number });
        }
        let pair = self.layout.pair_at(layout::group_of(number));
        let place = (layout::place_of(number) * ENTRY_BYTES) as u64;
        let mut copies = [Kept::Empty; 2];
        for (copy, kept) in copies.iter_mut().enumerate() {
            let mut bytes = [0; ENTRY_BYTES];
            let read = self.file.read_exact_at(&mut bytes, copy_at(pair, copy) + place);
            read.map_err(CounterError::io(&self.path, "read"))?;
            *kept = Kept::decode(&bytes, self.store, number.0);
        }
        match copies[0].later(copies[1]) {
            Kept::Entry(entry) if entry.created => Ok(entry),
            Kept::Damaged => Err(CounterError::CounterDamaged { number }),
            _ => Err(CounterError::NotCreated { number }),
        }
    }

    /// Makes the counters that are missing, and gives them disk space.
    pub(super) fn create(&mut self, numbers: &[CounterNumber]) -> Result<(), CounterError> {
        let counters_max = self.layout.counters_max();
        if let Some(&number) = numbers.iter().find(|number| number.0 >= counters_max) {
            return Err(CounterError::NoSlot { number, counters_max });
        }
        let mut groups: BTreeMap<u64, Vec<CounterNumber>> = BTreeMap::new();
        for &number in numbers {
            groups.entry(layout::group_of(number)).or_default().push(number);
        }
        groups.into_iter().try_for_each(|(group, numbers)| self.create_in(group, &numbers))
    }

    fn create_in(&mut self, group: u64, numbers: &[CounterNumber]) -> Result<(), CounterError> {
        let mut found = self.read(group)?;
        let mut made = false;
        for &number in numbers {
            let kept = &mut found.entries[layout::place_of(number)];
            match kept {
                Kept::Damaged => return Err(CounterError::CounterDamaged { number }),
                Kept::Entry(entry) if entry.created => continue,
                _ => *kept = Kept::Entry(Entry { created: true, ..Entry::default() }),
            }
            self.take_slot(number)?;
            made = true;
        }
        if found.seq == 0 && made {
            // The copy that is not written now must find space later, too.
            let other = copy_at(self.layout.pair_at(group), 1 - found.copy);
            self.write_at(&empty_block()[..], other)?;
        }
        if made { self.write(group, found) } else { Ok(()) }
    }

    /// Gives a slot disk space. What was in it is gone.
    pub(super) fn take_slot(&mut self, number: CounterNumber) -> Result<(), CounterError> {
        self.write_at(&[0; 64], layout::slot_at(number))
    }

    /// Reads a slot, and throws away what it says.
    pub(super) fn check_slot(&self, number: CounterNumber) -> Result<(), CounterError> {
        let read = self.file.read_exact_at(&mut [0; 64], layout::slot_at(number));
        read.map_err(CounterError::io(&self.path, "read"))
    }

    /// Replaces entries of one group, all of counters that exist.
    pub(super) fn replace(
        &mut self,
        group: u64,
        bounds: &[(CounterNumber, u64)],
        incarnation: u64,
    ) -> Result<(), CounterError> {
        let mut found = self.read(group)?;
        for &(number, bound) in bounds {
            let kept = &mut found.entries[layout::place_of(number)];
            let Kept::Entry(entry) = kept else {
                return Err(CounterError::CounterDamaged { number });
            };
            assert!(bound >= entry.bound && entry.created, "a bound never goes back");
            *entry = Entry { bound, incarnation, ..*entry };
        }
        self.write(group, found)
    }

    /// Makes everything durable that was written.
    pub(super) fn sync(&mut self) -> Result<(), CounterError> {
        self.file.sync_data().map_err(CounterError::io(&self.path, "sync"))?;
        self.unsynced.clear();
        Ok(())
    }

    /// Writes the header's next copy and syncs it.
    pub(super) fn write_header(&mut self, header: &Header) -> Result<(), CounterError> {
        // The last one is whole: a start writes it, and a start that failed is none.
        let at = copy_at(0, (header.seq % 2) as usize);
        self.write_at(&header.encode(self.store)[..], at)?;
        self.sync()
    }

    fn read(&self, group: u64) -> Result<Group, CounterError> {
        let pair = read_pair(&*self.file, self.layout.pair_at(group));
        let pair = pair.map_err(CounterError::io(&self.path, "read"))?;
        let number = |place: usize| group * GROUP + place as u64;
        let decode = |block: &Block| -> Vec<Kept> {
            let entries = block.chunks_exact(ENTRY_BYTES).enumerate();
            entries.map(|(at, bytes)| Kept::decode(bytes, self.store, number(at))).collect()
        };
        let copies = [decode(&pair[0]), decode(&pair[1])];
        let later = copies[0].iter().zip(&copies[1]).map(|(first, second)| first.later(*second));
        let entries: Vec<Kept> = later.collect();
        let seq = copies.iter().flatten().filter_map(|kept| kept.seq()).max().unwrap_or(0);
        let whole = [whole(&copies[0], &entries), whole(&copies[1], &entries)];
        let copy = self.unsynced.get(&group).copied().unwrap_or_else(|| next_copy(whole));
        Ok(Group { entries, pair, copy, seq })
    }

    fn write(&mut self, group: u64, found: Group) -> Result<(), CounterError> {
        let seq = found.seq + 1;
        let mut block = empty_block();
        let places = block.chunks_exact_mut(ENTRY_BYTES).zip(&found.entries).enumerate();
        for (place, (bytes, kept)) in places {
            let entry = match kept {
                Kept::Entry(entry) => *entry,
                Kept::Empty => Entry::default(),
                Kept::Damaged => {
                    // Stays as it is: written anew it would begin anew.
                    let at = place * ENTRY_BYTES;
                    bytes.copy_from_slice(damaged(&found.pair, at));
                    continue;
                }
            };
            let number = group * GROUP + place as u64;
            bytes.copy_from_slice(&Entry { seq, ..entry }.encode(self.store, number));
        }
        self.unsynced.insert(group, found.copy);
        self.write_at(&block[..], copy_at(self.layout.pair_at(group), found.copy))
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> Result<(), CounterError> {
        let written = self.file.write_all_at(bytes, position);
        written.map_err(CounterError::io(&self.path, "write"))
    }
}

/// The seq of a copy if its entries were all written together, but for those that
/// are damaged in both copies.
fn whole(copy: &[Kept], later: &[Kept]) -> Option<u64> {
    let readable = copy.iter().zip(later).filter(|(_, later)| **later != Kept::Damaged);
    let mut seqs = readable.map(|(kept, _)| kept.seq());
    let first = seqs.next().unwrap_or(Some(0))?;
    seqs.all(|seq| seq == Some(first)).then_some(first)
}

/// Bytes of an entry that are not zeros, of the copy that has such.
fn damaged(pair: &[Block; 2], at: usize) -> &[u8] {
    let [first, second] = pair.each_ref().map(|block| &block[at..at + ENTRY_BYTES]);
    if first.iter().any(|&byte| byte != 0) { first } else { second }
}

const _: () = assert!(GROUP as usize * ENTRY_BYTES == BLOCK_BYTES);
