//! The one thing a coordinator reads in what a consumer says of itself: which logs it
//! reads. Everything else there is between the members.

/// Whether a subscription of Kafka's consumer protocol names a log. One that cannot be
/// read might.
pub(super) fn reads(subscription: &[u8], log: &str) -> bool {
    names(subscription, log).unwrap_or(true)
}

fn names(subscription: &[u8], log: &str) -> Option<bool> {
    let (_version, rest) = subscription.split_first_chunk::<2>()?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    for _ in 0..i32::from_be_bytes(*count) {
        let (length, name) = rest.split_first_chunk::<2>()?;
        let length = usize::try_from(i16::from_be_bytes(*length)).ok()?;
        let (name, after) = name.split_at_checked(length)?;
        if name == log.as_bytes() {
            return Some(true);
        }
        rest = after;
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_names_its_logs_and_noise_might_name_any() {
        let two = b"\0\x01\0\0\0\x02\0\x01a\0\x02bc\0\0\0\0";
        assert!(reads(two, "a") && reads(two, "bc"));
        assert!(!reads(two, "b"));
        for end in 0..two.len() - 4 {
            assert!(reads(&two[..end], "b"), "cut short after {end} bytes");
        }
        assert!(reads(b"\0\x01\x7f\xff\xff\xff\0\x01a", "b"));
        assert!(reads(b"\0\x01\0\0\0\x01\xff\xff", "b"));
    }
}
