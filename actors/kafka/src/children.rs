//! The door's part of the supervision tree.

use crate::door::{CONNECTIONS, Door, DoorArguments, DoorMessage, Places};
use crate::service::Service;
use crate::sessions::Sessions;
use crate::settings::KafkaSettings;
use pyralog_behaviour::{ChildContext, ChildSpec, SupervisorSpec};
use pyralog_groups::Groups;
use pyralog_partition::Shen;
use ractor::Actor;
use std::net::TcpListener;
use std::sync::Arc;

/// What the Kafka door needs from the node.
pub struct KafkaArguments {
    /// Bound and listening. The door clones it at every start, so that no
    /// client is refused while the door is restarted.
    pub listener: Arc<TcpListener>,
    /// The façade of the partitions.
    pub shen: Shen,
    /// The handle of consumer groups.
    pub groups: Groups,
    /// Where producers' sessions come from.
    pub sessions: Arc<dyn Sessions>,
    /// The operator's settings.
    pub settings: KafkaSettings,
}

/// The children in start order: `kafka-connections`, which is dynamic, and
/// `kafka`, the door itself.
pub fn kafka_children(arguments: KafkaArguments) -> Vec<ChildSpec> {
    let KafkaArguments { listener, shen, groups, sessions, settings } = arguments;
    let places = Arc::new(Places::new(&settings));
    // Shared over restarts of the door: connections live on meanwhile.
    let service = Arc::new(Service::new(shen, groups, sessions, settings));
    let start = move |context: ChildContext| {
        let (listener, service, places) = (listener.clone(), service.clone(), places.clone());
        async move {
            let supervisor = context.supervisor();
            let arguments = DoorArguments { listener, service, places, context };
            Actor::spawn_linked(None, Door, arguments, supervisor).await
        }
    };
    vec![
        ChildSpec::supervisor(CONNECTIONS, |_| SupervisorSpec::dynamic()),
        ChildSpec::new::<DoorMessage, _, _>("kafka", "kafka-door", start),
    ]
}
