//! Requests that name topics, and for each a list of partitions: walked where they
//! lie, as often as need be, without a structure for each.

use crate::wire::{Malformed, Reader};

/// Reads one partition of a request in some version.
type Read<'a, P> = fn(&mut Reader<'a>, i16) -> Result<P, Malformed>;

/// What `expect` says: [`Topics::read`] has walked everything once.
const WALKED: &str = "walked when it was read";

/// The topics still to come.
#[derive(Clone)]
pub(crate) struct Topics<'a, P> {
    reader: Reader<'a>,
    version: i16,
    read: Read<'a, P>,
    left: usize,
}

/// One topic.
pub(crate) struct Topic<'a, P> {
    pub name: &'a str,
    pub partitions: Partitions<'a, P>,
}

/// The partitions of a topic that are still to come.
#[derive(Clone)]
pub(crate) struct Partitions<'a, P> {
    reader: Reader<'a>,
    version: i16,
    read: Read<'a, P>,
    left: usize,
}

impl<'a, P: Clone> Topics<'a, P> {
    /// Takes the topics out of `reader`; `None` for null.
    pub(super) fn read_nullable(
        reader: &mut Reader<'a>,
        version: i16,
        read: Read<'a, P>,
    ) -> Result<Option<Topics<'a, P>>, Malformed> {
        let Some(left) = reader.nullable_count()? else {
            return Ok(None);
        };
        let topics = Topics { reader: reader.clone(), version, read, left };
        let mut walk = topics.clone();
        while walk.step()?.is_some() {}
        *reader = walk.reader;
        Ok(Some(topics))
    }

    /// Takes the topics out of `reader`, where null is not allowed.
    pub(super) fn read(
        reader: &mut Reader<'a>,
        version: i16,
        read: Read<'a, P>,
    ) -> Result<Topics<'a, P>, Malformed> {
        let topics = Topics::read_nullable(reader, version, read)?;
        topics.ok_or(Malformed("a null array where one is needed"))
    }

    /// Every partition with the name of its topic.
    pub(super) fn partitions(self) -> impl Iterator<Item = (&'a str, P)> {
        self.flat_map(|topic| topic.partitions.map(move |partition| (topic.name, partition)))
    }

    fn step(&mut self) -> Result<Option<Topic<'a, P>>, Malformed> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let name = self.reader.text()?;
        let left = self.reader.count()?;
        let reader = self.reader.clone();
        let partitions = Partitions { reader, version: self.version, read: self.read, left };
        let mut walk = partitions.clone();
        while walk.step()?.is_some() {}
        self.reader = walk.reader;
        self.reader.skip_tags()?;
        Ok(Some(Topic { name, partitions }))
    }
}

impl<P> Partitions<'_, P> {
    fn step(&mut self) -> Result<Option<P>, Malformed> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        (self.read)(&mut self.reader, self.version).map(Some)
    }
}

impl<'a, P: Clone> Iterator for Topics<'a, P> {
    type Item = Topic<'a, P>;

    fn next(&mut self) -> Option<Topic<'a, P>> {
        self.step().expect(WALKED)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<P> Iterator for Partitions<'_, P> {
    type Item = P;

    fn next(&mut self) -> Option<P> {
        self.step().expect(WALKED)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<P: Clone> ExactSizeIterator for Topics<'_, P> {}

impl<P> ExactSizeIterator for Partitions<'_, P> {}
