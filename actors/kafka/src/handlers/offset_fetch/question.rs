//! What an OffsetFetch asks: of one group, or from version 8 on of several.

use crate::handlers::topic_partitions::Topics;
use crate::request::Request;
use crate::wire::{Malformed, Reader};

/// From this version on several groups can be asked for.
pub(super) const GROUPS_SINCE: i16 = 8;

/// The groups still to come.
#[derive(Clone)]
pub(crate) struct Question<'a> {
    reader: Reader<'a>,
    version: i16,
    left: usize,
}

/// What is asked of one group.
#[derive(Clone)]
pub(crate) struct Asked<'a> {
    pub group: &'a str,
    /// `None` for everything that was committed.
    pub topics: Option<Topics<'a, i32>>,
}

impl<'a> Question<'a> {
    pub(crate) fn read(request: &'a Request) -> Result<Question<'a>, Malformed> {
        let (version, mut reader) = (request.version, request.reader());
        let left = if version < GROUPS_SINCE { 1 } else { reader.count()? };
        let question = Question { reader, version, left };
        let mut walk = question.clone();
        while walk.step()?.is_some() {}
        // Behind it, from version 7 on, is whether to wait for transactions.
        Ok(question)
    }

    /// All partitions that are named.
    pub(super) fn partitions(&self) -> usize {
        let topics = self.clone().filter_map(|asked| asked.topics).flatten();
        topics.map(|topic| topic.partitions.len()).sum()
    }

    fn step(&mut self) -> Result<Option<Asked<'a>>, Malformed> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let group = self.reader.text()?;
        let read_partition = |reader: &mut Reader<'a>, _| reader.i32();
        let topics = Topics::read_nullable(&mut self.reader, self.version, read_partition)?;
        if topics.is_none() && self.version < 2 {
            return Err(Malformed("a null array where one is needed"));
        }
        if self.version >= GROUPS_SINCE {
            self.reader.skip_tags()?;
        }
        Ok(Some(Asked { group, topics }))
    }
}

impl Asked<'_> {
    /// True if a topic, or a partition of one, is named more than once.
    pub(super) fn names_twice(&self) -> bool {
        let topics = || self.topics.clone().into_iter().flatten();
        let mut names: Vec<&str> = topics().map(|topic| topic.name).collect();
        has_twice(&mut names)
            || topics().any(|topic| has_twice(&mut topic.partitions.collect::<Vec<_>>()))
    }
}

fn has_twice<T: Ord>(values: &mut [T]) -> bool {
    values.sort_unstable();
    values.windows(2).any(|pair| pair[0] == pair[1])
}

impl<'a> Iterator for Question<'a> {
    type Item = Asked<'a>;

    fn next(&mut self) -> Option<Asked<'a>> {
        self.step().expect("walked when it was read")
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Question<'_> {}
