//! Running a node, from the first flag to the last sync.

mod greeting;
mod life;

use crate::cli::NodeFlags;
use crate::config::{CheckRow, NodeSettings};
use crate::data_directory::TemporaryDirectory;
use crate::failure::{Failure, Status};
use life::{Life, live};
use pyralog_env::{RealDisk, RealEntropy};
use pyralog_query::ConfigRow;
use std::sync::Arc;

/// `pyralog`: a node with the configured data directory.
pub fn node(flags: NodeFlags) -> Result<(), Failure> {
    let (settings, config) = settings(&flags, false)?;
    in_runtime(Life {
        settings,
        config,
        random_ports: false,
        dev: false,
        demo: false,
        temporary: false,
        debug_faults: flags.debug_faults,
    })
}

/// `pyralog dev`: a node whose data is gone afterwards, unless it was given a
/// data directory.
pub fn dev(flags: NodeFlags, random_ports: bool, demo: bool) -> Result<(), Failure> {
    let roles = flags.roles();
    if !(roles.obelisk && roles.pyramid) {
        let message = "`dev` runs both tiers in one process";
        return Err(Failure::new(Status::Usage, message)
            .help("leave out --role, or start a node of one role with `pyralog --role ROLE`"));
    }
    let (mut settings, config) = settings(&flags, true)?;
    let temporary = match flags.data_dir {
        Some(_) => None,
        None => Some(TemporaryDirectory::create(&RealDisk, &std::env::temp_dir(), &RealEntropy)?),
    };
    if let Some(temporary) = &temporary {
        settings.data_dir = temporary.path().to_owned();
        // A name that is the same every time; a host name would say less.
        settings.name.get_or_insert_with(|| "dev".into());
    }
    let life = Life {
        settings,
        config,
        random_ports,
        dev: true,
        demo,
        temporary: temporary.is_some(),
        debug_faults: flags.debug_faults,
    };
    let outcome = in_runtime(life);
    // After a crash of the store its files are evidence; keep them.
    match temporary {
        Some(temporary) if !matches!(&outcome, Err(failure) if failure.status == Status::StorageFailed) => {
            outcome.and(temporary.remove(&RealDisk).map_err(Failure::from))
        }
        _ => outcome,
    }
}

fn settings(flags: &NodeFlags, dev: bool) -> Result<(NodeSettings, Arc<[ConfigRow]>), Failure> {
    let configuration = flags.layers(dev).read()?;
    let settings = NodeSettings::of(&configuration, flags.roles());
    settings.check()?;
    settings.check_roles()?;
    settings.check_reach()?;
    for (row, why) in configuration.without_effect(flags.roles()) {
        let CheckRow { key, value, origin, .. } = row;
        tracing::warn!("{key} = {} ({origin}) has no effect: {why}", value.unwrap_or_default());
    }
    let row = |CheckRow { key, value, origin, .. }| ConfigRow { key, value, source: origin };
    Ok((settings, configuration.check_rows().into_iter().map(row).collect()))
}

fn in_runtime(life: Life) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("pyralog")
        .build()
        .map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(live(life))
}
