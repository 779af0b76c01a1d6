//! One piece of an index: a range of offsets, and what is known of it.

use super::active::Active;
use crate::{IndexError, Pphm};
use pyralog_model::Offset;
use std::ops::Range;
use std::sync::Arc;

/// Why a range is not indexed.
#[derive(Debug, Clone)]
pub enum Why {
    /// It was not built yet, or what was built was given up.
    NotBuilt,
    /// What was built is damaged, and is built again by the next work.
    Damaged(IndexError),
}

/// A range and its index. A file may know more than the range: the rest was cut off.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Says which piece this is as long as it lives; cutting it does not change that.
    pub(crate) id: u64,
    pub(crate) range: Range<Offset>,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    File(IndexFile),
    Frozen(Arc<Active>),
    Gap(Why),
}

/// A file of the index.
#[derive(Debug, Clone)]
pub(crate) struct IndexFile {
    pub(crate) pphm: Arc<Pphm>,
    /// In its name; never used twice.
    pub(crate) number: u64,
}

impl Piece {
    pub(crate) fn file(&self) -> Option<&IndexFile> {
        match &self.body {
            Body::File(file) => Some(file),
            _ => None,
        }
    }

    pub(crate) fn frozen(&self) -> Option<&Arc<Active>> {
        match &self.body {
            Body::Frozen(active) => Some(active),
            _ => None,
        }
    }

    pub(crate) fn is_gap(&self) -> bool {
        matches!(self.body, Body::Gap(_))
    }
}
