//! Reads `time` strictly: `2022-06-13 17:54:10.137992 -0300 -03 m=+19746.016009415`.
//!
//! Owns the grammar of the seed's samples: five words, one space between; up to nine digits of fraction, the last of
//! them not zero; the abbreviation, or the numeric hour; the seconds since the start with nine digits.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// A `time`, read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Time {
    pub(super) at: Timestamp,
    pub(super) since_start_ns: i128,
}

pub(super) fn parse(text: &str) -> Result<Time, String> {
    let words: Vec<&str> = text.split(' ').collect();
    let [date, clock, offset, zone, monotonic] = words[..] else { return Err("five words".to_owned()) };
    let (seconds, fraction) = match clock.split_once('.') {
        None => (clock, ""),
        Some((_, fraction)) if fraction.is_empty() || fraction.len() > 9 || fraction.ends_with('0') => {
            return Err("one to nine digits, the last not zero".to_owned());
        }
        Some(parts) => parts,
    };
    expect("a date", shape(date) == "0000-00-00")?;
    expect("a time of day", shape(seconds) == "00:00:00")?;
    expect("digits", fraction.bytes().all(|byte| byte.is_ascii_digit()))?;
    expect("an offset", ["+0000", "-0000"].contains(&&*shape(offset)))?;
    expect("a zone", is_zone(zone, offset))?;
    let civil: DateTime = format!("{date}T{clock}").parse().map_err(|error| format!("{error}"))?;
    let at = seconds_of(offset)?.to_timestamp(civil).map_err(|error| format!("{error}"))?;
    Ok(Time { at, since_start_ns: since_start(monotonic)? })
}

/// The text with every digit as zero.
fn shape(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}

fn expect(what: &str, is_so: bool) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(format!("{what} is expected")) }
}

/// An abbreviation in letters, or, where the zone has none, the offset's hour and any minutes.
fn is_zone(zone: &str, offset: &str) -> bool {
    let letters = (3..=5).contains(&zone.len()) && zone.bytes().all(|byte| byte.is_ascii_uppercase());
    letters || zone == offset || (offset.ends_with("00") && zone.len() == 3 && offset.starts_with(zone))
}

fn seconds_of(offset: &str) -> Result<Offset, String> {
    let number = |digits: &str| digits.parse::<i32>().map_err(|error| error.to_string());
    let seconds = number(&offset[1..3])? * 3_600 + number(&offset[3..5])? * 60;
    let signed = if offset.starts_with('-') { -seconds } else { seconds };
    Offset::from_seconds(signed).map_err(|error| error.to_string())
}

fn since_start(text: &str) -> Result<i128, String> {
    let wrong = || "m=+ and seconds with nine digits".to_owned();
    let (whole, fraction) = text.strip_prefix("m=+").and_then(|rest| rest.split_once('.')).ok_or_else(wrong)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = whole == "0" || !whole.starts_with('0');
    if !(digits(whole) && canonical && digits(fraction) && fraction.len() == 9) {
        return Err(wrong());
    }
    format!("{whole}{fraction}").parse().map_err(|_| wrong())
}

#[test]
fn the_seeds_form_is_read_and_its_neighbours_are_not() {
    let sample = "2022-06-13 17:54:10.137992 -0300 -03 m=+19746.016009415";
    let read = parse(sample).expect("the seed's");
    assert_eq!(read.at.to_string(), "2022-06-13T20:54:10.137992Z");
    assert_eq!(read.since_start_ns, 19_746_016_009_415);
    for right in [
        "2022-06-13 17:54:10 +0000 UTC m=+0.000000001",
        "2022-06-13 17:54:10.123456789 +0545 +0545 m=+1.000000000",
        "2022-06-13 17:54:10.5 +0200 CEST m=+1.000000000",
    ] {
        parse(right).unwrap_or_else(|fault| panic!("{fault}: {right}"));
    }
    for wrong in [
        "",
        "2022-06-13T17:54:10.137992 -0300 -03 m=+19746.016009415",
        "2022-06-13  17:54:10.137992 -0300 -03 m=+19746.016009415",
        "2022-06-13 17:54:10.137992 -0300 -03",
        "2022-06-13 17:54:10.137992 -0300 -03 m=+19746.016009415 ",
        "2022-06-13 17:54:10.1379920 -0300 -03 m=+19746.016009415",
        "2022-06-13 17:54:10. -0300 -03 m=+19746.016009415",
        "2022-06-13 17:54:10.1234567891 -0300 -03 m=+19746.016009415",
        "2022-06-13 17:54:10 -03:00 -03 m=+19746.016009415",
        "2022-06-13 17:54:10 -0300 -04 m=+19746.016009415",
        "2022-06-13 17:54:10 -0300 America/Sao_Paulo m=+19746.016009415",
        "2022-06-13 17:54:10 -0300 -03 m=19746.016009415",
        "2022-06-13 17:54:10 -0300 -03 m=+19746.01600941",
        "2022-06-13 17:54:10 -0300 -03 m=+019746.016009415",
        "2022-13-13 17:54:10 -0300 -03 m=+19746.016009415",
        "22-06-13 17:54:10 -0300 -03 m=+19746.016009415",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}
