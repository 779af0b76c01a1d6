//! A crowd that stands in the door and says nothing, or stops in the middle.

use super::LinkAttack;
use super::friend::{Good, timed};
use super::talk::Talk;
use super::wire::Peer;
use super::wire::proof;
use crate::{CLUSTER, COOKIE};
use anyhow::{Result, ensure};
use std::net::Ipv4Addr;
use std::time::Duration;

const CROWD: usize = 200;
/// From so many addresses: a single one gets 64 places.
const ADDRESSES: usize = 5;
const WAIT_MAX: Duration = Duration::from_secs(1);

impl LinkAttack<'_> {
    /// A good link is made within a second, and the other doors answer.
    pub fn crowd(&mut self) -> Result<()> {
        let mut crowd = Vec::with_capacity(CROWD);
        for place in 0..CROWD {
            let from = Ipv4Addr::new(127, 0, 3, 1 + (place % ADDRESSES) as u8);
            let mut talk = Talk::open(self.link, from)?;
            self.stop_in_the_middle(&mut talk, place / ADDRESSES % 4)?;
            crowd.push(talk);
        }
        let peer = Peer { cluster: CLUSTER, store: 0x600e, boot: 1 };
        let mut wait = Duration::ZERO;
        for host in 1..4 {
            let peer = Peer { boot: host, ..peer };
            let from = Ipv4Addr::new(127, 0, 4, host as u8);
            wait = wait.max(timed(|| Good::link(self.link, from, peer).map(drop))?);
        }
        self.friend.look_around()?;
        println!(
            "link: beside {CROWD} idle connections a good one is made in {wait:.1?}; {}",
            self.friend.report()
        );
        ensure!(wait < WAIT_MAX, "a good link waited for {wait:?}");
        Ok(())
    }

    fn stop_in_the_middle(&mut self, talk: &mut Talk, stage: usize) -> Result<()> {
        let hello = self.peer().hello();
        match stage {
            0 => (),
            1 => drop(talk.say(&hello[..40])),
            2 => drop(talk.hello(&hello)?),
            _ => {
                if let Some(answered) = talk.hello(&hello)? {
                    talk.say(&proof(&COOKIE, &hello, &answered));
                    // The length of a frame that never comes.
                    talk.say(&64_u64.to_be_bytes());
                }
            }
        }
        Ok(())
    }
}
