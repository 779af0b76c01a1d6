//! `node.toml`: the identity of a data directory.
//!
//! ```toml
//! format_version = 3
//! cluster_id = "0123…"   # 128 random bits, made when the cluster was founded;
//!                        # absent until a node that founds none has joined one
//! name = "pyramid-1"     # the operator's name for the node
//! number = 1             # the directory's number for it; absent until given
//! store_id = "4567…"     # 128 random bits, made with this directory
//! boot = 12              # raised durably at each start
//! clean = false          # true between an ordered shutdown and the next start
//! start_tokens = ["89…"] # secrets by which the cluster knows this directory from
//!                        # a copy: the last one it has taken, and those sent since
//! ```
//!
//! Version 2 had no compacted segments beside it. Version 1 had a cluster always and
//! no tokens.
//!
//! It is replaced as a whole: a new file is written and synced, renamed over
//! the old one, and the directory synced. After a power cut either the old or
//! the new one is there.

use super::{DataDirectoryError, Wanted};
use pyralog_env::{Disk, Entropy};
use pyralog_model::{Boot, ClusterId, NodeNumber, StartToken, StoreId};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// The version this program writes, and the newest it reads.
pub const FORMAT_VERSION: u32 = 3;

const NAME: &str = "node.toml";
const NEXT_NAME: &str = "node.toml.new";

/// Far more than the file ever has.
const BYTES_MAX: u64 = 64 * 1024;
/// Tokens kept: that so many starts in a row hear nothing of a cluster which has
/// heard them is not to be expected.
const START_TOKENS_MAX: usize = 16;

/// What `node.toml` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFile {
    /// The cluster, once there is one.
    pub cluster: Option<ClusterId>,
    /// The node's name.
    pub name: String,
    /// The node's number, once the directory has given it one.
    pub number: Option<NodeNumber>,
    /// The store.
    pub store: StoreId,
    /// How often it was started.
    pub boot: Boot,
    /// Shut down in order, and not started since.
    pub clean: bool,
    /// The token that the cluster took last, and those sent to it since.
    pub start_tokens: Vec<StartToken>,
}

/// The file's own shape, so that neither form bends the other.
#[derive(Serialize, Deserialize)]
struct Written {
    format_version: u32,
    cluster_id: Option<String>,
    name: String,
    number: Option<u32>,
    store_id: String,
    boot: u64,
    clean: bool,
    #[serde(default)]
    start_tokens: Vec<String>,
}

/// Read first, so that a newer file is called newer and not damaged.
#[derive(Deserialize)]
struct VersionOnly {
    format_version: u32,
}

impl NodeFile {
    /// A new identity. Without a configured name the host's is taken.
    pub(super) fn found(wanted: &Wanted, entropy: &dyn Entropy) -> NodeFile {
        NodeFile {
            cluster: match wanted.cluster {
                None if wanted.founds => Some(ClusterId(entropy.next_u128())),
                named => named,
            },
            name: wanted.name.clone().unwrap_or_else(host_name),
            number: None,
            store: StoreId(entropy.next_u128()),
            boot: Boot(0),
            clean: true,
            start_tokens: Vec::new(),
        }
    }

    /// The token of the next start, kept before it is sent. `drawn`, unless so many
    /// starts in a row heard nothing of the cluster that the list is full: then the
    /// last one goes again. None is ever dropped, since each may be the one that
    /// the cluster has taken without our hearing of it.
    pub(super) fn add_start_token(&mut self, drawn: StartToken) -> StartToken {
        if let (Some(&last), START_TOKENS_MAX..) =
            (self.start_tokens.last(), self.start_tokens.len())
        {
            return last;
        }
        self.start_tokens.push(drawn);
        drawn
    }

    /// Itself, if it is who the configuration wants.
    pub(super) fn matching(
        self,
        dir: &Path,
        wanted: &Wanted,
    ) -> Result<NodeFile, DataDirectoryError> {
        if let Some(name) = wanted.name.as_ref().filter(|name| **name != self.name) {
            let (found, wanted) = (self.name, name.clone());
            return Err(DataDirectoryError::OtherNode { path: dir.to_owned(), found, wanted });
        }
        self.with_cluster(dir, wanted.cluster)
    }

    /// Itself, as a member of this cluster if one is named.
    pub(super) fn with_cluster(
        self,
        dir: &Path,
        cluster: Option<ClusterId>,
    ) -> Result<NodeFile, DataDirectoryError> {
        match (self.cluster, cluster) {
            (Some(found), Some(wanted)) if found != wanted => {
                Err(DataDirectoryError::OtherCluster { path: dir.to_owned(), found, wanted })
            }
            (found, wanted) => Ok(NodeFile { cluster: found.or(wanted), ..self }),
        }
    }

    /// Reads the file of `dir`; `None` when there is none.
    pub fn read(disk: &dyn Disk, dir: &Path) -> Result<Option<NodeFile>, DataDirectoryError> {
        let path = dir.join(NAME);
        let damaged = |why: String| DataDirectoryError::Damaged { path: path.clone(), why };
        let text = match read_text(disk, &path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(damaged(error.to_string()));
            }
            Err(error) => return Err(DataDirectoryError::io("read", &path)(error)),
        };
        let version: VersionOnly =
            toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))?;
        if version.format_version > FORMAT_VERSION {
            return Err(DataDirectoryError::TooNew {
                path: dir.to_owned(),
                found: version.format_version,
                known: FORMAT_VERSION,
            });
        }
        let written: Written =
            toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))?;
        let identity = |_| damaged("an id is not 32 hexadecimal digits".into());
        let tokens = written.start_tokens.iter().map(|text| u128::from_str_radix(text, 16));
        Ok(Some(NodeFile {
            start_tokens: tokens
                .map(|token| token.map(StartToken))
                .collect::<Result<_, _>>()
                .map_err(identity)?,
            cluster: written.cluster_id.map(|id| id.parse()).transpose().map_err(identity)?,
            name: written.name,
            number: written.number.map(NodeNumber),
            store: written.store_id.parse().map_err(identity)?,
            boot: Boot(written.boot),
            clean: written.clean,
        }))
    }

    /// Replaces the file of `dir`; durable on return.
    pub(super) fn write(&self, disk: &dyn Disk, dir: &Path) -> Result<(), DataDirectoryError> {
        let written = Written {
            format_version: FORMAT_VERSION,
            cluster_id: self.cluster.map(|id| id.to_string()),
            name: self.name.clone(),
            number: self.number.map(|number| number.0),
            store_id: self.store.to_string(),
            boot: self.boot.0,
            clean: self.clean,
            start_tokens: self.start_tokens.iter().map(|t| format!("{:032x}", t.0)).collect(),
        };
        let text = toml::to_string(&written).expect("plain fields have a TOML form");
        replace(disk, dir, text.as_bytes())
            .map_err(DataDirectoryError::io("write", &dir.join(NAME)))
    }
}

fn replace(disk: &dyn Disk, dir: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = dir.join(NEXT_NAME);
    // What a power cut left of an earlier attempt.
    if disk.exists(&next)? {
        disk.remove_file(&next)?;
    }
    let file = disk.create(&next)?;
    file.write_all_at(bytes, 0)?;
    file.sync_all()?;
    disk.rename(&next, &dir.join(NAME))?;
    disk.sync_dir(dir)
}

fn read_text(disk: &dyn Disk, path: &Path) -> io::Result<String> {
    let file = disk.open(path)?;
    let len = file.len()?;
    if len > BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{len} bytes are too many"),
        ));
    }
    let mut bytes = vec![0; usize::try_from(len).expect("at most 64 KiB")];
    file.read_exact_at(&mut bytes, 0)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "pyralog".into() } else { name }
}
