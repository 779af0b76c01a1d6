//! `pyralog inspect index` of a file of keys: its partitions, or every version in it.

use super::cell::{Cell, Fields};
use super::sheet::{Output, Sheet};
use crate::cli::InspectArguments;
use crate::failure::Failure;
use pyralog_env::ReadOnlyDisk;
use pyralog_index::Entry;
use pyralog_index::inspection::{PphmHeader, PphmPart, PphmWalk};
use pyralog_model::Damage;
use std::path::Path;

/// The names of the reducers, by their numbers.
const REDUCERS: [&str; 6] = ["all", "last", "first", "max", "priority", "timestamp"];

/// What the partitions of a file have together.
#[derive(Default)]
struct Sum {
    partitions: u64,
    keys: u64,
    versions: u64,
    deleted: u64,
    first_damage: Option<u64>,
}

impl Sum {
    fn damage(&mut self, damage: &Damage) {
        let first = self.first_damage.unwrap_or(u64::MAX);
        self.first_damage = Some(first.min(damage.position));
    }
}

/// Shows a row for each partition, or with `--records` for each version of a key.
pub(super) fn show(
    path: &Path,
    arguments: &InspectArguments,
    output: &mut Output,
) -> Result<u64, Failure> {
    let mut walk = PphmWalk::new(&ReadOnlyDisk, path).map_err(Failure::failed)?;
    let mut sheet = output.file(path, "an index of keys", Fields(header(&walk)))?;
    let mut sum = Sum::default();
    let tell = |damage: &Damage, sum: &mut Sum, sheet: &mut Sheet<'_>| {
        sum.damage(damage);
        sheet.damage(damage)
    };
    for damage in walk.header().damage.iter().chain(walk.directory_damage()) {
        tell(damage, &mut sum, &mut sheet)?;
    }
    let from = arguments.from.unwrap_or_default();
    loop {
        let mut shown = Ok(());
        let mut each = |entry: Entry| {
            if arguments.records && entry.version.offset.0 >= from && shown.is_ok() {
                shown = sheet.row("version", version(&entry));
            }
        };
        let Some(part) = walk.step(&mut each).map_err(Failure::failed)? else { break };
        shown?;
        sum.partitions += 1;
        sum.keys += part.keys;
        sum.versions += part.versions;
        sum.deleted += part.deleted;
        if !arguments.records && part.number >= from {
            sheet.row("partition", partition(&part))?;
        }
        for damage in &part.damages {
            tell(damage, &mut sum, &mut sheet)?;
        }
    }
    if let Some(damage) = walk.finish() {
        tell(&damage, &mut sum, &mut sheet)?;
    }
    sheet.end(Fields(vec![
        ("partitions", Cell::new(sum.partitions)),
        ("keys", Cell::new(sum.keys)),
        ("versions", Cell::new(sum.versions)),
        ("deleted_keys", Cell::new(sum.deleted)),
        ("first_damage", Cell::new(sum.first_damage)),
    ]))
}

fn header(walk: &PphmWalk) -> Vec<(&'static str, Cell)> {
    let PphmHeader { facts, version, damage } = walk.header();
    let (of, range) = (facts.spec.of, &facts.spec.range);
    let reducer = REDUCERS.get(usize::from(facts.reducer)).copied();
    let reducer = reducer.map_or_else(|| format!("number {}", facts.reducer), str::to_owned);
    // The file's own length counts, not what a damaged header says of it.
    let bits_per_key = match facts.keys {
        0 => None,
        keys => Some((walk.file_bytes() as f64 * 80.0 / keys as f64).round() / 10.0),
    };
    let state = |damaged: bool| Cell::new(if damaged { "damaged" } else { "ok" });
    let directory = match walk.has_directory() {
        true => state(walk.directory_damage().is_some()),
        false => Cell::new("not read: the header does not lead there"),
    };
    vec![
        ("log", Cell::new(of.partition.log.0)),
        ("partition", Cell::new(of.partition.partition.0)),
        ("store", Cell::new(of.store.to_string())),
        ("base_offset", Cell::new(range.start.0)),
        ("end_offset", Cell::new(range.end.0)),
        ("keys", Cell::new(facts.keys)),
        ("versions", Cell::new(facts.versions)),
        ("bits_per_key", Cell::new(bits_per_key)),
        ("hash_seed", Cell::new(format!("{:016x}", facts.spec.hash_seed))),
        ("reducer", Cell::new(reducer)),
        ("prefix_bits", Cell::new(facts.prefix_bits)),
        ("version", Cell::new(*version)),
        ("bytes", Cell::new(walk.file_bytes())),
        ("header", state(damage.is_some())),
        ("block_table", directory),
    ]
}

fn partition(part: &PphmPart) -> Fields {
    let state = if part.damages.is_empty() { "ok" } else { "damaged" };
    Fields(vec![
        ("position", Cell::new(part.position)),
        ("number", Cell::new(part.number)),
        ("pages", Cell::new(part.pages)),
        ("block_position", Cell::new(part.block_position)),
        ("block_bytes", Cell::new(part.block_bytes)),
        ("keys", Cell::new(part.keys)),
        ("lists", Cell::new(part.lists)),
        ("versions", Cell::new(part.versions)),
        ("deleted_keys", Cell::new(part.deleted)),
        ("entry_bits", Cell::new(part.entry_bits)),
        ("seed", Cell::new(part.seed)),
        ("state", Cell::new(state)),
    ])
}

fn version(entry: &Entry) -> Fields {
    Fields(vec![
        ("hash", Cell::new(format!("{:016x}", entry.hash))),
        ("offset", Cell::new(entry.version.offset.0)),
        ("deleted", Cell::new(entry.version.tombstone)),
        ("rank", Cell::detail(entry.version.rank)),
        ("state", Cell::new("ok")),
    ])
}
