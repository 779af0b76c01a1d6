//! ListGroups: every group, or those in some states.

use crate::kafka_errors::{NONE, group_error};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::Service;
use crate::wire::{Malformed, Writer};
use pyralog_groups::GroupState;

/// Kafka's name for groups whose clients agree among themselves: here all are.
const CLASSIC: &str = "classic";

/// No row has more bytes beside its names: four lengths, a state and a kind.
const ROW_BYTES: usize = 48;

/// What is asked; an empty filter lets everything through.
#[derive(Default)]
pub(crate) struct Question<'a> {
    states: Vec<&'a str>,
    kinds: Vec<&'a str>,
}

impl Question<'_> {
    pub(crate) fn read(request: &Request) -> Result<Question<'_>, Malformed> {
        let (version, mut reader) = (request.version, request.reader());
        let mut question = Question::default();
        if version >= 4 {
            question.states = reader.texts()?;
        }
        if version >= 5 {
            question.kinds = reader.texts()?;
        }
        Ok(question)
    }

    /// The states that are wanted: none if no kind is that there is.
    fn states(&self) -> Vec<GroupState> {
        let wanted = GroupState::ALIVE.into_iter();
        let wanted = wanted.filter(|state| passes(&self.states, state.as_str()));
        wanted.filter(|_| passes(&self.kinds, CLASSIC)).collect()
    }
}

fn passes(filter: &[&str], word: &str) -> bool {
    filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(word))
}

/// Lists.
pub(crate) async fn handle(service: &Service, request: &Request) -> Result<Reply, CloseReason> {
    let version = request.version;
    let question = Question::read(request)?;
    let (error, groups) = match service.groups.list_in(&question.states()).await {
        Ok(groups) => (NONE, groups),
        Err(error) => (group_error(&error), Vec::new()),
    };
    // There may be many: a buffer that doubles would hold them three times.
    let bytes =
        groups.iter().map(|group| group.group.len() + group.protocol_type.len() + ROW_BYTES);
    let mut out = Writer::new(request.is_flexible(), bytes.sum::<usize>() + ROW_BYTES);
    if version >= 1 {
        out.i32(0); // throttle time
    }
    out.i16(error);
    out.count(groups.len());
    for group in groups {
        out.text(&group.group);
        out.text(&group.protocol_type);
        if version >= 4 {
            out.text(group.state.as_str());
        }
        if version >= 5 {
            out.text(CLASSIC);
        }
        out.no_tags();
    }
    out.no_tags();
    Ok(Reply::of_pieces(request, vec![out.cut()]))
}
