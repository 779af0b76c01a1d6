//! Bytes that somebody made on purpose: checksums are right, everything else may not
//! be. Nothing panics or hangs, and reading takes no more memory than a small multiple
//! of the file. One test, because it weighs the whole process.

use peak_alloc::PeakAlloc;
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_index::inspection::{ManifestFile, PphmWalk};
use pyralog_index::{
    BlockCache, Builder, Entry, IndexError, IndexOf, KeyManifest, Pphm, Reducer, Spec, Version,
    hash_key,
};
use pyralog_model::{Offset, PartitionId, StoreId};
use std::path::Path;
use std::sync::Arc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const DIR: &str = "/keys";
const HEADER_BYTES: usize = 128;
/// What reading may take: some buffers, and so many times the file.
const BYTES_MAX: usize = 64 << 10;
const TIMES_MAX: usize = 8;

#[test]
fn bytes_made_on_purpose_are_refused_or_read() {
    let full = std::env::var("PYRALOG_FULL").is_ok_and(|full| full == "1");
    let rounds = if full { 1_000_000 } else { 10_000 };
    files(1, Reducer::All, rounds);
    files(2, Reducer::Max, rounds);
    manifests(3, rounds);
}

fn files(seed: u64, reducer: Reducer, rounds: u64) {
    let (sim, disk) = disk();
    let path = Path::new(DIR).join("a.pphm");
    let hashes: Vec<u64> = (0..40u64).map(|key| hash_key(1, &key.to_le_bytes())).collect();
    build(&disk, &path, reducer);
    let sound = sim.read_file(&path).unwrap();
    let mut chance = Chance(seed);
    let (mut opened, mut whole) = (0, 0);
    for round in 0..rounds {
        let mut bytes = sound.clone();
        spoil(&mut bytes, &mut chance);
        mend(&mut bytes);
        replace(&disk, &path, &bytes);
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        let mut is_whole = false;
        if let Ok(pphm) = Pphm::open(&disk, &path, &Arc::new(BlockCache::new(1 << 40))) {
            opened += 1;
            is_whole = read(pphm, &hashes).is_ok();
            whole += u64::from(is_whole);
        }
        // What readers refuse is never called sound.
        let damages = walk(&disk, &path);
        assert!(is_whole || damages > 0, "the damage of round {round} is not shown");
        let taken = MEMORY.peak_usage() - before;
        assert!(taken <= BYTES_MAX + TIMES_MAX * bytes.len(), "{taken} bytes in round {round}");
    }
    // Or nothing behind the header was ever reached, or nothing was ever wrong.
    assert!(opened > rounds / 4 && whole < opened, "{whole} whole of {opened} of {rounds}");
}

/// Looks into the file; how many damaged places it shows.
fn walk(disk: &Arc<dyn Disk>, path: &Path) -> usize {
    let mut walk = PphmWalk::new(&**disk, path).unwrap();
    let mut damages = walk.header().damage.iter().chain(walk.directory_damage()).count();
    while let Some(part) = walk.step(&mut |_| {}).unwrap() {
        damages += part.damages.len();
    }
    damages + walk.finish().iter().count()
}

/// Reads all that can be read. Errors are fine.
fn read(pphm: Pphm, hashes: &[u64]) -> Result<(), IndexError> {
    let pphm = Arc::new(pphm);
    for hash in hashes {
        pphm.newest(*hash).ok();
        pphm.versions(*hash).take(10_000).for_each(drop);
    }
    pphm.newest_all(hashes).ok();
    pphm.verify()
}

fn manifests(seed: u64, rounds: u64) {
    let (_, disk) = disk();
    let path = Path::new(DIR).join("keys.manifest");
    disk.create(&path).unwrap();
    let mut chance = Chance(seed);
    let mut read = 0;
    for _ in 0..rounds {
        let files = chance.below(4) as usize;
        let mut bytes = vec![0; 64 + 40 * files + chance.below(2) as usize * 7];
        bytes[..8].copy_from_slice(b"PYRAKEYS");
        bytes[12] = 1;
        bytes[44] = if chance.below(5) > 0 { files as u8 } else { chance.next() as u8 };
        for byte in &mut bytes[48..] {
            *byte = if chance.below(7) > 0 { 0 } else { chance.below(3) as u8 };
        }
        seal(&mut bytes, 12);
        replace(&disk, &path, &bytes);
        let looked = ManifestFile::read(&bytes);
        let found = KeyManifest::read(&*disk, Path::new(DIR));
        assert_eq!(found.is_ok(), looked.damage.is_none(), "{found:?} {looked:?}");
        if let Ok(Some(manifest)) = found {
            read += 1;
            assert_eq!((manifest.files.len(), &manifest.files), (files, &looked.files));
        }
    }
    assert!(read > rounds / 100, "{read} of {rounds} were read");
}

fn disk() -> (SimDisk, Arc<dyn Disk>) {
    let disk = SimDisk::new(1);
    disk.create_dir_all(Path::new(DIR)).unwrap();
    (disk.clone(), Arc::new(disk))
}

/// Two partitions; most keys have one version, a few have many.
fn build(disk: &Arc<dyn Disk>, path: &Path, reducer: Reducer) {
    let of = IndexOf { store: StoreId(1), partition: PartitionId::new(1, 0) };
    let spec = Spec { of, range: Offset(0)..Offset(3_000), hash_seed: 1 };
    let mut builder = Builder::new(disk, path, spec, Arc::new(reducer), 1 << 20);
    for offset in 0..3_000u64 {
        let key = if offset < 2_500 { offset } else { offset % 3 };
        let hash = hash_key(1, &key.to_le_bytes());
        let version = Version { rank: key as i64, ..Version::at(Offset(offset), key % 9 == 0) };
        builder.push(Entry { hash, version }).unwrap();
    }
    builder.finish().unwrap();
}

fn spoil(bytes: &mut [u8], chance: &mut Chance) {
    for _ in 0..=chance.below(4) {
        // Mostly where there is structure.
        let within = match chance.below(4) {
            0 => HEADER_BYTES,
            1 => HEADER_BYTES + 64,
            _ => bytes.len(),
        };
        let at = chance.below(within as u64) as usize;
        bytes[at] = match chance.below(4) {
            0 => 0,
            1 => 0xff,
            2 => bytes[at] ^ (1 << chance.below(8)),
            _ => chance.next() as u8,
        };
    }
}

/// Puts right every checksum that the file's own words lead to.
fn mend(bytes: &mut [u8]) {
    let end = HEADER_BYTES + (16 << bytes[46].min(20));
    let directory = HEADER_BYTES..end.min(bytes.len());
    for entry in directory.clone().step_by(16).filter(|at| at + 16 <= directory.end) {
        let position = u64::from_le_bytes(bytes[entry..entry + 8].try_into().unwrap());
        let len = u32::from_le_bytes(bytes[entry + 8..entry + 12].try_into().unwrap());
        let begin = position as usize;
        if let Some(block) = bytes.get(begin..begin.saturating_add(len as usize)) {
            let crc = crc_fast::crc32_iscsi(block);
            bytes[entry + 12..entry + 16].copy_from_slice(&crc.to_le_bytes());
        }
    }
    let crc = crc_fast::crc32_iscsi(&bytes[directory]);
    bytes[96..100].copy_from_slice(&crc.to_le_bytes());
    seal(&mut bytes[..HEADER_BYTES], 12);
}

/// Writes the CRC of everything from `from` on before it.
fn seal(bytes: &mut [u8], from: usize) {
    let crc = crc_fast::crc32_iscsi(&bytes[from..]);
    bytes[from - 4..from].copy_from_slice(&crc.to_le_bytes());
}

fn replace(disk: &Arc<dyn Disk>, path: &Path, bytes: &[u8]) {
    let file = disk.open(path).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

/// Numbers that follow from a seed: splitmix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, which is not 0.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}
