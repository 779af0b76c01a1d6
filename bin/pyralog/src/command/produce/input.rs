//! Where records are read from: a file or standard input, packed or not.

use super::bounded::Buffered;
use super::progress::Progress;
use crate::failure::{Failure, Status};
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read};
use std::path::Path;

/// Read at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// A source of bytes.
pub struct Input {
    reader: Box<dyn Read + Send>,
    packing: Packing,
    /// Its length, packed as it is, if it has one.
    pub bytes: Option<u64>,
    /// Someone types it.
    pub is_typed: bool,
}

/// How the bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Zstd,
    Gzip,
}

impl Packing {
    /// By the ending of the file's name.
    fn of(path: &Path) -> Packing {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("zst" | "zstd") => Packing::Zstd,
            Some("gz" | "gzip") => Packing::Gzip,
            _ => Packing::None,
        }
    }
}

impl Input {
    /// A file, or standard input for `-`.
    pub fn open(path: &Path) -> Result<Input, Failure> {
        if path.as_os_str() == "-" {
            let is_typed = io::stdin().is_terminal();
            let reader = Box::new(io::stdin());
            return Ok(Input { reader, packing: Packing::None, bytes: None, is_typed });
        }
        let name = path.display();
        let unreadable = |error: io::Error| {
            Failure::new(Status::NotFound, format!("cannot read {name}: {error}"))
        };
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if metadata.is_dir() {
            return Err(Failure::new(Status::Usage, format!("{name} is a directory; name a file")));
        }
        let bytes = metadata.is_file().then_some(metadata.len());
        Ok(Input { reader: Box::new(file), packing: Packing::of(path), bytes, is_typed: false })
    }

    /// A file that is part of the program, packed as the ending of its name says.
    pub fn embedded(name: &str, bytes: &'static [u8]) -> Input {
        let packing = Packing::of(Path::new(name));
        Input { reader: Box::new(bytes), packing, bytes: Some(bytes.len() as u64), is_typed: false }
    }

    /// The unpacked bytes; what is read of the packed ones is progress.
    pub fn unpacked(self, progress: &Progress) -> Result<impl Buffered + use<>, Failure> {
        let counted = progress.counting(self.reader);
        let reader: Box<dyn Read + Send> = match self.packing {
            Packing::None => Box::new(counted),
            Packing::Zstd => Box::new(zstd::Decoder::new(counted).map_err(Failure::failed)?),
            Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(counted)),
        };
        Ok(BufReader::with_capacity(BUFFER_BYTES, reader))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(name: &str, bytes: &[u8]) -> io::Result<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let input = Input::open(&path).unwrap();
        assert_eq!(input.bytes, Some(bytes.len() as u64));
        let mut text = String::new();
        input.unpacked(&Progress::hidden()).unwrap().read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn files_are_unpacked_by_their_ending() {
        let text = "a,b\n".repeat(50_000);
        let zstd = zstd::encode_all(text.as_bytes(), 3).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(read("a.csv.zst", &zstd).unwrap(), text);
        assert_eq!(read("a.csv.gz", &gzip).unwrap(), text);
        // As `cat a.gz b.gz` makes them.
        assert_eq!(read("ab.gz", &[&gzip[..], &gzip].concat()).unwrap(), text.repeat(2));
        assert_eq!(read("ab.zst", &[&zstd[..], &zstd].concat()).unwrap(), text.repeat(2));
        assert_eq!(read("a.csv", text.as_bytes()).unwrap(), text);
        assert!(read("a.zst", text.as_bytes()).is_err());
        assert!(read("a.gz", &gzip[..gzip.len() / 2]).is_err());
        assert!(read("a.zst", &zstd[..zstd.len() / 2]).is_err());
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Input::open(folder.path()).err().unwrap().status, Status::Usage);
        let missing = Input::open(&folder.path().join("x.csv")).err().unwrap();
        assert!(missing.to_string().contains("cannot read"));
    }
}
