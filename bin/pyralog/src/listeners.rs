//! Sockets, bound once and before anything else, so that a taken port is an
//! error at once and a restarted door never refuses a connection.

use crate::config::NodeSettings;
use crate::failure::{Failure, Status};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

/// The bound sockets of a node.
#[derive(Debug, Clone)]
pub struct Listeners {
    /// Kafka's, of a Pyramid.
    pub kafka: Option<Arc<TcpListener>>,
    /// HTTP's.
    pub http: Arc<TcpListener>,
    /// Where other nodes connect.
    pub link: Arc<TcpListener>,
}

impl Listeners {
    /// Binds all that the node's roles need, on ports of the system's choice if
    /// `random_ports`.
    pub fn bind(settings: &NodeSettings, random_ports: bool) -> Result<Listeners, Failure> {
        let kafka = settings.pyramid.as_ref();
        let kafka = kafka.map(|pyramid| bind("listen_addr", &pyramid.listen_addr, random_ports));
        Ok(Listeners {
            kafka: kafka.transpose()?,
            http: bind("http_addr", &settings.http_addr, random_ports)?,
            link: bind(settings.link_key(), &settings.link_addr, random_ports)?,
        })
    }

    /// Where Kafka clients connect.
    pub fn kafka_address(&self) -> Option<SocketAddr> {
        self.kafka.as_deref().map(address)
    }

    /// Where HTTP is served.
    pub fn http_address(&self) -> SocketAddr {
        address(&self.http)
    }

    /// Where other nodes connect.
    pub fn link_address(&self) -> SocketAddr {
        address(&self.link)
    }
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("a bound socket has an address")
}

fn bind(key: &str, wanted: &str, random_port: bool) -> Result<Arc<TcpListener>, Failure> {
    let host = wanted.rsplit_once(':').map_or(wanted, |(host, _)| host);
    let text = if random_port { format!("{host}:0") } else { wanted.to_owned() };
    let listener = TcpListener::bind(&text).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map(Arc::new).map_err(|error| {
        let failure = Failure::new(Status::Failed, format!("cannot listen on {wanted} ({key}): {error}"));
        let flag = key.replace('_', "-");
        match error.kind() {
            ErrorKind::AddrInUse => {
                failure.help(format!("another process has that port: stop it, choose another with --{flag}, or use `pyralog dev --random-ports`"))
            }
            ErrorKind::PermissionDenied => {
                failure.help(format!("ports below 1024 need privileges: choose another with --{flag}"))
            }
            _ => failure.help(format!("choose an address of this machine with --{flag}")),
        }
    })
}
