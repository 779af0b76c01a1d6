//! `pyralog group describe`: who reads what, and how far behind.

use super::{about, path};
use crate::cli::Format;
use crate::client::Client;
use crate::failure::Failure;
use crate::output;
use pyralog_console::api::{AssignedLog, GroupDescription, GroupMember, GroupOffset};

/// Prints it.
pub fn describe(client: &Client, name: &str, format: Format) -> Result<(), Failure> {
    let group: GroupDescription = about(client, name, client.get(&path(name)))?;
    if format == Format::Json {
        return output::json(&group);
    }
    output::line(head(&group))?;
    if !group.members.is_empty() {
        let rows = group.members.iter().map(member_row);
        let head = ["member", "instance", "client", "host", "reads"];
        output::line("")?;
        output::print_table(&output::table(&head, &[], rows))?;
    }
    if !group.offsets.is_empty() {
        let rows = group.offsets.iter().map(offset_row);
        let head = ["log", "partition", "committed", "end", "lag", "member"];
        output::line("")?;
        output::print_table(&output::table(&head, &[1, 2, 3, 4], rows))?;
    }
    Ok(())
}

fn head(group: &GroupDescription) -> String {
    let summary = &group.summary;
    let mut head = format!("{}: {}, generation {}", summary.name, summary.state, group.generation);
    if !group.assignor.is_empty() {
        head.push_str(&format!(", assignor {}", group.assignor));
    }
    let lags = group.offsets.iter().filter_map(|offset| offset.lag);
    head + &format!(", lag {}", lags.sum::<u64>())
}

fn member_row(member: &GroupMember) -> Vec<String> {
    vec![
        member.member.clone(),
        member.instance.clone().unwrap_or_else(|| "-".to_owned()),
        member.client_id.clone(),
        member.client_host.clone(),
        reads(&member.assigned),
    ]
}

/// `flights 0,1,2; weather 0`
fn reads(assigned: &[AssignedLog]) -> String {
    let one = |AssignedLog { log, partitions }: &AssignedLog| {
        let partitions: Vec<_> = partitions.iter().map(u32::to_string).collect();
        format!("{log} {}", partitions.join(","))
    };
    assigned.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn offset_row(offset: &GroupOffset) -> Vec<String> {
    fn number(number: Option<impl ToString>) -> String {
        number.map_or_else(|| "-".to_owned(), |number| number.to_string())
    }
    vec![
        offset.log.clone(),
        offset.partition.to_string(),
        number(offset.committed),
        number(offset.end),
        number(offset.lag),
        offset.member.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_reads_fits_into_a_line() {
        let log = |name: &str, partitions: &[u32]| AssignedLog {
            log: name.to_owned(),
            partitions: partitions.to_vec(),
        };
        assert_eq!(
            reads(&[log("flights", &[0, 2]), log("weather", &[1])]),
            "flights 0,2; weather 1"
        );
        assert_eq!(reads(&[]), "");
    }
}
