//! The services of a node, and how much they may have to do at once.

use super::reply::{Reply, Status};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Calls that a node works on at once, for all its peers.
pub(crate) const CALLS_MAX: usize = 1_024;
/// Bytes of their requests.
pub(crate) const BYTES_MAX: usize = 16 << 20;

/// The future of one call.
pub type Served = Pin<Box<dyn Future<Output = Vec<u8>> + Send>>;

/// Something that peers can call. The bytes come from another node: they are
/// as trustworthy as that node, and their decoder must survive anything.
pub trait Service: Send + Sync + 'static {
    /// Answers one call. Each runs in a task of its own and is not cancelled
    /// when the caller stops waiting; a panic reaches the caller as "unknown".
    fn call(&self, body: Vec<u8>) -> Served;
}

/// The registered services. Outlives the router.
pub(crate) struct Desk {
    services: RwLock<HashMap<u16, Arc<dyn Service>>>,
    calls: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    turned_away: AtomicU64,
}

impl Desk {
    pub(crate) fn new() -> Desk {
        Desk {
            services: RwLock::default(),
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            bytes: Arc::new(Semaphore::new(BYTES_MAX)),
            turned_away: AtomicU64::new(0),
        }
    }

    pub(crate) fn serve(&self, number: u16, service: Arc<dyn Service>) {
        self.services.write().unwrap_or_else(PoisonError::into_inner).insert(number, service);
    }

    pub(crate) fn withdraw(&self, number: u16) {
        self.services.write().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// Starts a call, or says at once why not.
    pub(crate) fn call(&self, number: u16, body: Vec<u8>, reply: Reply) {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        let Some(service) = services.get(&number).cloned() else {
            return reply.send(Status::NoSuchService, &[]);
        };
        drop(services);
        let Some(place) = self.place(body.len()) else {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
            return reply.send(Status::Overloaded, &[]);
        };
        tokio::spawn(async move {
            let answer = service.call(body).await;
            drop(place);
            reply.send(Status::Ok, &answer);
        });
    }

    fn place(&self, bytes: usize) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let call = self.calls.clone().try_acquire_owned().ok()?;
        let bytes = u32::try_from(bytes).ok()?;
        Some((call, self.bytes.clone().try_acquire_many_owned(bytes).ok()?))
    }

    /// Calls and bytes that are being worked on.
    pub(crate) fn in_flight(&self) -> (usize, usize) {
        let calls = CALLS_MAX - self.calls.available_permits();
        (calls, BYTES_MAX - self.bytes.available_permits())
    }

    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::CallError;
    use crate::router::read_reply;
    use tokio::sync::oneshot;

    struct Stuck;

    impl Service for Stuck {
        fn call(&self, body: Vec<u8>) -> Served {
            match body.first() {
                Some(1) => Box::pin(std::future::pending()),
                Some(2) => panic!("a service may panic"),
                _ => Box::pin(std::future::ready(body)),
            }
        }
    }

    fn ask(desk: &Desk, number: u16, body: Vec<u8>) -> oneshot::Receiver<Vec<u8>> {
        let (sender, receiver) = oneshot::channel();
        desk.call(number, body, Reply::new(sender.into()));
        receiver
    }

    async fn answer(receiver: oneshot::Receiver<Vec<u8>>) -> Result<Vec<u8>, CallError> {
        read_reply(receiver.await.unwrap())
    }

    #[tokio::test]
    async fn too_many_calls_are_turned_away_at_once() {
        let desk = Desk::new();
        desk.serve(4, Arc::new(Stuck));
        let waiting: Vec<_> = (0..CALLS_MAX).map(|_| ask(&desk, 4, vec![1])).collect();
        assert_eq!(answer(ask(&desk, 4, vec![0])).await, Err(CallError::Overloaded));
        assert_eq!((desk.in_flight(), desk.turned_away()), ((CALLS_MAX, CALLS_MAX), 1));
        drop(waiting);
    }

    #[tokio::test]
    async fn too_many_bytes_are_turned_away_at_once() {
        let desk = Desk::new();
        desk.serve(4, Arc::new(Stuck));
        let waiting: Vec<_> = (0..16).map(|_| ask(&desk, 4, vec![1; 1 << 20])).collect();
        assert_eq!(answer(ask(&desk, 4, vec![0])).await, Err(CallError::Overloaded));
        drop(waiting);
    }

    #[tokio::test]
    async fn a_panic_and_a_stranger_are_answered() {
        let desk = Desk::new();
        desk.serve(4, Arc::new(Stuck));
        assert_eq!(answer(ask(&desk, 4, vec![7])).await, Ok(vec![7]));
        assert_eq!(answer(ask(&desk, 4, vec![2])).await, Err(CallError::Unknown));
        assert_eq!(answer(ask(&desk, 5, vec![7])).await, Err(CallError::NoSuchService));
        desk.withdraw(4);
        assert_eq!(answer(ask(&desk, 4, vec![7])).await, Err(CallError::NoSuchService));
        assert_eq!(desk.in_flight(), (0, 0));
    }
}
