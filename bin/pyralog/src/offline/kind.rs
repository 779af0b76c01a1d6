//! What a file is, by its first bytes, and where they say nothing by its name.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A kind of file in a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `.segment`
    Segment,
    /// `.wal`
    Wal,
    /// `.offsets`
    Offsets,
    /// `.times`
    Times,
    /// `.sessions`
    Sessions,
    /// `.pphm`
    Keys,
    /// `keys.manifest`
    KeyManifest,
    /// `arena`
    Arena,
    /// `lane`
    Lane,
    /// `meta.redb` or `directory.redb`: redb itself does not tell them apart.
    Database,
    /// `node.toml`
    Node,
}

/// What files begin with.
const MAGIC: [(&[u8], FileKind); 10] = [
    (b"PYRASEG1", FileKind::Segment),
    (b"PYRAWAL1", FileKind::Wal),
    (b"PYRAOFFS", FileKind::Offsets),
    (b"PYRATIME", FileKind::Times),
    (b"PYRASESS", FileKind::Sessions),
    (b"PYRAPPHM", FileKind::Keys),
    (b"PYRAKEYS", FileKind::KeyManifest),
    (b"PYRAARE1", FileKind::Arena),
    (b"PYRABND1", FileKind::Lane),
    (b"redb\x1a\x0a\xa9\x0d\x0a", FileKind::Database),
];

/// How names end.
const ENDINGS: [(&str, FileKind); 12] = [
    (".segment", FileKind::Segment),
    (".wal", FileKind::Wal),
    (".offsets", FileKind::Offsets),
    (".times", FileKind::Times),
    (".sessions", FileKind::Sessions),
    (".pphm", FileKind::Keys),
    ("keys.manifest", FileKind::KeyManifest),
    ("arena", FileKind::Arena),
    ("lane", FileKind::Lane),
    ("bound", FileKind::Lane),
    (".redb", FileKind::Database),
    (".toml", FileKind::Node),
];

impl FileKind {
    /// What the first bytes of a file say.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn by_content(path: &Path) -> io::Result<Option<FileKind>> {
        let mut begin = Vec::new();
        File::open(path)?.take(16).read_to_end(&mut begin)?;
        let found = MAGIC.iter().find(|(magic, _)| begin.starts_with(magic));
        Ok(found.map(|(_, kind)| *kind))
    }

    /// What the name says.
    pub fn by_name(path: &Path) -> Option<FileKind> {
        let name = path.file_name()?.to_string_lossy();
        ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, kind)| *kind)
    }

    /// The word for `pyralog inspect`.
    pub fn word(self) -> &'static str {
        match self {
            FileKind::Segment => "segment",
            FileKind::Wal => "wal",
            FileKind::Offsets | FileKind::Times | FileKind::Sessions | FileKind::Keys => "index",
            FileKind::Arena | FileKind::Lane => "arena",
            FileKind::Database | FileKind::Node | FileKind::KeyManifest => "manifest",
        }
    }

    /// What it is, for people.
    pub fn describe(self) -> &'static str {
        match self {
            FileKind::Segment => "a segment",
            FileKind::Wal => "a file of the write-ahead log",
            FileKind::Offsets => "an index of offsets",
            FileKind::Times => "an index of times",
            FileKind::Sessions => "a file of producers' sessions",
            FileKind::Keys => "an index of keys",
            FileKind::KeyManifest => "a manifest of indexes of keys",
            FileKind::Arena => "an arena of counters",
            FileKind::Lane => "a bound of ids",
            FileKind::Database => "a database",
            FileKind::Node => "a node's identity",
        }
    }
}
