//! How a moment is written and read: RFC 3339, in UTC.
//!
//! Owns the arithmetic of the calendar. It asks no clock what time it is, and knows nobody's zone.

use exeunt::Timestamp;

/// Seconds of a day, as every clock here counts them: without leap seconds.
pub(crate) const DAY_S: u32 = 24 * 60 * 60;

/// From 0000-03-01, where the arithmetic begins, to 1970-01-01.
const DAYS_BEFORE: u32 = 719_468;

/// Days of 400 years, after which the calendar repeats itself.
const DAYS_OF_400_YEARS: u32 = 146_097;

/// Days of a century that does not end with the day that a 400th year has more.
const DAYS_OF_A_CENTURY: u32 = 36_524;

/// Days of four years that do not end with a leap day.
const DAYS_OF_FOUR_YEARS: u32 = 1_460;

/// Days of a year without a leap day.
const DAYS_OF_A_YEAR: u32 = 365;

/// From March on, each five months have so many days.
const DAYS_OF_FIVE_MONTHS: u32 = 153;

/// A time as it is shown.
pub(crate) fn time(moment: Timestamp) -> String {
    at(moment).to_string()
}

/// A time of RFC 3339 since 1970; `None`: the text is none.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let at = text.parse::<jiff::Timestamp>().ok().filter(|at| *at >= jiff::Timestamp::UNIX_EPOCH)?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}

/// A moment in the calendar; one beyond it, which comes from no clock of ours, is the calendar's end.
pub(crate) fn at(moment: Timestamp) -> jiff::Timestamp {
    let end = if moment.as_micros() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(moment.as_micros()).unwrap_or(end)
}

/// As [`time`] writes it: a moment in whole seconds from 1970 to 2105, as all are that memory keeps; `None`: it is no such moment. Two of
/// them stand in every answer to a check, and to have them written by a calendar that knows all others takes longer than to look the session
/// up.
pub(crate) fn whole_seconds(moment: Timestamp) -> Option<[u8; 20]> {
    let seconds = u32::try_from(moment.as_secs()).ok().filter(|_| moment.as_micros() % 1_000_000 == 0)?;
    // Years are counted from March, so that the day that some of them lack is their last.
    let days = seconds / DAY_S + DAYS_BEFORE;
    let (periods, within) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let leap_days = within / DAYS_OF_FOUR_YEARS - within / DAYS_OF_A_CENTURY + within / (DAYS_OF_400_YEARS - 1);
    let year = (within - leap_days) / DAYS_OF_A_YEAR;
    let day = within - (DAYS_OF_A_YEAR * year + year / 4 - year / 100);
    let month = (5 * day + 2) / DAYS_OF_FIVE_MONTHS;
    let day = day - (DAYS_OF_FIVE_MONTHS * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = 400 * periods + year + u32::from(month <= 2);
    let clock = [seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60];
    let mut text = *b"0000-00-00T00:00:00Z";
    for (place, two) in
        [0, 2, 5, 8, 11, 14, 17].into_iter().zip([year / 100, year % 100, month, day].into_iter().chain(clock))
    {
        text[place] += u8::try_from(two / 10).unwrap_or_default();
        text[place + 1] += u8::try_from(two % 10).unwrap_or_default();
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_and_second_is_written_as_the_calendar_writes_it() {
        let must_agree = |micros: i64| {
            let at = Timestamp::from_micros(micros);
            let text = whole_seconds(at).unwrap_or_else(|| panic!("{micros}"));
            assert_eq!(std::str::from_utf8(&text).expect("text"), time(at));
        };
        let days = i64::from(u32::MAX) / 86_400;
        for day in 0..days {
            must_agree((day * 86_400 + (day * 7_919).rem_euclid(86_400)) * 1_000_000);
        }
        for second in 0..86_400 {
            must_agree((1_800_000_000 + second) * 1_000_000);
        }
        for second in [0, i64::from(u32::MAX)] {
            must_agree(second * 1_000_000);
        }
        for micros in [-1_000_000, -1, 1, 999_999, (i64::from(u32::MAX) + 1) * 1_000_000, i64::MAX, i64::MIN] {
            assert_eq!(whole_seconds(Timestamp::from_micros(micros)), None, "{micros}");
        }
    }

    #[test]
    fn what_lies_beyond_the_calendar_is_its_end() {
        assert_eq!(at(Timestamp::from_micros(i64::MAX)), jiff::Timestamp::MAX);
        assert_eq!(at(Timestamp::from_micros(i64::MIN)), jiff::Timestamp::MIN);
        assert_eq!(time(Timestamp::from_micros(-1)), "1969-12-31T23:59:59.999999Z");
    }
}
