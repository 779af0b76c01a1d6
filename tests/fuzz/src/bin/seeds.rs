//! Writes what each target begins with: `seeds DIR` makes `DIR/<target>/…` from the
//! committed fixtures, from what real clients sent, and from what our own writers
//! write.

use pyralog_directory::{Command, Directory};
use pyralog_env::Disk;
use pyralog_env::sim::SimDisk;
use pyralog_index::{Builder, Entry, IndexOf, Reducer, Spec, hash_key};
use pyralog_model::{BatchBuilder, ClusterId, LogSettings, Offset, PartitionId, StoreId};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        return Err(io::Error::other("usage: seeds DIR"));
    };
    let seeds = Seeds { folder: PathBuf::from(folder) };
    let fixtures = |name: &str| fs::read(repository().join("storage").join(name));
    let segment = fixtures("log/fixtures/v1.segment")?;
    let rewritten = fixtures("log/fixtures/v2.segment")?;
    let wal = fixtures("log/fixtures/v1.wal")?;
    let (offsets, times) =
        (fixtures("log/fixtures/v1.offsets")?, fixtures("log/fixtures/v1.times")?);
    let sessions = fixtures("log/fixtures/v1.sessions")?;
    for (choice, bytes) in
        [&wal, &segment, &offsets, &times, &sessions, &rewritten].iter().enumerate()
    {
        seeds.put("recovery", &[&[choice as u8], &bytes[..]].concat())?;
    }
    seeds.put("segment", &segment)?;
    seeds.put("segment", &rewritten)?;
    seeds.put("wal", &wal)?;
    seeds.put("index", &offsets)?;
    seeds.put("index", &times)?;
    seeds.put("sessions", &sessions)?;
    seeds.put("arena", &fixtures("counter/fixtures/v1.arena")?)?;
    seeds.put("bound", &fixtures("counter/fixtures/v1.bound")?)?;
    seeds.put("checkpoint", &[1, 0xac, 2, 0xf0, 0xa2, 4, 0xc2, 3, 0xc0, 0x84, 0x3d, 7, 3])?;
    seeds.put("checkpoint", &[1, 0x80, 1, 5])?;
    for name in ["v1.pphm", "v1-max.pphm"] {
        seeds.put("pphm", &fixtures(&format!("index/fixtures/{name}"))?)?;
    }
    seeds.put("keys_manifest", &fixtures("index/fixtures/v1.manifest")?)?;
    seeds.small_indexes()?;
    seeds.directory()?;
    seeds.batches()?;
    seeds.requests()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

struct Seeds {
    folder: PathBuf,
}

impl Seeds {
    /// A seed of a target, named by how many it has.
    fn put(&self, target: &str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.folder.join(target);
        fs::create_dir_all(&folder)?;
        let (mut number, mut path) = (0, folder.join("seed-0"));
        while path.exists() && fs::read(&path)? != bytes {
            number += 1;
            path = folder.join(format!("seed-{number}"));
        }
        fs::write(path, bytes)
    }

    fn directory(&self) -> io::Result<()> {
        let commands = [
            Command::FoundCluster { cluster: ClusterId(7) },
            Command::CreateCounter {
                name: "a".parse().expect("a good name"),
                mode: pyralog_model::CounterMode::Exact,
            },
            Command::CreateLog {
                name: "flights".parse().expect("a good name"),
                partitions: 2,
                replication_factor: 1,
                settings: LogSettings::default(),
                internal: false,
            },
        ];
        let mut directory = Directory::default();
        for (index, command) in (1..).zip(&commands) {
            self.put("directory_command", &command.encode())?;
            let _ = directory.apply(index, command);
        }
        self.put("directory_snapshot", &directory.snapshot())
    }

    /// Files of keys that are small enough to be turned over in many ways a second.
    fn small_indexes(&self) -> io::Result<()> {
        let of = IndexOf { store: StoreId(1), partition: PartitionId::new(1, 0) };
        for (reducer, keys) in [(Reducer::All, 7), (Reducer::All, 100), (Reducer::Last, 7)] {
            let sim = SimDisk::new(1);
            let disk: Arc<dyn Disk> = Arc::new(sim.clone());
            let path = Path::new("/a.pphm");
            let spec = Spec { of, range: Offset(0)..Offset(40), hash_seed: 1 };
            let mut builder = Builder::new(&disk, path, spec, Arc::new(reducer), 1 << 20);
            for offset in 0..40u64 {
                let hash = hash_key(1, &(offset % keys).to_le_bytes());
                let entry = Entry::at(hash, Offset(offset), offset % 9 == 0);
                builder.push(entry).map_err(io::Error::other)?;
            }
            builder.finish().map_err(io::Error::other)?;
            self.put("pphm", &sim.read_file(path)?)?;
        }
        Ok(())
    }

    fn batches(&self) -> io::Result<()> {
        let mut builder = BatchBuilder::new();
        for number in 0..3 {
            builder.push(number, Some(b"key"), Some(b"value"), &[]);
        }
        let batch = builder.finish().ok_or_else(|| io::Error::other("a batch of three"))?;
        self.put("batch", &batch)
    }

    /// What real clients sent, request by request: a length, then so many bytes.
    fn requests(&self) -> io::Result<()> {
        for entry in fs::read_dir(repository().join("tests/recordings"))? {
            let bytes = fs::read(entry?.path())?;
            let mut rest = &bytes[..];
            while let Some((length, after)) = rest.split_first_chunk::<4>() {
                let length = u32::from_be_bytes(*length) as usize;
                let Some((request, after)) = after.split_at_checked(length) else { break };
                if request.len() < 4_096 {
                    self.put("kafka_request", request)?;
                }
                rest = after;
            }
        }
        Ok(())
    }
}
