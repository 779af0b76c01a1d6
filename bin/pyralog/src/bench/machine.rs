//! What the figures were measured on. A figure without these is a rumour.

use serde::Serialize;
use std::fs;
use std::path::Path;

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Cores this process may use.
    pub cores: usize,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// The kernel's release.
    pub kernel: String,
    /// File system and device of the directory that matters, if it was named.
    pub filesystem: Option<String>,
    /// True for a build without optimisation, whose figures mean nothing.
    pub debug_build: bool,
}

impl Machine {
    /// This machine; `dir` is a directory on the disk that matters.
    pub fn here(dir: Option<&Path>) -> Machine {
        let cpu =
            field("/proc/cpuinfo", "model name").or_else(|| field("/proc/cpuinfo", "CPU part"));
        Machine {
            cpu: cpu.unwrap_or_else(|| "unknown".into()),
            cores: std::thread::available_parallelism().map_or(1, |cores| cores.get()),
            memory_bytes: field("/proc/meminfo", "MemTotal")
                .and_then(|text| text.strip_suffix(" kB")?.parse::<u64>().ok())
                .map(|kibibytes| kibibytes * 1024),
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            filesystem: dir.and_then(filesystem),
            debug_build: cfg!(debug_assertions),
        }
    }
}

/// The value of the first line `name: value`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// Type and device of the mount that holds `dir`: the one with the longest
/// path, and of those the last, which covers the others.
fn filesystem(dir: &Path) -> Option<String> {
    let dir = dir.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let covering = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, point, kind) = (words.next()?, words.next()?, words.next()?);
        dir.starts_with(point).then(|| (point.len(), format!("{kind} on {device}")))
    });
    covering.max_by_key(|(length, _)| *length).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_cores_and_a_root() {
        let machine = Machine::here(Some(Path::new("/")));
        assert!(machine.cores > 0 && machine.filesystem.is_some(), "{machine:?}");
    }
}
