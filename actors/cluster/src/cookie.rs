//! The cookie: 256 random bits that every node of a cluster has in a file, and
//! by which each proves to the other that it belongs.
//!
//! The file holds 64 hexadecimal digits and a newline and is readable by its
//! owner alone. The type shows nothing of its content, also not in a debug
//! print or an error.

use hmac::{Hmac, Mac};
use pyralog_env::Entropy;
use sha2::Sha256;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Bytes of the secret.
const SECRET_BYTES: usize = 32;

/// Digits, a newline, and one more so that a longer file is noticed.
const READ_BYTES_MAX: u64 = 2 * SECRET_BYTES as u64 + 2;

/// The shared secret of a cluster.
#[derive(Clone)]
pub struct Cookie([u8; SECRET_BYTES]);

/// Why there is no cookie.
#[derive(Debug, thiserror::Error)]
pub enum CookieError {
    /// The file could not be read or made.
    #[error(
        "the cookie file {path} cannot be used: {reason}; make it readable for this user or name another with --cookie-file"
    )]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Somebody else can read or change it.
    #[error(
        "the cookie file {path} is open to other users (mode {mode:o}): whoever reads it can join the cluster; run `chmod 600 {path}`, and make a new one if it may have been read"
    )]
    Open {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not 64 hexadecimal digits.
    #[error(
        "the cookie file {path} does not hold 64 hexadecimal digits: copy it from another node, or remove it so that a new one is made"
    )]
    Malformed {
        /// Which file.
        path: PathBuf,
    },
}

impl Cookie {
    /// The cookie with this content, for tests and for those who keep it elsewhere.
    pub fn from_bytes(secret: [u8; SECRET_BYTES]) -> Cookie {
        Cookie(secret)
    }

    /// `$XDG_STATE_HOME/pyralog/cookie`, else `~/.local/state/pyralog/cookie`;
    /// `None` where there is no home.
    pub fn default_path() -> Option<PathBuf> {
        let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let state = absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        state.map(|state| state.join("pyralog/cookie"))
    }

    /// Reads the cookie in the file at `path`.
    pub fn read(path: &Path) -> Result<Cookie, CookieError> {
        let io = |reason| CookieError::Io { path: path.to_owned(), reason };
        let file = File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(CookieError::Open { path: path.to_owned(), mode });
        }
        let mut text = Vec::new();
        file.take(READ_BYTES_MAX).read_to_end(&mut text).map_err(io)?;
        let secret = from_hex(&text);
        secret.map(Cookie).ok_or_else(|| CookieError::Malformed { path: path.to_owned() })
    }

    /// Reads the cookie at `path`, after making one if there is none. Two
    /// processes that do this at once end with the same cookie.
    pub fn read_or_create(path: &Path, entropy: &dyn Entropy) -> Result<Cookie, CookieError> {
        match Cookie::read(path) {
            Err(CookieError::Io { reason, .. }) if reason.kind() == io::ErrorKind::NotFound => {
                let io = |reason| CookieError::Io { path: path.to_owned(), reason };
                create(path, entropy).map_err(io)?;
                Cookie::read(path)
            }
            read => read,
        }
    }

    /// A secret for another purpose, named by `label`: nothing about the cookie
    /// or about other labels can be learned from it.
    pub fn derive(&self, label: &[u8]) -> [u8; 32] {
        self.mac(&[label]).finalize().into_bytes().into()
    }

    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any key length is valid");
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// Written beside it and linked into place: nobody ever reads half a cookie,
/// and of two creators the second leaves the first one's file alone.
fn create(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    let draft = path.with_extension(format!("draft-{:016x}", entropy.next_u64()));
    let mut secret = [0; SECRET_BYTES];
    entropy.fill(&mut secret);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all((hex(&secret) + "\n").as_bytes()).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

/// Lower-case digits, two a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &[u8]) -> Option<[u8; SECRET_BYTES]> {
    let digits = text.strip_suffix(b"\n").unwrap_or(text);
    if digits.len() != 2 * SECRET_BYTES {
        return None;
    }
    let mut secret = [0; SECRET_BYTES];
    for (byte, pair) in secret.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pyralog_env::RealEntropy;

    #[test]
    fn a_cookie_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/pyralog/cookie");
        let made = Cookie::read_or_create(&path, &RealEntropy).unwrap();
        let read = Cookie::read_or_create(&path, &RealEntropy).unwrap();
        assert_eq!(made.0, read.0);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read(&path).unwrap().len(), 65);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft stays");
    }

    #[test]
    fn creators_at_once_agree() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookie");
        let make = || Cookie::read_or_create(&path, &RealEntropy).unwrap().0;
        let cookies: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(cookies.iter().all(|cookie| *cookie == cookies[0]));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookie");
        Cookie::read_or_create(&path, &RealEntropy).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(Cookie::read(&path), Err(CookieError::Open { .. })), "{mode:o}");
        }
    }

    #[test]
    fn rubbish_is_refused_without_showing_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cookie");
        for text in ["", "abc\n", &"g".repeat(64), &"a".repeat(65), &"a".repeat(1 << 20)] {
            let _ = fs::remove_file(&path);
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let error = Cookie::read(&path).err().unwrap();
            assert!(matches!(error, CookieError::Malformed { .. }));
            assert!(text.is_empty() || !error.to_string().contains(text.trim()));
        }
    }
}
