//! 4,096 bytes of a simulated file: what is seen, and what is durable.

use super::random::Random;

/// Bytes of a page: the grain of allocation.
pub(super) const PAGE_BYTES: usize = 4096;
/// Bytes of a sector: what a disk writes whole or not at all.
pub(super) const SECTOR_BYTES: usize = 512;
const SECTORS: usize = PAGE_BYTES / SECTOR_BYTES;

/// A page's bytes; `None` is all zeros, so that zero-filled files are free.
type Block = Option<Box<[u8; PAGE_BYTES]>>;

static ZEROS: [u8; PAGE_BYTES] = [0; PAGE_BYTES];

/// One page. While it is not `pending`, `live` is durable too and `durable`
/// means nothing.
#[derive(Debug, Default)]
pub(super) struct Page {
    live: Block,
    durable: Block,
    pending: bool,
    /// Sectors that the next good sync writes, one bit each.
    dirty: u8,
    /// Sectors that a failed sync has dropped: seen, and never written.
    lost: u8,
    /// Counts against the disk's capacity.
    pub(super) allocated: bool,
}

/// What a cut does to one page; positions are bytes in the page.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageCut {
    /// A surviving truncation has cut the durable bytes from here.
    pub(super) zero_from: usize,
    /// A truncation that did not survive takes all later writes from here along.
    pub(super) forget_from: usize,
    /// Bytes from here were never durable and may hold anything.
    pub(super) garbage_from: usize,
    /// How many dirty sectors survive, in percent.
    pub(super) kindness: u64,
}

impl Page {
    /// Copies bytes out of the live image.
    pub(super) fn read(&self, at: usize, buffer: &mut [u8]) {
        match &self.live {
            Some(live) => buffer.copy_from_slice(&live[at..at + buffer.len()]),
            None => buffer.fill(0),
        }
    }

    /// Writes to the live image only. With `leak`, the kernel may have written
    /// an earlier version of a sector back before it is changed again. True if
    /// the page was not pending before.
    pub(super) fn write(&mut self, at: usize, bytes: &[u8], leak: Option<&mut Random>) -> bool {
        let fresh = self.shadow(bytes.len() == PAGE_BYTES);
        let touched = sectors(at, at + bytes.len());
        if let Some(random) = leak {
            let again = self.dirty & touched;
            if again != 0 && random.chance(25) {
                self.flush(again);
            }
        }
        put(&mut self.live, at, bytes);
        self.dirty |= touched;
        self.lost &= !touched;
        fresh
    }

    /// Writes to both images.
    pub(super) fn write_through(&mut self, at: usize, bytes: &[u8]) {
        put(&mut self.live, at, bytes);
        if self.pending {
            let touched = sectors(at, at + bytes.len());
            self.flush(touched);
            self.dirty &= !touched;
            self.lost &= !touched;
        }
    }

    /// Cuts the live image at `at`. True if the page was not pending before.
    pub(super) fn truncate(&mut self, at: usize) -> bool {
        let fresh = self.shadow(false);
        zero(&mut self.live, at);
        // A truncation is metadata: it also ends what a failed sync had lost.
        let cut = sectors(at, PAGE_BYTES) & self.lost;
        self.lost &= !cut;
        self.dirty |= cut;
        fresh
    }

    /// Cuts the durable image at `at`: a truncation has become durable.
    pub(super) fn truncate_durable(&mut self, at: usize) {
        if self.pending {
            zero(&mut self.durable, at);
        }
    }

    /// A good sync. True if lost sectors keep the page pending.
    pub(super) fn sync(&mut self) -> bool {
        if self.lost == 0 {
            self.durable = None;
            self.pending = false;
        } else {
            self.flush(self.dirty);
        }
        self.dirty = 0;
        self.pending
    }

    /// A failed sync: what was dirty is dropped, or had got there by luck.
    pub(super) fn fail_sync(&mut self, random: &mut Random, lucky: bool) {
        for sector in 0..SECTORS {
            let bit = 1 << sector;
            if self.dirty & bit != 0 {
                if lucky && random.chance(30) {
                    self.flush(bit);
                } else {
                    self.lost |= bit;
                }
            }
        }
        self.dirty = 0;
    }

    /// The power goes. Returns how many sectors were pending and how many of
    /// them are gone.
    pub(super) fn cut(&mut self, cut: PageCut, random: &mut Random) -> (u64, u64) {
        if !self.pending {
            return (0, 0);
        }
        let (mut pending, mut gone) = (0, 0);
        self.truncate_durable(cut.zero_from);
        for sector in 0..SECTORS {
            let (start, end) = (sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
            if self.dirty & (1 << sector) == 0 {
                continue;
            }
            pending += 1;
            if end <= cut.forget_from && random.chance(cut.kindness) {
                self.flush(1 << sector);
                continue;
            }
            gone += 1;
            if end > cut.garbage_from && random.chance(50) {
                let block = self.durable.get_or_insert_with(|| Box::new(ZEROS));
                random.fill(&mut block[start.max(cut.garbage_from)..end]);
            }
        }
        self.live = self.durable.take();
        (self.pending, self.dirty, self.lost) = (false, 0, 0);
        (pending, gone)
    }

    /// Turns one bit over, in both images.
    pub(super) fn flip(&mut self, at: usize, bit: u32) {
        for block in [&mut self.live, &mut self.durable] {
            block.get_or_insert_with(|| Box::new(ZEROS))[at] ^= 1 << bit;
        }
        if !self.pending {
            self.durable = None;
        }
    }

    /// Keeps the durable bytes aside before the first change. With `replaced`
    /// the live bytes are about to go entirely, which saves the copy.
    fn shadow(&mut self, replaced: bool) -> bool {
        if self.pending {
            return false;
        }
        self.durable = if replaced { self.live.take() } else { self.live.clone() };
        self.pending = true;
        true
    }

    /// Makes the live bytes of `mask`'s sectors durable.
    fn flush(&mut self, mask: u8) {
        if mask == u8::MAX {
            self.durable.clone_from(&self.live);
            return;
        }
        let live = self.live.as_deref().unwrap_or(&ZEROS);
        for sector in (0..SECTORS).filter(|sector| mask & (1 << sector) != 0) {
            let range = sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES;
            put(&mut self.durable, range.start, &live[range]);
        }
    }
}

/// The bits of the sectors that the bytes `from..to` touch.
fn sectors(from: usize, to: usize) -> u8 {
    let mut mask = 0;
    for sector in from / SECTOR_BYTES..to.div_ceil(SECTOR_BYTES) {
        mask |= 1 << sector;
    }
    mask
}

fn put(block: &mut Block, at: usize, bytes: &[u8]) {
    if bytes.len() == PAGE_BYTES && bytes == ZEROS {
        *block = None;
        return;
    }
    if block.is_none() && *bytes == ZEROS[..bytes.len()] {
        return;
    }
    let block = block.get_or_insert_with(|| Box::new(ZEROS));
    block[at..at + bytes.len()].copy_from_slice(bytes);
}

fn zero(block: &mut Block, from: usize) {
    match block {
        _ if from >= PAGE_BYTES => {}
        _ if from == 0 => *block = None,
        Some(bytes) => bytes[from..].fill(0),
        None => {}
    }
}
