//! The bytes of every request and answer, and bytes that are none.

use super::*;
use crate::protocol::{
    Answer, CounterView, LaneGrant, Made, NodeStart, ObeliskStatus, REQUEST_BYTES_MAX,
};
use pyralog_directory::{Command, Directory, Roles};
use pyralog_model::{
    ClusterId, CounterMode, CounterNumber, Incarnation, Lane, LogNumber, LogicalClock, NodeName,
    NodeNumber, ScarabId, SessionId, StartToken, StoreId,
};
use std::collections::BTreeMap;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn start() -> NodeStart {
    NodeStart {
        name: NodeName("one".to_owned()),
        store: StoreId(2),
        roles: Roles { obelisk: false, pyramid: true },
        presented: vec![StartToken(3)],
        next: StartToken(4),
        advertised: BTreeMap::from([("http".to_owned(), "h:1".to_owned())]),
    }
}

fn knowing(request: Request) -> Request {
    let known = Known { index: 5, digest: 6, checkpoint_index: 2, checkpoint_digest: 3 };
    Request::Knowing { known, request: Box::new(request) }
}

fn requests() -> Vec<(Request, &'static str)> {
    let (node, incarnation) = (NodeNumber(1), Incarnation(7));
    let lane = Lane::new(3).unwrap();
    vec![
        (Request::Echo(vec![5]), "01000105"),
        (Request::Start(start()), "0101036f6e65020001010304010468747470"),
        (Request::Propose(Command::DeleteLog { number: LogNumber(9) }), "01020309"),
        (Request::Changes { after: 8, wait_ms: 9 }, "01030809"),
        (Request::Snapshot { index: 8, from: 9 }, "01040809"),
        (Request::LeaseLane { node, incarnation, floor: LogicalClock(2) }, "0105010702"),
        (
            Request::ReleaseLane {
                node,
                incarnation,
                lane,
                granted_to: LogicalClock(9),
                used_to: LogicalClock(2),
            },
            "01060107030902",
        ),
        (Request::Session, "0107"),
        (Request::EpochLabels(2), "010802"),
        (Request::Ids(2), "010902"),
        (Request::CausalTimestamp { after: Some(ScarabId(6)) }, "010a0106"),
        (
            Request::CreateCounter { name: "c".parse().unwrap(), mode: CounterMode::Leased },
            "010b016301",
        ),
        (Request::Claim { counter: CounterNumber(16), count: 2 }, "010c1002"),
        (Request::Value(CounterNumber(16)), "010d10"),
        (Request::Status, "010e"),
        (knowing(Request::Session), "010f0506020307"),
    ]
}

fn answers() -> Vec<(AskOutcome, &'static str)> {
    let (node, incarnation) = (NodeNumber(1), Incarnation(7));
    let cluster = ClusterId(3);
    let grant = LaneGrant {
        lane: Lane::new(3).unwrap(),
        from: LogicalClock(4),
        to: LogicalClock(6),
        now: LogicalClock(5),
    };
    let status = ObeliskStatus {
        node,
        index: 2,
        lanes_leased: 3,
        counters: 4,
        sessions: 5,
        epoch_labels: 6,
    };
    vec![
        (Ok(Answer::Echo(vec![5])), "0100000105"),
        (Ok(Answer::Started { cluster, node, incarnation, index: 2 }), "01000103010702"),
        (Ok(Answer::Done { index: 2, made: Made::Log(LogNumber(9)) }), "010002020109"),
        (Ok(Answer::Commands(vec![Command::DeleteLog { number: LogNumber(9) }])), "010003010309"),
        (Ok(Answer::SnapshotIs { index: 2, bytes: 3 }), "0100040203"),
        (Ok(Answer::Piece(vec![1, 2])), "010005020102"),
        (Ok(Answer::Lane(grant)), "01000603040605"),
        (Ok(Answer::Released), "010007"),
        (Ok(Answer::Session(SessionId(4))), "01000804"),
        (Ok(Answer::EpochLabels(4)), "01000904"),
        (Ok(Answer::Ids(ScarabId(4))), "01000a04"),
        (Ok(Answer::Counter { number: CounterNumber(16), index: 2 }), "01000b1002"),
        (Ok(Answer::Claimed(4)), "01000c04"),
        (Ok(Answer::Value(CounterView { value: 4, durable_bound: 5 })), "01000d0405"),
        (Ok(Answer::Status(status)), "01000e010203040506"),
        (Err(ApiError::new(ErrorCode::LogNotFound, "x")), "0101000178"),
    ]
}

#[test]
fn the_bytes_of_every_request_stay() {
    for (request, expected) in requests() {
        let bytes = encode_request(&request);
        assert_eq!(decode_request(&bytes).as_ref(), Ok(&request));
        // The rest of a start is text.
        assert!(hex(&bytes).starts_with(expected), "{request:?}: {}", hex(&bytes));
    }
}

#[test]
fn the_bytes_of_every_answer_stay() {
    for (outcome, expected) in answers() {
        let bytes = encode_outcome(&outcome);
        assert_eq!(hex(&bytes), expected, "{outcome:?}");
        assert_eq!(decode_outcome(&bytes), outcome);
    }
}

#[test]
fn the_numbers_of_error_codes_stay() {
    // They are numbered by their place in the list: new ones come at the end of it.
    let number = |code| encode_outcome(&Err(ApiError::new(code, "")))[2];
    assert_eq!(number(ErrorCode::LogNotFound), 0);
    assert_eq!(number(ErrorCode::Internal), 37);
    assert_eq!(number(ErrorCode::DirectoryDiverged), 38);
    assert_eq!(usize::from(number(ErrorCode::KeyIndexOff)), ErrorCode::ALL.len() - 1);
}

#[test]
fn one_in_another_is_refused_however_deep() {
    let two = encode_request(&knowing(knowing(Request::Session)));
    let error = decode_request(&two).unwrap_err();
    assert_eq!(error.code, ErrorCode::RequestInvalid);
    // As many calls of the decoder in itself would not fit on any stack.
    let one = &encode_request(&knowing(Request::Session))[1..6];
    let mut deep = vec![1];
    while deep.len() + one.len() < REQUEST_BYTES_MAX {
        deep.extend_from_slice(one);
    }
    deep.push(7);
    assert_eq!(decode_request(&deep).unwrap_err().code, ErrorCode::RequestInvalid);
    // The number in more bytes than it needs.
    let long_way = [&[1][..], &[0x8f, 0], &one[1..], &[0x8f, 0], &one[1..], &[7]].concat();
    assert!(decode_request(&long_way).unwrap_err().message.contains("once"));
    let not_decoded = knowing(knowing(Request::Session)).verified(&Directory::default());
    assert_eq!(not_decoded.unwrap_err().code, ErrorCode::RequestInvalid);
}

#[test]
fn what_is_none_is_refused_whatever_it_is() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut all: Vec<Vec<u8>> = requests().iter().map(|(r, _)| encode_request(r)).collect();
    all.extend(answers().iter().map(|(a, _)| encode_outcome(a)));
    for _ in 0..20_000 {
        let mut bytes = all[random() as usize % all.len()].clone();
        for _ in 0..=random() % 3 {
            match random() % 3 {
                0 => bytes.truncate(random() as usize % (bytes.len() + 1)),
                1 => bytes.push(random() as u8),
                _ if bytes.is_empty() => {}
                _ => {
                    let at = random() as usize % bytes.len();
                    bytes[at] = random() as u8;
                }
            }
        }
        // What is read is what would be written, or nothing is read at all.
        let _ = decode_outcome(&bytes);
        if let Ok(request) = decode_request(&bytes) {
            let _ = encode_request(&request);
        }
    }
    let long = vec![0; REQUEST_BYTES_MAX + 1];
    assert_eq!(decode_request(&long).unwrap_err().code, ErrorCode::RequestInvalid);
    let mut longer = encode_request(&Request::Status);
    longer.push(0);
    assert!(decode_request(&longer).unwrap_err().message.contains("follow the end"));
    assert!(decode_request(&[2]).unwrap_err().message.contains("version 2"));
    // A length of four thousand million, and nothing behind it.
    assert!(decode_request(&[1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
}
