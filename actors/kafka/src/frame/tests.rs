//! Requests arrive whole however the stream is cut, and claims cost nothing.

use super::*;
use proptest::prelude::*;

const PATIENCE: Duration = Duration::from_secs(5);

fn framed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as i32).to_be_bytes(), body].concat()
}

async fn admit(_: usize) -> Vec<OwnedSemaphorePermit> {
    Vec::new()
}

/// All requests in `stream`, delivered in pieces of `piece` bytes.
async fn read_all(stream: &[u8], piece: usize) -> (Vec<Vec<u8>>, Option<FrameError>) {
    let mut reader = tokio_pieces(stream, piece);
    let mut frames = Frames::new(&mut reader, 1 << 20, PATIENCE);
    let mut all = Vec::new();
    while frames.ready().await.unwrap() {
        match frames.next(admit).await {
            Ok(frame) => all.push(frame.bytes.to_vec()),
            Err(error) => return (all, Some(error)),
        }
    }
    (all, None)
}

fn tokio_pieces(stream: &[u8], piece: usize) -> impl AsyncRead + Unpin {
    let pieces = stream.chunks(piece).map(<[u8]>::to_vec).collect::<Vec<_>>();
    pieces
        .into_iter()
        .fold(Box::new(tokio::io::empty()) as Box<dyn AsyncRead + Unpin>, |before, piece| {
            Box::new(before.chain(std::io::Cursor::new(piece)))
        })
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(future)
}

proptest! {
    #[test]
    fn requests_are_whole_however_they_are_cut(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 8..300), 0..8),
        piece in 1_usize..700,
    ) {
        let stream: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
        let (all, error) = block_on(read_all(&stream, piece));
        prop_assert!(error.is_none());
        prop_assert_eq!(all, bodies);
    }
}

#[test]
fn large_requests_are_whole() {
    let body: Vec<u8> = (0..700_000_u32).map(|at| at as u8).collect();
    let stream = [framed(&body), framed(b"12345678"), framed(&body)].concat();
    let (all, error) = block_on(read_all(&stream, 5_000));
    assert!(error.is_none());
    assert!(all == [body.clone(), b"12345678".to_vec(), body]);
}

#[test]
fn impossible_lengths_close_and_short_streams_say_so() {
    for claimed in [-1, 0, 7, (1 << 20) + 1, i32::MAX, i32::MIN] {
        let (_, error) = block_on(read_all(&claimed.to_be_bytes(), 4));
        assert!(matches!(error, Some(FrameError::Close(CloseReason::FrameLength { .. }))));
    }
    let cut = &framed(&[0; 100])[..50];
    assert!(matches!(block_on(read_all(cut, 50)).1, Some(FrameError::Io(_))));
    assert!(matches!(block_on(read_all(&[0, 0], 2)).1, Some(FrameError::Io(_))));
}

#[test]
fn a_client_that_stops_inside_a_request_is_given_up() {
    block_on(async {
        let (mut client, server) = tokio::io::duplex(64);
        tokio::io::AsyncWriteExt::write_all(&mut client, &framed(&[0; 100])[..20]).await.unwrap();
        let mut frames = Frames::new(server, 1 << 20, Duration::from_millis(10));
        assert!(frames.ready().await.unwrap());
        assert!(matches!(frames.next(admit).await, Err(FrameError::Slow)));
    });
}
