//! Paths in the live image, and the operations that change names.

use super::{FileNode, Node, ROOT, State};
use crate::DiskEntry;
use crate::sim::content::Content;
use crate::sim::cut::CutKind;
use crate::sim::names::{Directory, Inode, NameChange};
use std::io::{self, ErrorKind};
use std::path::{Component, Path};
use std::sync::Arc;

impl State {
    pub(in crate::sim) fn lookup(&mut self, path: &Path) -> io::Result<Inode> {
        let mut inode = ROOT;
        for name in components(path)? {
            let found = self.directory(inode)?.live.get(name).copied();
            inode = found.ok_or(ErrorKind::NotFound)?;
        }
        Ok(inode)
    }

    /// The directory that holds the path's last name, and that name.
    fn parent<'a>(&mut self, path: &'a Path) -> io::Result<(Inode, &'a str)> {
        let names = components(path)?;
        let (name, parents) = names.split_last().ok_or(ErrorKind::InvalidInput)?;
        let mut inode = ROOT;
        for parent in parents {
            let found = self.directory(inode)?.live.get(*parent).copied();
            inode = found.ok_or(ErrorKind::NotFound)?;
        }
        self.directory(inode)?;
        Ok((inode, name))
    }

    pub(in crate::sim) fn create_file(&mut self, path: &Path) -> io::Result<Inode> {
        let (dir, name) = self.parent(path)?;
        if self.directory(dir)?.live.contains_key(name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = FileNode { content: Content::default(), linked: true, handles: Arc::new(()) };
        let inode = self.add(Node::File(file));
        self.change(CutKind::Create, vec![name_change(dir, name, Some(inode))]);
        Ok(inode)
    }

    pub(in crate::sim) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut inode = ROOT;
        for name in components(path)? {
            inode = match self.directory(inode)?.live.get(name) {
                Some(&found) => found,
                None => {
                    let made = self.add(Node::Directory(Directory::default()));
                    self.change(CutKind::Create, vec![name_change(inode, name, Some(made))]);
                    made
                }
            };
        }
        self.directory(inode).map(|_| ())
    }

    pub(in crate::sim) fn list(&mut self, path: &Path) -> io::Result<Vec<DiskEntry>> {
        let dir = self.lookup(path)?;
        let entries = self.directory(dir)?.live.clone();
        let entry = |(name, inode): (String, Inode)| match self.file(inode) {
            Ok(file) => DiskEntry { name, is_dir: false, len: file.content.len() },
            Err(_) => DiskEntry { name, is_dir: true, len: 0 },
        };
        Ok(entries.into_iter().map(entry).collect())
    }

    pub(in crate::sim) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let moved = self.lookup(from)?;
        let (from_dir, from_name) = self.parent(from)?;
        let (to_dir, to_name) = self.parent(to)?;
        if let Some(&target) = self.directory(to_dir)?.live.get(to_name) {
            if target == moved {
                return Ok(());
            }
            self.may_replace(moved, target)?;
            self.unlink(target);
        }
        let old = name_change(from_dir, from_name, None);
        let new = name_change(to_dir, to_name, Some(moved));
        self.change(CutKind::Rename, vec![old, new]);
        Ok(())
    }

    fn may_replace(&mut self, moved: Inode, target: Inode) -> io::Result<()> {
        let moves_file = self.file(moved).is_ok();
        match self.directory(target) {
            Err(_) if moves_file => Ok(()),
            Err(_) => Err(ErrorKind::NotADirectory.into()),
            Ok(_) if moves_file => Err(ErrorKind::IsADirectory.into()),
            Ok(directory) if directory.live.is_empty() => Ok(()),
            Ok(_) => Err(ErrorKind::DirectoryNotEmpty.into()),
        }
    }

    pub(in crate::sim) fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        let inode = self.lookup(path)?;
        self.file(inode)?;
        let (dir, name) = self.parent(path)?;
        self.remove(dir, name, inode);
        Ok(())
    }

    pub(in crate::sim) fn remove_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let inode = self.lookup(path)?;
        self.directory(inode)?;
        let (dir, name) = self.parent(path)?;
        self.empty(inode)?;
        self.remove(dir, name, inode);
        Ok(())
    }

    fn empty(&mut self, dir: Inode) -> io::Result<()> {
        for (name, inode) in self.directory(dir)?.live.clone() {
            if self.directory(inode).is_ok() {
                self.empty(inode)?;
            }
            self.remove(dir, &name, inode);
        }
        Ok(())
    }

    fn remove(&mut self, dir: Inode, name: &str, inode: Inode) {
        self.unlink(inode);
        self.change(CutKind::Remove, vec![name_change(dir, name, None)]);
    }

    /// Changes names in the live image and remembers them as pending.
    fn change(&mut self, kind: CutKind, changes: Vec<NameChange>) {
        for change in &changes {
            let Ok(directory) = self.directory(change.dir) else { continue };
            match change.to {
                Some(inode) => directory.live.insert(change.name.clone(), inode),
                None => directory.live.remove(&change.name),
            };
        }
        self.names.push(kind, changes);
    }
}

fn name_change(dir: Inode, name: &str, to: Option<Inode>) -> NameChange {
    NameChange { dir, name: name.to_owned(), to }
}

/// The names on the way from the root. There is no working directory: a path
/// without a leading `/` begins at the root too.
fn components(path: &Path) -> io::Result<Vec<&str>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_str().ok_or(ErrorKind::InvalidInput)?),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(ErrorKind::InvalidInput.into());
            }
        }
    }
    Ok(names)
}
