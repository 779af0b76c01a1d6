//! Small words with great effects, said by one who knows the cookie.

use super::messages::{call, group, ping, spawn};
use super::talk::Talk;
use super::wire::Peer;
use super::{LinkAttack, SESSION_BYTES};
use crate::ALLOCATOR;
use crate::weight::{Weight, settle};
use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

const PINGS_BYTES: usize = 16 << 20;
const CALLS: usize = 50_000;
/// A node that takes nothing for so long has stopped reading.
const FULL: Duration = Duration::from_millis(500);

impl LinkAttack<'_> {
    /// Each must cost no more than any other session.
    pub fn bombs(&mut self) -> Result<()> {
        let many: Vec<u64> = (0..300_000).collect();
        let said = spawn(&many);
        self.bomb("300,000 actors at once", |attack, talk, _, _| all(attack, talk, &said))?;
        let said: Vec<u8> = many[..10_000].iter().flat_map(|pid| spawn(&[*pid])).collect();
        self.bomb("10,000 actors one by one", |attack, talk, _, _| all(attack, talk, &said))?;
        let groups = (0..10_000).flat_map(|n| group(5, format!("g{n}").as_bytes(), 5));
        let said: Vec<u8> = groups.collect();
        self.bomb("10,000 groups", |attack, talk, _, _| all(attack, talk, &said))?;
        self.bomb("pings whose answers nobody reads", |_, talk, _, _| unread_pings(talk))?;
        self.bomb("50,000 calls at once", |_, talk, peer, router| calls(talk, peer, router))
    }

    fn bomb(
        &mut self,
        name: &str,
        say: impl FnOnce(&mut Self, &mut Talk, &Peer, u64) -> Result<()>,
    ) -> Result<()> {
        settle();
        self.rest = ALLOCATOR.current_usage();
        let peer = self.peer();
        let mut talk = Talk::open(self.link, self.from())?;
        ensure!(talk.shake(&peer.hello())?, "refused");
        let mut room = std::mem::take(&mut self.room);
        let router = talk.session(&peer, &mut room)?.context("no session")?;
        self.room = room;
        settle();
        ALLOCATOR.reset_peak_usage();
        let mut weight = Weight::new(SESSION_BYTES);
        say(self, &mut talk, &peer, router)?;
        self.weigh(&mut weight, talk.sent);
        let worst = weight.worst().context("it was weighed")?;
        println!("link: {name}: {} bytes for {} received", worst.peak, worst.received);
        ensure!(weight.excess() <= 0, "{name} cost {} bytes too much", weight.excess());
        self.friend.look_around()
    }
}

/// Says it all and waits for the end.
fn all(attack: &mut LinkAttack<'_>, talk: &mut Talk, said: &[u8]) -> Result<()> {
    talk.say(said);
    talk.end(&mut attack.room)
}

/// Says them until the node reads no more.
fn unread_pings(talk: &mut Talk) -> Result<()> {
    let some = ping(3, 0, 0).repeat(1_000);
    talk.stream.set_write_timeout(Some(FULL))?;
    while talk.sent < PINGS_BYTES {
        match talk.stream.write(&some) {
            Ok(count) => talk.sent += count,
            Err(_) => break,
        }
    }
    Ok(())
}

/// Says all of them while another thread reads the answers.
fn calls(talk: &mut Talk, peer: &Peer, router: u64) -> Result<()> {
    let one = call(router, &peer.beat(), 1, None);
    let mut answers = talk.stream.try_clone()?;
    let reading = thread::spawn(move || {
        let mut room = [0; 65_536];
        while let Ok(1..) = answers.read(&mut room) {}
    });
    let some = one.repeat(100);
    for _ in 0..CALLS / 100 {
        ensure!(talk.say(&some), "the link ended");
    }
    talk.stream.shutdown(std::net::Shutdown::Write)?;
    reading.join().expect("reading does not panic");
    Ok(())
}
