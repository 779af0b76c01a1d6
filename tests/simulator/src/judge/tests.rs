//! A judge who says "all is well" to everything would never be noticed.

use super::*;

fn sent(fill: u8) -> Bytes {
    let mut bytes = vec![fill; 100];
    bytes[8..12].copy_from_slice(&88_u32.to_be_bytes());
    Bytes::from(bytes)
}

/// As a store would keep it.
fn stored(fill: u8, base: u64, epoch: u32) -> Vec<u8> {
    let mut bytes = sent(fill).to_vec();
    bytes[0..8].copy_from_slice(&base.to_be_bytes());
    bytes[12..16].copy_from_slice(&epoch.to_be_bytes());
    bytes
}

fn append(fills: &[u8], epoch: u32) -> Attempt {
    Attempt::Append { epoch, batches: fills.iter().map(|&fill| (2, sent(fill))).collect() }
}

/// Two batches acknowledged, one refused, two in flight.
fn judge() -> Judge<u32> {
    let mut judge = Judge::new();
    judge.created(7);
    judge.asked(7, append(&[1, 2], 5));
    judge.acknowledged(7, 4).unwrap();
    judge.asked(7, append(&[3], 5));
    judge.refused(7);
    judge.asked(7, append(&[4, 5], 6));
    judge
}

fn found(end: u64, batches: &[Vec<u8>]) -> Verdict<u64> {
    judge().found(7, end, &batches.concat())
}

#[test]
fn what_was_in_flight_may_be_there_or_not_but_whole_and_in_order() {
    let [one, two] = [stored(1, 0, 5), stored(2, 2, 5)];
    let [four, five] = [stored(4, 4, 6), stored(5, 6, 6)];
    assert_eq!(found(4, &[one.clone(), two.clone()]), Ok(2));
    assert_eq!(found(6, &[one.clone(), two.clone(), four.clone()]), Ok(3));
    assert_eq!(found(8, &[one.clone(), two.clone(), four.clone(), five]), Ok(4));
    found(6, &[one.clone(), two.clone(), stored(5, 4, 6)]).unwrap_err();
    found(6, &[one, two, four[..60].to_vec()]).unwrap_err();
}

#[test]
fn every_other_difference_is_found() {
    let [one, two] = [stored(1, 0, 5), stored(2, 2, 5)];
    found(2, std::slice::from_ref(&one)).expect_err("lost");
    found(4, std::slice::from_ref(&one)).expect_err("lost, with a false end");
    found(6, &[one.clone(), two.clone(), stored(3, 4, 5)]).expect_err("refused and stored");
    found(4, &[one.clone(), stored(9, 2, 5)]).expect_err("changed");
    found(4, &[one.clone(), stored(2, 3, 5)]).expect_err("a gap");
    found(4, &[one.clone(), stored(2, 2, 4)]).expect_err("another epoch");
    found(4, &[two, one]).expect_err("another order");
}

#[test]
fn a_cut_back_is_final_once_it_is_acknowledged() {
    let [one, two] = [stored(1, 0, 5), stored(2, 2, 5)];
    let mut judge = Judge::new();
    judge.created(7);
    judge.asked(7, append(&[1, 2], 5));
    judge.acknowledged(7, 4).unwrap();
    judge.asked(7, Attempt::Truncate { end: 3 });
    judge.acknowledged(7, 3).expect_err("the end is where a batch begins");
    judge.found(7, 4, &[one.clone(), two].concat()).expect_err("it came back");
    judge.found(7, 2, &one).unwrap();
    judge.opened(7, 2, 4).expect_err("an epoch that went back");
    judge.opened(7, 2, 5).unwrap();
}
