//! The bytes and the length of a simulated file.

use super::page::{PAGE_BYTES, Page, PageCut};
use super::random::Random;
use std::collections::BTreeMap;

const PAGE: u64 = PAGE_BYTES as u64;

/// A change of length that no sync has made durable.
#[derive(Debug, Clone, Copy)]
struct LengthChange {
    from: u64,
    to: u64,
}

impl LengthChange {
    fn is_truncation(&self) -> bool {
        self.to < self.from
    }
}

/// A file without its name.
#[derive(Debug, Default)]
pub(super) struct Content {
    pages: BTreeMap<u64, Page>,
    /// Pages that differ, or may differ, from their durable bytes.
    pending: Vec<u64>,
    len: u64,
    durable_len: u64,
    /// In order: a cut keeps the first few of them.
    lengths: Vec<LengthChange>,
    allocated: u64,
}

/// What a cut met in one file.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct ContentCut {
    pub(super) sectors: (u64, u64),
    pub(super) extensions: (u64, u64),
    pub(super) truncations: (u64, u64),
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Pages that count against the capacity.
    pub(super) fn allocated_pages(&self) -> u64 {
        self.allocated
    }

    pub(super) fn read(&self, buffer: &mut [u8], position: u64) -> usize {
        let wanted = (buffer.len() as u64).min(self.len.saturating_sub(position)) as usize;
        for_each_page(position, wanted, |number, at, range| {
            let target = &mut buffer[range];
            match self.pages.get(&number) {
                Some(page) => page.read(at, target),
                None => target.fill(0),
            }
        });
        wanted
    }

    /// Writes as long as `pages_max` new pages last; returns the bytes written.
    pub(super) fn write(
        &mut self,
        bytes: &[u8],
        position: u64,
        pages_max: u64,
        random: &mut Random,
    ) -> usize {
        // A sector written back early must not outlive a truncation that did not.
        let leaks = !self.lengths.iter().any(LengthChange::is_truncation);
        let (written, pending) = (self.fit(bytes.len(), position, pages_max), &mut self.pending);
        for_each_page(position, written, |number, at, range| {
            let page = self.pages.entry(number).or_default();
            self.allocated += u64::from(!std::mem::replace(&mut page.allocated, true));
            let leak = leaks.then_some(&mut *random);
            if page.write(at, &bytes[range], leak) {
                pending.push(number);
            }
        });
        self.extend_to(position + written as u64);
        written
    }

    /// As `write`, and durable.
    pub(super) fn write_through(&mut self, bytes: &[u8], position: u64, pages_max: u64) -> usize {
        let written = self.fit(bytes.len(), position, pages_max);
        self.extend_to(position + written as u64);
        self.settle_length();
        for_each_page(position, written, |number, at, range| {
            let page = self.pages.entry(number).or_default();
            self.allocated += u64::from(!std::mem::replace(&mut page.allocated, true));
            page.write_through(at, &bytes[range]);
        });
        written
    }

    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.len {
            for (&number, page) in self.pages.range_mut(len / PAGE..) {
                let at = len.saturating_sub(number * PAGE) as usize;
                if page.truncate(at) {
                    self.pending.push(number);
                }
                if at == 0 {
                    self.allocated -= u64::from(std::mem::replace(&mut page.allocated, false));
                }
            }
        }
        self.change_len(len);
    }

    pub(super) fn sync(&mut self) {
        let truncated = self.settle_length();
        let mut pending = std::mem::take(&mut self.pending);
        pending.retain(|number| match self.pages.get_mut(number) {
            Some(page) => page.sync(),
            None => false,
        });
        self.pending = pending;
        if truncated {
            self.pages.split_off(&self.len.div_ceil(PAGE));
        }
    }

    /// The sync fails: bytes that were dirty never get there. The length is the
    /// journal's business and stays pending.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        let lucky = !self.lengths.iter().any(LengthChange::is_truncation);
        for number in &self.pending {
            if let Some(page) = self.pages.get_mut(number) {
                page.fail_sync(random, lucky);
            }
        }
    }

    /// The power goes: what is pending survives or not, and the rest is durable.
    pub(super) fn cut(&mut self, random: &mut Random) -> ContentCut {
        let mut met = ContentCut::default();
        if self.pending.is_empty() && self.lengths.is_empty() {
            return met;
        }
        let (kept, gone) = self.lengths.split_at(surviving(self.lengths.len(), random));
        let shortest = |changes: &[LengthChange]| {
            let cuts = changes.iter().filter(|change| change.is_truncation());
            cuts.map(|change| change.to).min().unwrap_or(u64::MAX)
        };
        let (zero_from, forget_from) = (shortest(kept), shortest(gone));
        let len = kept.last().map_or(self.durable_len, |change| change.to);
        met.count_lengths(kept, false);
        met.count_lengths(gone, true);

        let garbage_from = if random.chance(12) { self.durable_len } else { u64::MAX };
        let kindness = random.kindness();
        for number in std::mem::take(&mut self.pending) {
            let Some(page) = self.pages.get_mut(&number) else { continue };
            let within = |at: u64| at.saturating_sub(number * PAGE).min(PAGE) as usize;
            let cut = PageCut {
                zero_from: within(zero_from),
                forget_from: within(forget_from),
                garbage_from: within(garbage_from),
                kindness,
            };
            let (pending, lost) = page.cut(cut, random);
            met.sectors.0 += pending;
            met.sectors.1 += lost;
        }
        self.found_with(len);
        met
    }

    /// Turns one bit over; the byte lies below the length.
    pub(super) fn flip(&mut self, position: u64, bit: u32) {
        let page = self.pages.entry(position / PAGE).or_default();
        page.flip((position % PAGE) as usize, bit);
    }

    /// After a cut: all that is left is durable, and bytes past the end are not.
    fn found_with(&mut self, len: u64) {
        self.lengths.clear();
        (self.len, self.durable_len) = (len, len);
        self.pages.split_off(&len.div_ceil(PAGE));
        if let Some(last) = self.pages.get_mut(&(len / PAGE)) {
            last.truncate((len % PAGE) as usize);
            last.sync();
        }
        for page in self.pages.values_mut() {
            page.allocated = true;
        }
        self.allocated = self.pages.len() as u64;
    }

    /// Makes all changes of length durable. True if one was a truncation.
    fn settle_length(&mut self) -> bool {
        let truncations = self.lengths.iter().filter(|change| change.is_truncation());
        let shortest = truncations.map(|change| change.to).min();
        if let Some(shortest) = shortest {
            for (&number, page) in self.pages.range_mut(shortest / PAGE..) {
                page.truncate_durable(shortest.saturating_sub(number * PAGE) as usize);
            }
        }
        self.lengths.clear();
        self.durable_len = self.len;
        shortest.is_some()
    }

    fn extend_to(&mut self, len: u64) {
        if len > self.len {
            self.change_len(len);
        }
    }

    fn change_len(&mut self, len: u64) {
        if len != self.len {
            self.lengths.push(LengthChange { from: self.len, to: len });
            self.len = len;
        }
    }

    /// How many of `wanted` bytes fit when only `pages_max` pages are left.
    fn fit(&self, wanted: usize, position: u64, pages_max: u64) -> usize {
        // Most of the time there is room without looking at each page.
        if (wanted / PAGE_BYTES + 2) as u64 <= pages_max {
            return wanted;
        }
        let (mut left, mut fits, mut full) = (pages_max, 0, false);
        for_each_page(position, wanted, |number, _, range| {
            let has = self.pages.get(&number).is_some_and(|page| page.allocated);
            full |= !has && left == 0;
            if !full {
                left -= u64::from(!has);
                fits = range.end;
            }
        });
        fits
    }
}

impl ContentCut {
    fn count_lengths(&mut self, changes: &[LengthChange], lost: bool) {
        for change in changes {
            let truncation = change.is_truncation();
            let count = if truncation { &mut self.truncations } else { &mut self.extensions };
            count.0 += 1;
            count.1 += u64::from(lost);
        }
    }
}

/// How many of `pending` ordered changes survive.
fn surviving(pending: usize, random: &mut Random) -> usize {
    match random.below(3) {
        0 => 0,
        1 => pending,
        _ => random.below(pending as u64 + 1) as usize,
    }
}

/// Cuts `len` bytes at `position` into pages: number, place in the page, and
/// place in the caller's buffer.
fn for_each_page(
    position: u64,
    len: usize,
    mut visit: impl FnMut(u64, usize, std::ops::Range<usize>),
) {
    let mut done = 0;
    while done < len {
        let here = position + done as u64;
        let at = (here % PAGE) as usize;
        let end = len.min(done + PAGE_BYTES - at);
        visit(here / PAGE, at, done..end);
        done = end;
    }
}
