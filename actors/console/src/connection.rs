//! Accepting connections and serving HTTP/1.1 on each.

use crate::limits::ConsoleLimits;
use crate::stall::ImpatientStream;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// After the system has no descriptor left, a connection must end before the
/// next can be accepted; asking again at once would only burn a core.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(50);

/// Accepts until `stop` turns true, then lets open requests end.
///
/// # Errors
/// When the listening socket itself is broken.
pub async fn accept(
    listener: TcpListener,
    router: Router,
    limits: ConsoleLimits,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let mut connections = JoinSet::new();
    loop {
        let permit = tokio::select! {
            () = stopped(&mut stop) => break,
            permit = Arc::clone(&permits).acquire_owned() => permit.expect("the semaphore is never closed"),
        };
        let stream = tokio::select! {
            () = stopped(&mut stop) => break,
            // Reaping as they end keeps the set as large as the connections are.
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) if is_passing(&error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE_AFTER_REFUSAL).await;
                    continue;
                }
                Err(error) => return Err(error),
            },
        };
        let (router, limits, stop) = (router.clone(), limits.clone(), stop.clone());
        connections.spawn(async move {
            serve(stream, router, &limits, stop).await;
            drop(permit);
        });
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    // Those that are not done by then are cut off with the set.
    let _ = tokio::time::timeout(limits.drain_timeout, drained).await;
    Ok(())
}

async fn serve(
    stream: TcpStream,
    router: Router,
    limits: &ConsoleLimits,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let stream = TokioIo::new(ImpatientStream::new(stream, limits.write_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max)
        .serve_connection(stream, TowerToHyperService::new(router));
    tokio::pin!(connection);
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "an HTTP connection ended early");
    }
}

/// Until the door is stopped, in order or by falling.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The guard that this returns must not live across another wait.
    drop(stop.wait_for(|stop| *stop).await);
}

/// Errors of one connection or of a moment, not of the socket.
fn is_passing(error: &io::Error) -> bool {
    // 24 and 23 are EMFILE and ENFILE: no descriptor left.
    matches!(error.raw_os_error(), Some(23 | 24))
        || matches!(
            error.kind(),
            io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::Interrupted
                | io::ErrorKind::OutOfMemory
        )
}
