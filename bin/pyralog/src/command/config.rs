//! `pyralog config check`.

use crate::cli::{Format, NodeFlags};
use crate::config::NodeSettings;
use crate::failure::Failure;
use crate::output;
use std::io::Write;

/// Shows every key; fails when the configuration could not start a node.
pub fn check(flags: &NodeFlags, format: Format) -> Result<(), Failure> {
    let configuration = flags.layers(false).read()?;
    let rows = configuration.check_rows();
    match format {
        Format::Json => output::json(&rows)?,
        Format::Table => {
            let cells = rows.into_iter().map(|row| {
                let waits = row
                    .takes_effect_with
                    .map(|feature| format!("takes effect with {feature}, not in this version"));
                vec![
                    row.key,
                    row.value.unwrap_or_else(|| "-".into()),
                    row.origin,
                    waits.unwrap_or_default(),
                ]
            });
            output::print_table(&output::table(&["key", "value", "from", ""], &[], cells))?;
        }
    }
    let settings = NodeSettings::of(&configuration, flags.roles());
    settings.check()?;
    // Without --role nobody has said what the node is, and a configuration may be
    // written here for one that is started elsewhere.
    let mut warnings = vec![settings.check_reach()];
    match settings.check_roles() {
        Err(error) if !flags.role.is_empty() => return Err(error.into()),
        outcome => warnings.push(outcome),
    }
    for warning in warnings.into_iter().filter_map(Result::err) {
        let _ = writeln!(std::io::stderr().lock(), "warning: {warning}");
    }
    Ok(())
}
