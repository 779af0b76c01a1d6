//! Lanes: what is issued, what is refused and why, and how fast the layout is.

use super::*;

fn ms(millis: u64) -> LogicalClock {
    LogicalClock(0).plus_ms(millis)
}

/// Lane 5 from 1,000 ms to 11,000 ms, durable to its end.
fn lane() -> LaneClock {
    let lane = LaneClock::new(Lane::new(5).unwrap(), ms(1_000), ms(11_000));
    lane.set_durable(ms(11_000));
    lane
}

#[test]
fn ids_follow_the_clock_and_each_other() {
    let lane = lane();
    let first = lane.claim(ms(2_000), 3).unwrap();
    assert_eq!((first.clock(), first.lane().number()), (ms(2_000), 5));
    // The clock stands, goes back, and goes on.
    assert_eq!(lane.claim(ms(2_000), 1).unwrap().clock(), LogicalClock(ms(2_000).0 + 3));
    assert_eq!(lane.claim(ms(1_500), 1).unwrap().clock(), LogicalClock(ms(2_000).0 + 4));
    assert_eq!(lane.claim(ms(2_001), 1).unwrap().clock(), ms(2_001));
    // A clock before the lease begins where the lease does.
    let early = LaneClock::new(Lane::new(1).unwrap(), ms(1_000), ms(2_000));
    early.set_durable(ms(2_000));
    assert_eq!(early.claim(ms(500), 1).unwrap().clock(), ms(1_000));
    assert_eq!(early.claim(LogicalClock(0), 1), Err(LaneRefusal::Ahead { ahead_ms: 1_000 }));
}

#[test]
fn the_ids_of_a_block_carry_over_the_lane() {
    let lane = lane();
    lane.claim(ms(2_000), 8_190).unwrap();
    let base = lane.claim(ms(2_000), 4).unwrap();
    let ids: Vec<ScarabId> = lane.ids(base, 4).collect();
    assert!(ids.is_sorted_by(|a, b| a < b) && ids.iter().all(|id| id.lane().number() == 5));
    assert_eq!(lane.claim(ms(2_000), 1).unwrap(), base.nth(4));
}

#[test]
fn refusals_say_what_is_in_the_way_and_take_nothing() {
    let lane = LaneClock::new(Lane::new(5).unwrap(), ms(1_000), ms(11_000));
    let none = LaneRefusal::NotDurable { durable: LogicalClock(0) };
    assert_eq!(lane.claim(ms(1_000), 1), Err(none));
    lane.set_durable(ms(11_000));
    let second = 1_000 * 8_192;
    assert_eq!(lane.claim(ms(1_000), second + 1), Err(LaneRefusal::Ahead { ahead_ms: 1_000 }));
    assert_eq!(lane.next(), ms(1_000));
    assert!(lane.claim(ms(1_000), second).is_ok());
    assert_eq!(lane.claim(ms(1_000), 1), Err(LaneRefusal::Ahead { ahead_ms: 1_000 }));
    let past = LaneRefusal::Exhausted { lane: lane.lane(), to: ms(11_000) };
    assert_eq!(lane.claim(ms(11_000), 1), Err(past));
    assert_eq!(lane.claim(LogicalClock::MAX, u32::MAX), Err(past));
    assert_eq!(lane.claim(ms(10_999), 8_192).unwrap().clock(), ms(10_999));
    assert_eq!(lane.claim(ms(10_999), 1), Err(past));
}

#[test]
fn a_causal_id_lies_after_what_was_seen() {
    let lane = lane();
    let seen = LogicalClock(ms(2_500).0 + 77);
    assert_eq!(lane.claim_after(ms(2_000), seen, 2).unwrap().clock(), LogicalClock(seen.0 + 1));
    assert_eq!(lane.claim_after(ms(2_600), seen, 1).unwrap().clock(), ms(2_600));
    let wild = lane.claim_after(ms(2_600), LogicalClock(ms(4_000).0 - 1), 1);
    assert_eq!(wild, Err(LaneRefusal::Ahead { ahead_ms: 1_400 }));
    assert!(lane.claim_after(ms(2_600), LogicalClock(u64::MAX), 1).is_err());
    assert_eq!(lane.claim(ms(2_600), 1).unwrap().clock(), LogicalClock(ms(2_600).0 + 1));
}

#[test]
fn bounds_and_leases_are_asked_for_ahead() {
    let lane = LaneClock::new(Lane::new(5).unwrap(), ms(0), ms(10_000));
    assert!(lane.needs_raise(ms(0)));
    assert_eq!(lane.raise_target(ms(3_000)), ms(5_000));
    lane.set_durable(ms(5_000));
    assert!(!lane.needs_raise(ms(4_000)) && lane.needs_raise(ms(4_001)));
    lane.claim(ms(4_000), 8_192).unwrap();
    assert!(lane.needs_raise(ms(4_000)), "the next id would be of 4,001 ms");
    assert_eq!(lane.raise_target(ms(9_500)), ms(10_000));
    lane.set_durable(ms(10_000));
    assert!(!lane.needs_raise(ms(9_999)), "there is nothing to raise to");
    assert!(!lane.needs_lease(ms(5_000)) && lane.needs_lease(ms(5_001)));
    lane.extend(ms(15_000));
    assert_eq!((lane.needs_lease(ms(5_001)), lane.to()), (false, ms(15_000)));
    lane.extend(ms(12_000));
    assert_eq!(lane.to(), ms(15_000));
    assert!(lane.needs_lease(ms(10_000)));
}

#[test]
fn another_lane_begins_with_a_whole_millisecond() {
    let mut last = lane().claim(ms(2_000), 5).unwrap();
    // The next lease is of a smaller lane, from the time after the last id on.
    let next = LaneClock::new(Lane::new(4).unwrap(), last.nth(5).clock(), ms(9_000));
    next.set_durable(ms(9_000));
    for now in [2_000, 2_000, 2_001] {
        let id = next.claim(ms(now), 1).unwrap();
        assert!(id > last);
        last = id;
    }
    let none = LaneClock::new(Lane::new(4).unwrap(), LogicalClock(8_193), LogicalClock(8_200));
    none.set_durable(ms(9_000));
    assert!(matches!(none.claim(ms(1), 1), Err(LaneRefusal::Exhausted { .. })));
    assert_eq!(none.retire(), LogicalClock(8_200));
}

#[test]
fn a_lane_that_was_given_up_issues_nothing() {
    let lane = lane();
    lane.claim(ms(2_000), 5).unwrap();
    assert_eq!(lane.retire(), LogicalClock(ms(2_000).0 + 5));
    assert!(matches!(lane.claim(ms(2_001), 1), Err(LaneRefusal::Exhausted { .. })));
    assert!(matches!(lane.claim(ms(2_001), 0), Err(LaneRefusal::Exhausted { .. })));
    assert_eq!(lane.retire(), ms(11_000), "a second answer frees nothing");
    let unused = LaneClock::new(Lane::new(5).unwrap(), ms(1_000), ms(2_000));
    assert_eq!(unused.retire(), ms(1_000));
}

#[test]
fn the_layout_s_rate_is_sustained_in_big_and_small_claims() {
    for count in [1, 3, 100, 8_192, 100_000] {
        let lane = lane();
        let mut issued = 0;
        // Five seconds, a millisecond at a time, taking whatever is given.
        for now in 2_000..7_000 {
            while issued < (now - 2_000 + 1) * 8_192 {
                match lane.claim(ms(now), count) {
                    Ok(_) => issued += u64::from(count),
                    Err(refusal) => panic!("{count} at {now} ms: {refusal}"),
                }
            }
        }
        assert!(issued >= 5_000 * 8_192);
    }
}

#[test]
fn threads_share_a_lane_without_an_id_twice() {
    let lane = lane();
    let claim = |count: u32| {
        let lane = &lane;
        move || -> Vec<u64> {
            let bases = (0..2_000).map(|at| lane.claim(ms(2_000 + at / 100), count).unwrap());
            bases.flat_map(|base| lane.ids(base, count)).map(|id| id.0).collect()
        }
    };
    let mut all = std::thread::scope(|scope| {
        let threads = [1, 2, 9].map(|count| scope.spawn(claim(count)));
        threads.map(|thread| thread.join().unwrap()).concat()
    });
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}
