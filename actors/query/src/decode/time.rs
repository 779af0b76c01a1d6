//! Dates and times as ISO 8601 writes them.
//!
//! A date, then perhaps `T` or a blank and a time, then perhaps a zone. Without a
//! zone it is UTC. All of it is counted in the proleptic Gregorian calendar.

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// Days since 1970 of `2013-01-31`; a time after it is taken into account, as its
/// zone may move it to another day of UTC.
pub(crate) fn date(text: &str) -> Option<i32> {
    let days = timestamp(text)?.div_euclid(SECONDS_PER_DAY * MICROS_PER_SECOND);
    i32::try_from(days).ok()
}

/// Microseconds since 1970 of `2013-01-31`, `2013-01-31T05:00:00Z`,
/// `2013-01-31 05:00:00.25+02:00` and the like. Finer digits are cut off.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let mut rest = Rest(text.as_bytes());
    let (year, month, day) = rest.date()?;
    let mut seconds = days_from_civil(year, month, day)? * SECONDS_PER_DAY;
    let mut micros = 0;
    if rest.take(b'T') || rest.take(b't') || rest.take(b' ') {
        let (hour, minute) = (rest.number(2)?, rest.colon_number()?);
        let second = if rest.0.first() == Some(&b':') { rest.colon_number()? } else { 0 };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        seconds += hour * 3600 + minute * 60 + second;
        if rest.take(b'.') || rest.take(b',') {
            micros = rest.fraction()?;
        }
        seconds -= rest.zone()?;
    }
    rest.0.is_empty().then(|| seconds * MICROS_PER_SECOND + micros)
}

/// Days since 1970; `None` for days that no month has. Years are counted from March,
/// so that the leap day is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=days_of_month).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take(&mut self, wanted: u8) -> bool {
        let taken = self.0.first() == Some(&wanted);
        if taken {
            self.0 = &self.0[1..];
        }
        taken
    }

    /// A number of exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |sum, byte| {
            byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'))
        })
    }

    fn colon_number(&mut self) -> Option<i64> {
        self.take(b':').then(|| self.number(2)).flatten()
    }

    fn date(&mut self) -> Option<(i64, i64, i64)> {
        let year = self.number(4)?;
        let month = self.take(b'-').then(|| self.number(2)).flatten()?;
        let day = self.take(b'-').then(|| self.number(2)).flatten()?;
        Some((year, month, day))
    }

    /// Digits after the point, as microseconds.
    fn fraction(&mut self) -> Option<i64> {
        let digits = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = self.0.split_at(digits);
        self.0 = rest;
        let padded = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(6);
        (digits > 0).then(|| padded.fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0')))
    }

    /// Seconds that the zone is ahead of UTC.
    fn zone(&mut self) -> Option<i64> {
        self.take(b' ');
        if self.0.is_empty() || self.take(b'Z') || self.take(b'z') {
            return Some(0);
        }
        let sign = if self.take(b'-') { -1 } else { self.take(b'+').then_some(1)? };
        let hours = self.number(2)?;
        self.take(b':');
        let minutes = if self.0.is_empty() { 0 } else { self.number(2)? };
        (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = SECONDS_PER_DAY * MICROS_PER_SECOND;

    #[track_caller]
    fn check(text: &str, expect: Option<i64>) {
        assert_eq!(timestamp(text), expect, "{text:?}");
    }

    #[test]
    fn times_are_read_in_each_of_their_forms() {
        let flight = 1_357_016_400_000_000;
        check("1970-01-01", Some(0));
        check("2013-01-01T05:00:00Z", Some(flight));
        check("2013-01-01 05:00:00", Some(flight));
        check("2013-01-01 05:00", Some(flight));
        check("2013-01-01T00:00:00-05:00", Some(flight));
        check("2013-01-01T07:30:00+0230", Some(flight));
        check("2013-01-01 06:00:00 +01", Some(flight));
        check("2013-01-01T05:00:00.25z", Some(flight + 250_000));
        check("2013-01-01T05:00:00,123456789Z", Some(flight + 123_456));
        check("1969-12-31T23:59:59.999999Z", Some(-1));
        check("0000-01-01", Some(-719_528 * DAY));
        check("9999-12-31", Some(2_932_896 * DAY));
        check("2000-02-29", Some(11_016 * DAY));
    }

    #[test]
    fn what_is_no_time_is_none() {
        let junk = [
            "",
            "2013",
            "2013-1-1",
            "2013-13-01",
            "2013-00-10",
            "2013-02-29",
            "1900-02-29",
            "2013-04-31",
            "2013-01-01T",
            "2013-01-01T24:00",
            "2013-01-01T05:60",
            "20130101",
            "2013-01-01T05:00:60",
            "2013-01-01T05:00:00.",
            "2013-01-01T05:00:00+",
            "+2013-01-01",
            "2013-01-01T05:00:00Zx",
            "2013-01-01T05:00:00+25:00",
            "2013-01-01x",
            "NA",
            "2013-01-0é",
        ];
        for text in junk {
            check(text, None);
        }
    }

    #[test]
    fn a_zone_may_move_the_day() {
        assert_eq!(date("1970-01-02"), Some(1));
        assert_eq!(date("1970-01-02T00:30:00+01:00"), Some(0));
        assert_eq!(date("1969-12-31T23:00:00-02:00"), Some(0));
        assert_eq!(date("1969-12-31"), Some(-1));
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut expect = days_from_civil(1599, 12, 31).unwrap();
        for year in 1600..2401 {
            for month in 1..=12 {
                for day in (1..=31).filter(|day| days_from_civil(year, month, *day).is_some()) {
                    expect += 1;
                    assert_eq!(days_from_civil(year, month, day), Some(expect));
                }
            }
        }
        assert_eq!(expect, days_from_civil(2400, 12, 31).unwrap());
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[0-9TZ :.+-]{0,32}") {
            let _ = (timestamp(&text), date(&text));
        }
    }
}
