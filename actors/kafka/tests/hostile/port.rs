//! The same damage through a real port, to a real door.

use crate::ALLOCATOR;
use crate::mutation::Mutator;
use crate::node;
use crate::recordings::Recording;
use pyralog_behaviour::{Supervisor, SupervisorSpec};
use pyralog_env::RealClock;
use pyralog_kafka::{KafkaArguments, KafkaSettings, Sessions, kafka_children};
use pyralog_model::{ApiError, SessionId};
use std::future::ready;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// ApiVersions v0 with a correlation that no recording has.
const PROBE: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0x77, 0x77, 0x77, 0x77, 0xff, 0xff];

/// A mutant may ask to wait for hours: after this long the client hangs up.
/// How often a frame that cost too much is weighed again.
const REPETITIONS: usize = 3;
const PATIENCE: Duration = Duration::from_millis(200);

/// A client whose memory does not grow.
pub struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// Sessions from a counter.
#[derive(Default)]
struct Counted(AtomicU64);

impl Sessions for Counted {
    fn next(&self) -> Pin<Box<dyn Future<Output = Result<SessionId, ApiError>> + Send>> {
        Box::pin(ready(Ok(SessionId(self.0.fetch_add(1, Ordering::Relaxed)))))
    }
}

/// Starts a door that creates no logs by itself.
pub async fn start() -> SocketAddr {
    let (mut children, shen, groups) = node::children();
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let address = listener.local_addr().expect("it is bound");
    let settings = KafkaSettings { auto_create_logs: false, ..KafkaSettings::default() };
    let sessions = Arc::new(Counted::default());
    let arguments = KafkaArguments { listener, shen, groups, sessions, settings };
    children.extend(kafka_children(arguments));
    let spec = SupervisorSpec::rest_for_one(children);
    let clock = Arc::new(RealClock::default());
    Supervisor::start("root", spec, clock, None).await.expect("the tree starts");
    address
}

impl Client {
    pub fn new(address: SocketAddr) -> Client {
        Client { address, stream: None, buffer: vec![0; 256 * 1024] }
    }

    /// Sends `frame` and then a probe. True if the probe was answered, false if
    /// the door closed the connection or the client lost its patience.
    fn survives(&mut self, frame: &[u8]) -> bool {
        let stream = self.stream.get_or_insert_with(|| {
            let stream = TcpStream::connect(self.address).expect("the door is open");
            stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
            stream.set_nodelay(true).expect("so can this");
            stream
        });
        let sent = stream
            .write_all(&(frame.len() as u32).to_be_bytes())
            .and_then(|()| stream.write_all(frame))
            .and_then(|()| stream.write_all(&PROBE));
        let survived = sent.is_ok() && answered(stream, &mut self.buffer);
        if !survived {
            self.stream = None;
        }
        survived
    }

    /// Sends `turns` mutants; gives how many left the connection standing and
    /// the most memory that the process took for one above its bound.
    pub fn torment(&mut self, recordings: &[Recording], turns: usize) -> (usize, usize) {
        let mut mutator = Mutator::new(0xd00d);
        let (mut survived, mut worst) = (0, 0);
        for turn in 0..turns {
            let frame = mutator.mutate(&recordings[turn % recordings.len()].frame);
            let (stands, mut peak) = self.weigh(&frame);
            survived += usize::from(stands);
            // The node in this process leases, raises and follows meanwhile: what
            // a frame costs, it costs every time.
            for _ in 0..REPETITIONS {
                if !crate::is_within(peak, &frame) {
                    peak = peak.min(self.weigh(&frame).1);
                }
            }
            crate::check_bound(peak, &frame);
            worst = worst.max(peak);
        }
        (survived, worst)
    }

    /// Whether the connection still stands after `frame`, and the most memory that
    /// the process took for it.
    fn weigh(&mut self, frame: &[u8]) -> (bool, usize) {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let stands = self.survives(frame);
        (stands, ALLOCATOR.peak_usage().saturating_sub(before))
    }
}

/// Reads responses up to the probe's.
fn answered(stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
    loop {
        let mut length = [0; 4];
        if stream.read_exact(&mut length).is_err() {
            return false;
        }
        let length = u32::from_be_bytes(length) as usize;
        let Some(response) = buffer.get_mut(..length) else {
            return false;
        };
        if stream.read_exact(response).is_err() {
            return false;
        }
        if response.starts_with(&[0x77; 4]) {
            return true;
        }
    }
}
