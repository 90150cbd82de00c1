//! The form of `time` in seed B: what Go prints of a moment that remembers the monotonic clock.
//!
//! Owns that form: local date and time, up to nine fractional digits with trailing zeros dropped, numeric offset, the
//! zone's abbreviation, and `m=+` with the seconds since the process started.

use std::time::Duration;

use jiff::Zoned;

/// `2022-06-13 17:54:10.137992 -0300 -03 m=+19746.016009415`
pub(super) fn of(now: &Zoned, since_start: Duration) -> String {
    let fraction = if now.subsec_nanosecond() == 0 { "" } else { "%.f" };
    let shown = now.strftime(&format!("%Y-%m-%d %H:%M:%S{fraction} %z %Z")).to_string();
    format!("{shown} m=+{}.{:09}", since_start.as_secs(), since_start.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    const SAO_PAULO: &str = "<-03>3";
    const PARIS: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    fn shown(zone: &str, nanoseconds: i128) -> String {
        // Spelled out, for the machine need not know any by its name.
        let zone = TimeZone::posix(zone).expect("a zone");
        let now = Timestamp::from_nanosecond(nanoseconds).expect("a moment").to_zoned(zone);
        of(&now, Duration::new(19_746, 16_009_415))
    }

    #[test]
    fn it_is_what_the_seed_prints() {
        let moment = 1_655_153_650_137_992_000;
        assert_eq!(
            shown(SAO_PAULO, moment),
            "2022-06-13 17:54:10.137992 -0300 -03 m=+19746.016009415",
            "the seed's first sample, with the numeric hour where the zone has no abbreviation"
        );
        assert_eq!(shown(PARIS, moment), "2022-06-13 22:54:10.137992 +0200 CEST m=+19746.016009415");
        assert_eq!(shown("UTC0", moment), "2022-06-13 20:54:10.137992 +0000 UTC m=+19746.016009415");
    }

    #[test]
    fn trailing_zeros_are_dropped() {
        assert_eq!(shown("UTC0", 1_655_153_650_000_000_000), "2022-06-13 20:54:10 +0000 UTC m=+19746.016009415");
        assert_eq!(shown("UTC0", 1_655_153_650_500_000_000), "2022-06-13 20:54:10.5 +0000 UTC m=+19746.016009415");
        assert_eq!(
            shown("UTC0", 1_655_153_650_000_000_001),
            "2022-06-13 20:54:10.000000001 +0000 UTC m=+19746.016009415"
        );
    }
}
