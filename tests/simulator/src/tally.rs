//! What a run has met, so that "nothing failed" is not "nothing happened".

macro_rules! tally {
    ($(#[$story:meta])* $name:ident { $($field:ident: $words:literal,)* }) => {
        $(#[$story])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $name {
            /// What the power cuts met on the disk.
            pub met: pyralog_env::sim::CutReport,
            $(#[doc = concat!("Number of ", $words, ".")] pub $field: u64,)*
        }

        impl std::ops::AddAssign<&$name> for $name {
            fn add_assign(&mut self, other: &$name) {
                self.met += &other.met;
                $(self.$field += other.$field;)*
            }
        }

        impl $name {
            /// Every count with its words, to show that none is 0.
            pub fn counts(&self) -> Vec<(&'static str, u64)> {
                vec![$(($words, self.$field)),*]
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                writeln!(f, "{}", self.met)?;
                $(writeln!(f, "{:<44}{:>12}", $words, self.$field)?;)*
                Ok(())
            }
        }
    };
}

pub(crate) use tally;

tally! {
    /// Counts over one world or many.
    Tally {
        worlds: "worlds",
        cuts: "power cuts after 200 operations or more",
        recovery_cuts: "power cuts in a start",
        operations: "operations",
        appends: "appends acknowledged",
        batches: "batches acknowledged",
        truncations: "truncations acknowledged",
        refused_full: "refusals for want of room",
        refused_fenced: "refusals of stale generations",
        direct_writes: "writes straight into a segment",
        rounds: "WAL rounds",
        tasks: "tasks of the segment writer",
        stalls: "tasks that found the disk full",
        recycled: "WAL files used again",
        created: "partitions created",
        deleted: "logs deleted",
        clean_ends: "clean ends",
        kills: "kills",
        failed_syncs: "stores stopped by a failed sync",
        failed_full: "stores stopped by a full disk",
        starts: "starts",
        starts_without_room: "starts refused for want of room",
        replayed: "frames replayed",
        torn_tails: "torn tails cut off",
        reads: "reads",
        batches_judged: "batches judged after a start",
    }
}
