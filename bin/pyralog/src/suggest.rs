//! "Did you mean …?": the nearest known word, if one is near enough that a
//! slip of the finger explains the difference.

/// The word of `known` nearest to `given`, or `None` when all are far.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(given, word), word))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["segment_size", "segment_cache_size", "listen_addr"];
        assert_eq!(nearest("segmnt_size", known), Some("segment_size"));
        assert_eq!(nearest("listen_adr", known), Some("listen_addr"));
        assert_eq!(nearest("zzz", known), None);
    }
}
