//! A minimal perfect hash of one partition: n hashes onto the slots 0..n, each its own.
//!
//! Hashes fall into buckets of three on average. Every bucket has a *pilot* of eight
//! bits, chosen so that the slots of its hashes are free; where none of the 256 will
//! do, the one that disturbs least is taken and the buckets in its way are placed
//! again (the construction of PtrHash, Groot Koerkamp 2025). There are n/64 slots too
//! many, which makes that quick; those past n are sent to what is left free below n.
//!
//! ```text
//!  hash ──mix──┬─▶ bucket ──▶ pilot ─┐
//!              └─────────────────────┴─▶ slot ──(≥ n)──▶ remap ──▶ slot
//! ```
//!
//! Bits per hash: 8/3 for pilots and 16/64 for the remap, 2.92.
//!
//! Written here and not taken from a library, because files keep these numbers for
//! ever: the `ph` crate is smaller by a bit per key, but its form on disk moves with
//! its releases, it allocates what the bytes say before it has read them, and it
//! brings its own threads.

/// Hashes per bucket.
const BUCKET: u32 = 3;
/// One slot too many per this many hashes.
const SLACK: u32 = 64;
const PILOTS: u32 = 256;
/// Functions tried before a partition is given up. One is enough nearly always; what
/// needs 64 is a bug or a miracle.
const SEEDS_MAX: u32 = 64;
/// Placements before a function is given up, per hash.
const PLACEMENTS: usize = 20;
/// Buckets placed last, which are not disturbed at once, or two would chase each other.
const RECENT: usize = 8;
const FREE: u32 = u32::MAX;

// Odd numbers with mixed bits (of splitmix64 and of Vigna's).
const MIX: u64 = 0xbf58_476d_1ce4_e5b9;
const STIR: u64 = 0x9e37_79b9_7f4a_7c15;
const SPREAD: u64 = 0x94d0_49bb_1331_11eb;

/// How many buckets and slots a number of hashes has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) keys: u32,
    pub(crate) buckets: u32,
    pub(crate) slots: u32,
}

impl Shape {
    /// For at most 2³⁰ hashes.
    pub(crate) fn of(keys: u32) -> Shape {
        Shape { keys, buckets: keys / BUCKET + 1, slots: keys + keys / SLACK + 1 }
    }

    /// Slots past the last hash, each of which is sent elsewhere.
    pub(crate) fn remapped(&self) -> u32 {
        self.slots - self.keys
    }
}

/// A hash as the function with this seed sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mixed(u64);

impl Mixed {
    pub(crate) fn new(hash: u64, seed: u32) -> Mixed {
        let seeded = hash ^ u64::from(seed).wrapping_mul(STIR);
        let once = (seeded ^ (seeded >> 30)).wrapping_mul(MIX);
        let twice = (once ^ (once >> 27)).wrapping_mul(SPREAD);
        Mixed(twice ^ (twice >> 31))
    }

    pub(crate) fn bucket(self, shape: &Shape) -> u32 {
        scaled((self.0 >> 32) as u32, shape.buckets)
    }

    /// The slot, before the remap.
    pub(crate) fn slot(self, pilot: u8, shape: &Shape) -> u32 {
        let stirred = (self.0 ^ (u64::from(pilot) + 1).wrapping_mul(STIR)).wrapping_mul(SPREAD);
        scaled((stirred ^ (stirred >> 32)) as u32, shape.slots)
    }
}

/// A number of 32 bits as one below `bound`, without a division.
fn scaled(value: u32, bound: u32) -> u32 {
    ((u64::from(value) * u64::from(bound)) >> 32) as u32
}

/// A minimal perfect hash: what its file keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) shape: Shape,
    pub(crate) seed: u32,
    /// One a bucket.
    pub(crate) pilots: Vec<u8>,
    /// Where slots past the last hash are sent, in their order; 0 for those unused.
    pub(crate) remap: Vec<u32>,
}

impl Function {
    /// The function of these hashes, all different. The same hashes give the same
    /// function. `None` if none is found.
    pub(crate) fn build(hashes: &[u64]) -> Option<Function> {
        let shape = Shape::of(u32::try_from(hashes.len()).ok().filter(|keys| *keys < 1 << 30)?);
        (0..SEEDS_MAX).find_map(|seed| {
            let mut placing = Placing::new(hashes, seed, shape);
            placing.run().then(|| placing.function(seed))
        })
    }

    /// The slot of a hash, below the number of hashes. A hash that the function was
    /// not built for has a slot too.
    pub(crate) fn slot(&self, hash: u64) -> u32 {
        let mixed = Mixed::new(hash, self.seed);
        let pilot = self.pilots[mixed.bucket(&self.shape) as usize];
        let slot = mixed.slot(pilot, &self.shape);
        match slot.checked_sub(self.shape.keys) {
            Some(past) => self.remap[past as usize],
            None => slot,
        }
    }
}

/// A function in the making.
struct Placing {
    shape: Shape,
    /// Hashes by bucket; those of bucket b begin at `starts[b]`.
    mixed: Vec<Mixed>,
    starts: Vec<u32>,
    pilots: Vec<u8>,
    /// The bucket that has each slot.
    owners: Vec<u32>,
    recent: [u32; RECENT],
    placements: usize,
}

impl Placing {
    fn new(hashes: &[u64], seed: u32, shape: Shape) -> Placing {
        let all = || hashes.iter().map(|hash| Mixed::new(*hash, seed));
        let mut starts = vec![0; shape.buckets as usize + 1];
        all().for_each(|mixed| starts[mixed.bucket(&shape) as usize + 1] += 1);
        (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
        let mut next = starts.clone();
        let mut mixed = vec![Mixed(0); hashes.len()];
        for one in all() {
            let at = &mut next[one.bucket(&shape) as usize];
            mixed[*at as usize] = one;
            *at += 1;
        }
        Placing {
            shape,
            mixed,
            starts,
            pilots: vec![0; shape.buckets as usize],
            owners: vec![FREE; shape.slots as usize],
            recent: [FREE; RECENT],
            placements: 0,
        }
    }

    fn len(&self, bucket: u32) -> usize {
        (self.starts[bucket as usize + 1] - self.starts[bucket as usize]) as usize
    }

    fn hashes(&self, bucket: u32) -> &[Mixed] {
        let bucket = bucket as usize;
        &self.mixed[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
    }

    /// Places every bucket, the largest first. False if it goes on for too long.
    fn run(&mut self) -> bool {
        let mut order: Vec<u32> = (0..self.shape.buckets).collect();
        order.sort_by_key(|bucket| self.len(*bucket));
        // What was disturbed is placed before what was not placed yet: it is larger.
        while let Some(bucket) = order.pop() {
            if self.len(bucket) == 0 {
                return true;
            }
            self.placements += 1;
            if self.placements > PLACEMENTS * (self.mixed.len() + 1) {
                return false;
            }
            let Some(pilot) = self.free_pilot(bucket).or_else(|| self.cheapest_pilot(bucket))
            else {
                return false;
            };
            self.take(bucket, pilot, &mut order);
        }
        true
    }

    /// The first pilot that disturbs nobody.
    fn free_pilot(&self, bucket: u32) -> Option<u8> {
        let (hashes, shape) = (self.hashes(bucket), &self.shape);
        let is_free = |pilot: &u8| {
            let free = |mixed: &Mixed| self.owners[mixed.slot(*pilot, shape) as usize] == FREE;
            hashes.iter().all(free) && !self.collides(bucket, *pilot)
        };
        (0..=u8::MAX).find(is_free)
    }

    /// True if two hashes of the bucket would have one slot.
    fn collides(&self, bucket: u32, pilot: u8) -> bool {
        let (hashes, shape) = (self.hashes(bucket), &self.shape);
        let slot = |mixed: &Mixed| mixed.slot(pilot, shape);
        (1..hashes.len()).any(|at| hashes[..at].iter().any(|one| slot(one) == slot(&hashes[at])))
    }

    /// The pilot whose slots belong to the fewest and smallest buckets.
    fn cheapest_pilot(&self, bucket: u32) -> Option<u8> {
        // The first to be looked at differs from time to time, or two buckets could
        // disturb each other for ever.
        let first = self.placements as u32;
        let pilots = (first..first + PILOTS).map(|pilot| (pilot % PILOTS) as u8);
        let costs = pilots.filter_map(|pilot| Some((self.cost(bucket, pilot)?, pilot)));
        costs.min_by_key(|(cost, _)| *cost).map(|(_, pilot)| pilot)
    }

    /// Squares of the sizes of the buckets in the way; `None` if it cannot be taken.
    fn cost(&self, bucket: u32, pilot: u8) -> Option<usize> {
        let mut cost = 0;
        for mixed in self.hashes(bucket) {
            let owner = self.owners[mixed.slot(pilot, &self.shape) as usize];
            if owner != FREE {
                if self.recent.contains(&owner) {
                    return None;
                }
                cost += self.len(owner).pow(2);
            }
        }
        (!self.collides(bucket, pilot)).then_some(cost)
    }

    fn take(&mut self, bucket: u32, pilot: u8, order: &mut Vec<u32>) {
        self.pilots[bucket as usize] = pilot;
        self.recent[self.placements % RECENT] = bucket;
        for at in self.starts[bucket as usize]..self.starts[bucket as usize + 1] {
            let slot = self.mixed[at as usize].slot(pilot, &self.shape) as usize;
            let owner = self.owners[slot];
            if owner != FREE {
                self.leave(owner);
                order.push(owner);
            }
            self.owners[slot] = bucket;
        }
    }

    fn leave(&mut self, bucket: u32) {
        let pilot = self.pilots[bucket as usize];
        for at in self.starts[bucket as usize]..self.starts[bucket as usize + 1] {
            let slot = self.mixed[at as usize].slot(pilot, &self.shape) as usize;
            // A slot that the disturber has just taken is no longer ours to free.
            if self.owners[slot] == bucket {
                self.owners[slot] = FREE;
            }
        }
    }

    fn function(self, seed: u32) -> Function {
        let (below, past) = self.owners.split_at(self.shape.keys as usize);
        let mut free = (0..).zip(below).filter(|(_, owner)| **owner == FREE).map(|(slot, _)| slot);
        let mut next = |owner: &u32| if *owner == FREE { 0 } else { free.next().unwrap_or(0) };
        let remap = past.iter().map(&mut next).collect();
        Function { shape: self.shape, seed, pilots: self.pilots, remap }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes that follow from a seed (splitmix64).
    fn hashes(seed: u64, count: u64) -> Vec<u64> {
        let hash = |at: u64| {
            let mixed = (seed ^ at.wrapping_mul(STIR)).wrapping_mul(MIX);
            (mixed ^ (mixed >> 29)).wrapping_mul(SPREAD)
        };
        (1..=count).map(hash).collect()
    }

    #[track_caller]
    fn check_minimal(hashes: &[u64]) -> Function {
        let function = Function::build(hashes).expect("there is a function");
        let mut slots: Vec<u32> = hashes.iter().map(|hash| function.slot(*hash)).collect();
        slots.sort_unstable();
        assert!(slots.iter().copied().eq(0..hashes.len() as u32), "{} hashes", hashes.len());
        function
    }

    #[test]
    fn every_number_of_hashes_has_a_function() {
        for count in (0..300).chain([1_000, 2_047, 2_048, 4_096, 70_000]) {
            check_minimal(&hashes(count, count));
        }
    }

    #[test]
    fn hashes_that_differ_in_few_bits_have_one_too() {
        check_minimal(&(0..2_048).collect::<Vec<u64>>());
        check_minimal(&(0..2_048).map(|at| at << 53).collect::<Vec<u64>>());
        check_minimal(&(0..64).map(|at| 1 << at).collect::<Vec<u64>>());
    }

    #[test]
    fn the_first_function_is_nearly_always_found() {
        let seeds = (0..200).map(|at| check_minimal(&hashes(at, 1_500)).seed);
        let again = seeds.filter(|seed| *seed > 0).count();
        assert!(again <= 2, "{again} of 200 partitions needed more than one function");
    }

    #[test]
    fn absent_hashes_have_a_slot_below_the_number_of_hashes() {
        let function = check_minimal(&hashes(1, 1_000));
        assert!(hashes(2, 100_000).iter().all(|hash| function.slot(*hash) < 1_000));
    }

    #[test]
    fn the_function_of_today_is_that_of_version_1() {
        let function = check_minimal(&hashes(9, 5));
        assert_eq!((function.pilots, function.remap), (vec![3, 6], vec![4]));
    }
}
