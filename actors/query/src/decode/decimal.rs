//! Numbers as they are written: digits and a power of ten, so that no digit is
//! lost on the way into an exact column.

/// `digits × 10^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    digits: i128,
    exponent: i32,
}

impl Written {
    /// Reads `-12.50e3` and the like; `None` for what is no number or has more than
    /// 38 digits that count.
    pub(crate) fn parse(text: &str) -> Option<Written> {
        let (negative, rest) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let mut written = Written { digits: 0, exponent: 0 };
        let (mut pending_zeros, mut seen, mut after_point) = (0, false, false);
        let mut rest = rest.iter();
        while let Some(byte) = rest.next() {
            match byte {
                b'0'..=b'9' => {
                    seen = true;
                    written.exponent = written.exponent.checked_sub(i32::from(after_point))?;
                    // Zeros count only once a digit follows them.
                    pending_zeros += 1;
                    if *byte != b'0' {
                        written = written.shifted(pending_zeros)?;
                        written.digits = written.digits.checked_add(i128::from(byte - b'0'))?;
                        pending_zeros = 0;
                    }
                }
                b'.' if !after_point => after_point = true,
                b'e' | b'E' if seen => {
                    let exponent =
                        std::str::from_utf8(rest.as_slice()).ok()?.parse::<i32>().ok()?;
                    written.exponent = written.exponent.checked_add(exponent)?;
                    break;
                }
                _ => return None,
            }
        }
        if !seen {
            return None;
        }
        if written.digits == 0 {
            return Some(Written { digits: 0, exponent: 0 });
        }
        written.exponent = written.exponent.checked_add(pending_zeros)?;
        written.digits = if negative { -written.digits } else { written.digits };
        Some(written)
    }

    /// This number times `10^scale`, if that is a whole number of at most 38 digits.
    pub(crate) fn at_scale(self, scale: u8) -> Option<i128> {
        let zeros = self.exponent.checked_add(i32::from(scale))?;
        if zeros >= 0 {
            return self.shifted(u32::try_from(zeros).ok()?.try_into().ok()?).map(|w| w.digits);
        }
        // The last digit is not 0, so that cutting one loses it.
        (self.digits == 0).then_some(0)
    }

    /// As `at_scale`, digits past the scale cut off.
    pub(crate) fn cut_at_scale(self, scale: u8) -> Option<i128> {
        let zeros = self.exponent.checked_add(i32::from(scale))?;
        if zeros >= 0 {
            return self.at_scale(scale);
        }
        let divisor = power_of_ten(zeros.unsigned_abs());
        Some(divisor.map_or(0, |divisor| self.digits.div_euclid(divisor)))
    }

    fn shifted(self, zeros: i32) -> Option<Written> {
        if self.digits == 0 {
            return Some(self);
        }
        let digits = self.digits.checked_mul(power_of_ten(u32::try_from(zeros).ok()?)?)?;
        (digits.unsigned_abs() < 10_u128.pow(38)).then_some(Written { digits, ..self })
    }
}

fn power_of_ten(zeros: u32) -> Option<i128> {
    10_i128.checked_pow(zeros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, scale: u8, expect: Option<i128>) {
        assert_eq!(Written::parse(text).and_then(|w| w.at_scale(scale)), expect, "{text}");
    }

    #[test]
    fn numbers_are_exact_or_refused() {
        check("0", 0, Some(0));
        check("-0.000", 0, Some(0));
        check("12.50", 2, Some(1250));
        check("12.50", 1, Some(125));
        check("12.50", 0, None);
        check("3.0", 0, Some(3));
        check("1e3", 0, Some(1000));
        check("-1.5E+2", 0, Some(-150));
        check("25e-2", 2, Some(25));
        check("+7", 0, Some(7));
        check("0.1", 1, Some(1));
        check("100", 0, Some(100));
        check("99999999999999999999999999999999999999", 0, Some(10_i128.pow(38) - 1));
        check("100000000000000000000000000000000000000", 0, None);
        check("1e37", 0, Some(10_i128.pow(37)));
        check("1e38", 0, None);
        check("1e999999999", 0, None);
        check("1e-999999999", 2, None);
        check("1e99999999999", 0, None);
        check("0e999999999", 9, Some(0));
        for junk in ["", "-", ".", "e5", "1e", "1.2.3", "1x", "0x10", "--1", "1e+-2", "NaN", "1 "] {
            assert_eq!(Written::parse(junk), None, "{junk:?}");
        }
    }

    #[test]
    fn digits_past_the_scale_are_cut_downwards() {
        let cut = |text: &str| Written::parse(text).unwrap().cut_at_scale(1);
        assert_eq!(cut("1.29"), Some(12));
        assert_eq!(cut("-1.21"), Some(-13));
        assert_eq!(cut("7"), Some(70));
        assert_eq!(cut("1e-99"), Some(0));
    }

    proptest! {
        #[test]
        fn whole_numbers_are_what_they_say(number in any::<i64>(), scale in 0_u8..10) {
            let expect = i128::from(number) * 10_i128.pow(u32::from(scale));
            let written = Written::parse(&number.to_string()).unwrap();
            prop_assert_eq!(written.at_scale(scale), Some(expect));
        }

        #[test]
        fn nothing_panics(text in "[-+0-9.eE]{0,45}", scale in 0_u8..38) {
            if let Some(written) = Written::parse(&text) {
                let _ = (written.at_scale(scale), written.cut_at_scale(scale));
            }
        }
    }
}
