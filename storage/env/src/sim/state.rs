//! All of a simulated disk behind its lock: files and directories by inode,
//! names, power, faults and the space they share.

use super::content::Content;
use super::cut::CutKind;
use super::faults::{Faults, no_space};
use super::names::{Directory, Inode, NameChange, PendingNames};
use super::page::PAGE_BYTES;
use super::power::{Power, power_cut};
use super::random::Random;
use std::io::{self, ErrorKind};
use std::sync::Arc;

mod cut;
mod paths;

/// The inode of `/`.
const ROOT: Inode = 0;

#[derive(Debug)]
pub(super) struct FileNode {
    pub(super) content: Content,
    /// False when its last name was removed: what it holds is free space.
    linked: bool,
    /// Cloned by every open handle.
    pub(super) handles: Arc<()>,
}

#[derive(Debug)]
enum Node {
    File(FileNode),
    Directory(Directory),
}

#[derive(Debug)]
pub(super) struct State {
    nodes: Vec<Option<Node>>,
    names: PendingNames,
    pub(super) power: Power,
    pub(super) faults: Faults,
    pub(super) random: Random,
    pub(super) capacity_bytes: u64,
    used_pages: u64,
    /// The sync in which the power went.
    interrupted: Option<(CutKind, Inode)>,
}

impl State {
    pub(super) fn new(seed: u64) -> State {
        State {
            nodes: vec![Some(Node::Directory(Directory::default()))],
            names: PendingNames::default(),
            power: Power::default(),
            faults: Faults::default(),
            random: Random::new(seed),
            capacity_bytes: u64::MAX,
            used_pages: 0,
            interrupted: None,
        }
    }

    /// Runs one mutating operation. If the power goes in its middle it has
    /// happened in the live image, is pending, and fails.
    pub(super) fn mutate<T>(
        &mut self,
        effect: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let cut = self.power.begin()?;
        let result = effect(self);
        if cut { Err(power_cut()) } else { result }
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.used_pages * PAGE_BYTES as u64
    }

    pub(super) fn file(&self, inode: Inode) -> io::Result<&FileNode> {
        match self.nodes[inode].as_ref() {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Directory(_)) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn content(&mut self, inode: Inode) -> io::Result<&mut Content> {
        match self.nodes[inode].as_mut() {
            Some(Node::File(file)) => Ok(&mut file.content),
            Some(Node::Directory(_)) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn directory(&mut self, inode: Inode) -> io::Result<&mut Directory> {
        match self.nodes[inode].as_mut() {
            Some(Node::Directory(directory)) => Ok(directory),
            _ => Err(ErrorKind::NotADirectory.into()),
        }
    }

    /// Writes to a file, as far as there is room. `through`: durable at once,
    /// unless the power goes.
    pub(super) fn write(
        &mut self,
        inode: Inode,
        bytes: &[u8],
        position: u64,
        through: bool,
    ) -> io::Result<()> {
        let through = through && !self.power.off;
        let room = (self.capacity_bytes / PAGE_BYTES as u64).saturating_sub(self.used_pages);
        check_end(position, bytes.len() as u64)?;
        let Some(Node::File(file)) = &mut self.nodes[inode] else {
            return Err(ErrorKind::NotFound.into());
        };
        let before = file.content.allocated_pages();
        let written = if through {
            file.content.write_through(bytes, position, room)
        } else {
            file.content.write(bytes, position, room, &mut self.random)
        };
        if file.linked {
            self.used_pages += file.content.allocated_pages() - before;
        }
        if written < bytes.len() { Err(no_space()) } else { Ok(()) }
    }

    pub(super) fn set_len(&mut self, inode: Inode, len: u64) -> io::Result<()> {
        check_end(0, len)?;
        let Some(Node::File(file)) = &mut self.nodes[inode] else {
            return Err(ErrorKind::NotFound.into());
        };
        let before = file.content.allocated_pages();
        file.content.set_len(len);
        if file.linked {
            self.used_pages -= before - file.content.allocated_pages();
        }
        Ok(())
    }

    /// Syncs a file, unless the power goes in the middle of it.
    pub(super) fn sync(&mut self, inode: Inode) -> io::Result<()> {
        if self.power.off {
            self.interrupted = Some((CutKind::Sync, inode));
            return Ok(());
        }
        self.content(inode)?.sync();
        Ok(())
    }

    pub(super) fn fail_sync(&mut self, inode: Inode) {
        if let Some(Node::File(file)) = &mut self.nodes[inode] {
            file.content.fail_sync(&mut self.random);
        }
    }

    /// Syncs a directory, unless the power goes in the middle of it.
    pub(super) fn sync_dir(&mut self, dir: Inode) -> io::Result<()> {
        self.directory(dir)?;
        if self.power.off {
            self.interrupted = Some((CutKind::DirectorySync, dir));
            return Ok(());
        }
        for operation in self.names.settle(dir) {
            for change in operation.changes {
                // A rename's old name still has an inode behind its new one.
                let moved = operation.kind == CutKind::Rename && change.to.is_none();
                let replaced = self.apply_durable(change);
                if let Some(inode) = replaced.filter(|_| !moved) {
                    self.collect(inode);
                }
            }
        }
        Ok(())
    }

    pub(super) fn fail_sync_dir(&mut self, dir: Inode) {
        self.names.doom(dir);
    }

    /// Returns what the name stood for before.
    fn apply_durable(&mut self, change: NameChange) -> Option<Inode> {
        let directory = self.directory(change.dir).ok()?;
        match change.to {
            Some(inode) => directory.durable.insert(change.name, inode),
            None => directory.durable.remove(&change.name),
        }
    }

    /// Forgets a file that has lost its names and that nobody has open.
    fn collect(&mut self, inode: Inode) {
        if let Some(Node::File(file)) = &self.nodes[inode]
            && !file.linked
            && Arc::strong_count(&file.handles) == 1
        {
            self.nodes[inode] = None;
        }
    }

    fn add(&mut self, node: Node) -> Inode {
        self.nodes.push(Some(node));
        self.nodes.len() - 1
    }

    fn unlink(&mut self, inode: Inode) {
        if let Some(Node::File(file)) = &mut self.nodes[inode]
            && std::mem::replace(&mut file.linked, false)
        {
            self.used_pages -= file.content.allocated_pages();
        }
    }
}

/// The kernel's offsets are signed.
fn check_end(position: u64, len: u64) -> io::Result<()> {
    match position.checked_add(len) {
        Some(end) if i64::try_from(end).is_ok() => Ok(()),
        _ => Err(ErrorKind::InvalidInput.into()),
    }
}
