//! Hostile bytes on the Kafka port. One test in one process, because it counts
//! every byte that the process allocates.
//!
//! Recordings are real requests of every API in every version served. They all
//! decode; a million mutations of them never panic and never take more than
//! four times the bytes received and 64 KiB.

#[path = "hostile/mutation.rs"]
mod mutation;
#[path = "../src/tests/node.rs"]
mod node;
#[path = "hostile/port.rs"]
mod port;
#[path = "hostile/recordings.rs"]
mod recordings;

use bytes::Bytes;
use mutation::Mutator;
use peak_alloc::PeakAlloc;
use pyralog_kafka::decode_request;
use recordings::Recording;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const MUTATIONS: usize = 1_000_000;
/// Through the port it takes longer; `HOSTILE_MUTATIONS_BY_PORT` asks for more.
const MUTATIONS_BY_PORT: usize = 20_000;
const FACTOR: usize = 4;
const SLACK_BYTES: usize = 64 * 1024;

/// Decodes `frame` and gives the most memory that was held meanwhile, the frame
/// itself included.
fn decode_counted(frame: &[u8]) -> (usize, Result<(), String>) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let decoded = decode_request(Bytes::copy_from_slice(frame));
    (ALLOCATOR.peak_usage().saturating_sub(before), decoded)
}

fn is_within(peak: usize, frame: &[u8]) -> bool {
    peak <= FACTOR * frame.len() + SLACK_BYTES
}

#[track_caller]
fn check_bound(peak: usize, frame: &[u8]) {
    assert!(is_within(peak, frame), "{peak} bytes for {} received: {frame:02x?}", frame.len());
}

#[test]
fn hostile_bytes_cost_no_more_than_they_weigh() {
    let recordings = recordings::all();
    decode_mutants(&recordings);
    torment_a_door(recordings);
}

fn torment_a_door(mut recordings: Vec<Recording>) {
    // Logs that mutants create are state, not the price of a request.
    recordings.retain(|recording| !recording.name.starts_with("CreateTopics"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let address = runtime.block_on(port::start());
    let mut client = port::Client::new(address);
    let asked = std::env::var("HOSTILE_MUTATIONS_BY_PORT").ok();
    let turns = asked.and_then(|turns| turns.parse().ok()).unwrap_or(MUTATIONS_BY_PORT);
    let (survived, worst) = client.torment(&recordings, turns);
    print_line(&format!("{turns} mutations by port: {survived} survived, at most {worst} bytes"));
}

fn decode_mutants(recordings: &[Recording]) {
    for recording in recordings {
        let (peak, decoded) = decode_counted(&recording.frame);
        assert_eq!(decoded, Ok(()), "{}", recording.name);
        check_bound(peak, &recording.frame);
    }
    for frame in recordings::bombs() {
        let (peak, decoded) = decode_counted(&frame);
        assert!(decoded.is_err(), "a bomb went through: {:02x?}", &frame[..frame.len().min(60)]);
        check_bound(peak, &frame);
    }
    let mut mutator = Mutator::new(0x5eed);
    let (mut decodable, mut worst) = (0_usize, 0_usize);
    for turn in 0..MUTATIONS {
        let frame = mutator.mutate(&recordings[turn % recordings.len()].frame);
        let (peak, decoded) = decode_counted(&frame);
        decodable += usize::from(decoded.is_ok());
        worst = worst.max(peak);
        check_bound(peak, &frame);
    }
    // If everything or nothing went through, the mutations tested one branch.
    assert!((MUTATIONS / 50..MUTATIONS * 49 / 50).contains(&decodable), "{decodable}");
    let count = recordings.len();
    print_line(&format!(
        "{MUTATIONS} mutations of {count} recordings: {decodable} decodable, at most {worst} bytes"
    ));
}

/// Shown by `cargo test -- --nocapture`.
fn print_line(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{line}");
}
