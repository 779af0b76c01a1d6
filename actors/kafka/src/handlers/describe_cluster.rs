//! DescribeCluster: which nodes there are, as Metadata tells, without any log.

use crate::kafka_errors::{MISMATCHED_ENDPOINT_TYPE, NONE, UNSUPPORTED_ENDPOINT_TYPE};
use crate::reply::Reply;
use crate::request::{CloseReason, Request};
use crate::service::{Caller, Service};
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};
use kafka_protocol::protocol::StrBytes;

/// Whose addresses are asked for, in Kafka's numbers.
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

/// Kafka's "not asked for" in the field of authorized operations.
const NO_OPERATIONS: i32 = i32::MIN;

/// Answers with this node.
pub(crate) fn handle(
    service: &Service,
    caller: Caller,
    request: &Request,
) -> Result<Reply, CloseReason> {
    let question: DescribeClusterRequest = request.decode()?;
    // Version 0 has no such field: brokers.
    let asked = if request.version >= 1 { question.endpoint_type } else { BROKERS };
    let answer = match asked {
        BROKERS => cluster(service, caller),
        CONTROLLERS => {
            refusal(MISMATCHED_ENDPOINT_TYPE, "this address is for clients, not for controllers")
        }
        _ => refusal(UNSUPPORTED_ENDPOINT_TYPE, "there are endpoints of type 1, brokers"),
    };
    Reply::encoded(request, &answer.with_endpoint_type(BROKERS))
}

fn cluster(service: &Service, caller: Caller) -> DescribeClusterResponse {
    let node = BrokerId(service.shen.node().0 as i32);
    let (host, port) = service.advertised(caller);
    let broker = DescribeClusterBroker::default()
        .with_broker_id(node)
        .with_host(StrBytes::from_string(host))
        .with_port(i32::from(port))
        .with_rack(None);
    DescribeClusterResponse::default()
        .with_error_code(NONE)
        .with_error_message(None)
        .with_cluster_id(StrBytes::from_string(service.shen.cluster_id().to_string()))
        .with_controller_id(node)
        .with_brokers(vec![broker])
        .with_cluster_authorized_operations(NO_OPERATIONS)
}

fn refusal(code: i16, message: &'static str) -> DescribeClusterResponse {
    DescribeClusterResponse::default()
        .with_error_code(code)
        .with_error_message(Some(StrBytes::from_static_str(message)))
        .with_cluster_authorized_operations(NO_OPERATIONS)
}
