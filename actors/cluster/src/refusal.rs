//! Why a link is refused: one word for both sides.
//!
//! The codes travel before anybody has proven anything, so they say nothing
//! that a stranger could use.

use std::fmt;

/// The reason, as it travels and as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Both sides know their cluster, and it is not the same.
    OtherCluster,
    /// A proof did not verify: the cookies differ.
    WrongCookie,
    /// The ranges of versions do not meet.
    NoCommonVersion,
    /// No place for one more connection.
    TooManyConnections,
    /// Both sides have the same data directory: one of them is a copy.
    SameStore,
    /// A node dialled its own address.
    Itself,
    /// Bulk links are not served by this version.
    BulkNotServed,
    /// The two nodes have a link already.
    AlreadyLinked,
    /// A later version refused for a reason that this one has no word for.
    Unnamed,
}

impl Refusal {
    /// The byte that travels; never 0, which means "go on".
    pub fn code(self) -> u8 {
        match self {
            Refusal::OtherCluster => 1,
            Refusal::WrongCookie => 2,
            Refusal::NoCommonVersion => 3,
            Refusal::TooManyConnections => 4,
            Refusal::SameStore => 5,
            Refusal::Itself => 6,
            Refusal::BulkNotServed => 7,
            Refusal::AlreadyLinked => 8,
            Refusal::Unnamed => 255,
        }
    }

    /// The refusal behind a byte; `None` for 0.
    pub fn from_code(code: u8) -> Option<Refusal> {
        Some(match code {
            0 => return None,
            1 => Refusal::OtherCluster,
            2 => Refusal::WrongCookie,
            3 => Refusal::NoCommonVersion,
            4 => Refusal::TooManyConnections,
            5 => Refusal::SameStore,
            6 => Refusal::Itself,
            7 => Refusal::BulkNotServed,
            8 => Refusal::AlreadyLinked,
            _ => Refusal::Unnamed,
        })
    }

    /// Whether it goes away by itself, so that it is no news to an operator.
    pub fn passes(self) -> bool {
        matches!(self, Refusal::TooManyConnections | Refusal::Itself | Refusal::AlreadyLinked)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::OtherCluster => {
                "the two nodes belong to different clusters: one of them has the wrong address in \
                 pharaoh_endpoints, or a data directory of another cluster"
            }
            Refusal::WrongCookie => {
                "the cookies differ: copy one node's cookie file to the other, or name it with \
                 --cookie-file"
            }
            Refusal::NoCommonVersion => {
                "the two nodes have no version of the link in common: upgrade the older one"
            }
            Refusal::TooManyConnections => {
                "too many connections wait for their handshake: it is tried again"
            }
            Refusal::SameStore => {
                "both nodes run on copies of one data directory: stop one of them"
            }
            Refusal::Itself => "a node dialled its own address, which is harmless",
            Refusal::BulkNotServed => {
                "bulk links are not served by this version: upgrade the node that refuses"
            }
            Refusal::AlreadyLinked => "the two nodes have a link already",
            Refusal::Unnamed => "the peer refuses for a reason that only a later version knows",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_survive_and_strangers_have_a_name() {
        for code in 1..=8 {
            assert_eq!(Refusal::from_code(code).unwrap().code(), code);
        }
        assert_eq!(Refusal::from_code(0), None);
        assert_eq!(Refusal::from_code(77), Some(Refusal::Unnamed));
    }
}
