//! File systems of our own, which may lose their power or fill up.
//!
//! They need root, loop devices and the tools of ext4. Where those are missing
//! a test says so and passes, except under `PYRALOG_CI=1`, where it fails.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// `_IOR('X', 125, u32)`: ends an ext4 as a power cut would.
const EXT4_IOC_SHUTDOWN: u32 = 0x8004_587d;
/// Not even the journal is written out first.
const NO_LOG_FLUSH: u32 = 2;

/// An ext4 in a file. Dropping it unmounts it.
#[derive(Debug)]
pub struct Volume {
    image: PathBuf,
    mount: PathBuf,
    mounted: bool,
}

impl Volume {
    /// Makes one of `bytes` in `folder` and mounts it.
    pub fn create(folder: &Path, bytes: u64) -> Result<Volume> {
        let (image, mount) = (folder.join("volume.img"), folder.join("volume"));
        File::create(&image)?.set_len(bytes)?;
        fs::create_dir_all(&mount)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image))?;
        let mut volume = Volume { image, mount, mounted: false };
        volume.mount()?;
        Ok(volume)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mount
    }

    /// Mounts it again, as after a power cut.
    pub fn mount(&mut self) -> Result<()> {
        run(Command::new("mount").args(["-o", "loop"]).arg(&self.image).arg(&self.mount))?;
        self.mounted = true;
        Ok(())
    }

    /// Unmounts it.
    pub fn unmount(&mut self) -> Result<()> {
        run(Command::new("umount").arg(&self.mount))?;
        self.mounted = false;
        Ok(())
    }

    /// The power goes: what has not been synced is gone.
    pub fn cut_power(&self) -> Result<()> {
        let script = "import fcntl, os, struct, sys\n\
            fd = os.open(sys.argv[1], os.O_RDONLY)\n\
            fcntl.ioctl(fd, int(sys.argv[2]), struct.pack('I', int(sys.argv[3])))\n";
        run(Command::new("python3")
            .args(["-c", script])
            .arg(&self.mount)
            .args([EXT4_IOC_SHUTDOWN.to_string(), NO_LOG_FLUSH.to_string()]))
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: a process that a failed test left behind must not keep it.
            let _ = Command::new("umount").arg("-l").arg(&self.mount).status();
        }
    }
}

/// Whether volumes can be made here: `None`, or what is missing.
pub fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("needs root".into());
    }
    let tools = ["mkfs.ext4", "mount", "umount", "losetup", "python3"];
    let absent = tools.into_iter().find(|tool| !is_installed(tool));
    if let Some(tool) = absent {
        return Some(format!("needs {tool} (e2fsprogs, mount, python3)"));
    }
    let free = Command::new("losetup").arg("-f").output();
    match free {
        Ok(output) if output.status.success() => None,
        _ => Some("needs a free loop device".into()),
    }
}

/// False, with a line that says why, where volumes cannot be made.
///
/// # Panics
/// Under `PYRALOG_CI=1`: there they must be possible.
pub fn are_possible() -> bool {
    let Some(why) = missing() else { return true };
    let ci = std::env::var_os("PYRALOG_CI").is_some_and(|value| value == "1");
    assert!(!ci, "this test {why}");
    eprintln!("skipped: {why}");
    false
}

fn is_installed(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/sbin".into(), "/usr/sbin".into()]);
    folders.into_iter().any(|folder| folder.join(tool).is_file())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
