//! Honest peers pass, in any pieces; what no node says ends the link.

use super::*;
use proptest::prelude::*;

const NAME: &str = "0abc-1@0abc-1";

fn field(number: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![key(number)];
    let mut length = body.len();
    while length > 0x7f {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    [out, body.to_vec()].concat()
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let payload = field(kind, body);
    [&(payload.len() as u64).to_be_bytes()[..], &payload].concat()
}

fn name(name: &str) -> Vec<u8> {
    frame(1, &field(1, &[field(1, name.as_bytes()), field(3, b"x:1"), vec![4 << 3, 9]].concat()))
}

fn proof() -> Vec<u8> {
    frame(1, &field(5, &[vec![8, 7], field(2, &[7; 32])].concat()))
}

fn actors(count: usize) -> Vec<u8> {
    field(1, &field(1, &[8, 5]).repeat(count))
}

/// What an honest dialler says.
fn honest() -> Vec<u8> {
    let join = [field(1, b"group"), field(2, &[8, 5]), field(3, b"scope")].concat();
    let call = [vec![8, 5], field(2, &[1; 300]), vec![24, 1]].concat();
    let controls = [actors(1), field(5, &join), field(9, &[]), field(3, &field(1, &[8, 1]))];
    let controls = controls.iter().flat_map(|body| frame(3, body));
    let calls = frame(2, &field(2, &call)).repeat(3);
    [name(NAME), proof()].concat().into_iter().chain(controls).chain(calls).collect()
}

fn judge(bytes: &[u8]) -> Result<u64, Breach> {
    Frames::new(NAME.to_owned(), false).pass(bytes)
}

fn after(more: &[u8]) -> Result<u64, Breach> {
    judge(&[honest(), more.to_vec()].concat())
}

#[test]
fn an_honest_peer_passes_however_the_stream_is_cut() {
    let said = honest();
    assert_eq!(judge(&said), Ok(9));
    for piece in [1, 2, 3, 7, 64] {
        let mut frames = Frames::new(NAME.to_owned(), false);
        let ended: u64 = said.chunks(piece).map(|piece| frames.pass(piece).unwrap()).sum();
        assert_eq!(ended, 9, "in pieces of {piece}");
    }
    assert_eq!(after(&frame(2, &field(1, &field(2, &[0; 1 << 20])))), Ok(10));
}

#[test]
fn what_no_node_says_ends_the_link() {
    let long = (NODE_BYTES_MAX as u64 + 1).to_be_bytes();
    let two = [field(2, &[]), field(3, &actors(1_000))].concat();
    let two = [&(two.len() as u64).to_be_bytes()[..], &two].concat();
    // Fields of a width that is not looked into must not hide what follows.
    let hidden = field(1, &[vec![5 << 3 | 5, 0, 0, 0, 0], field(1, &[8, 5]).repeat(80)].concat());
    for bad in [
        &long[..],
        &[0xff; 8],
        &[0; 8],
        &two,
        &frame(3, &hidden),
        &frame(3, &[actors(1), actors(1)].concat()),
        &frame(3, &actors(NAMED_MAX)),
        &frame(3, &actors(1)).repeat(NAMED_MAX),
        &frame(3, &actors(2_000)),
        &frame(3, &field(7, &[])),
        &frame(3, &field(8, &[])),
        &frame(3, &field(9, &[])),
        &frame(4, &[]),
        &name(NAME),
    ] {
        assert!(after(bad).is_err(), "{bad:02x?}");
    }
}

#[test]
fn the_authentication_comes_first_in_the_peers_own_name() {
    assert!(judge(&name("0abd-1@0abd-1")).is_err());
    let last = [field(1, NAME.as_bytes()), field(1, b"other")].concat();
    assert!(judge(&frame(1, &field(1, &last))).is_err(), "protobuf takes the last one");
    assert!(judge(&frame(1, &field(1, &[]))).is_err());
    assert!(judge(&[name(NAME), frame(3, &field(9, &[]))].concat()).is_err());
    assert!(judge(&frame(2, &[])).is_err());
    assert!(judge(&[name(NAME), proof().repeat(4)].concat()).is_err());
    let mut dialled = Frames::new(NAME.to_owned(), true);
    let challenge = frame(1, &field(4, &field(1, NAME.as_bytes())));
    let status = frame(1, &field(2, &[]));
    assert_eq!(dialled.pass(&[status, challenge].concat()), Ok(2));
    assert!(dialled.pass(&frame(3, &field(9, &[]))).is_err(), "its proof comes first");
}

proptest! {
    #[test]
    fn any_bytes_are_judged_alike_in_any_pieces(
        cuts in prop::collection::vec(1..40_usize, 1..40),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut said = [honest(), tail].concat();
        for (place, value) in hits {
            let place = place.index(said.len());
            said[place] = value;
        }
        let whole = judge(&said);
        let mut frames = Frames::new(NAME.to_owned(), false);
        let (mut rest, mut ended) = (&said[..], Ok(0));
        for cut in cuts.iter().cycle() {
            let (piece, more) = rest.split_at((*cut).min(rest.len()));
            match frames.pass(piece) {
                Ok(count) => ended = ended.map(|ended: u64| ended + count),
                Err(breach) => ended = Err(breach),
            }
            rest = more;
            if rest.is_empty() || ended.is_err() {
                break;
            }
        }
        prop_assert_eq!(whole, ended);
        if let At::Kept { bytes, .. } = &frames.at {
            prop_assert!(bytes.capacity() <= 2 * SMALL_BYTES_MAX);
        }
    }
}
