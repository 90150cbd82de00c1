//! The DirectLink API (seed B), against the seed's own sample answers.
//!
//! Owns the comparison: which fields, in which order, of which kind, with which constant values. The samples in
//! `tests/fixtures` are the seed's, byte for byte.

mod fields;
mod malformed;
mod refusals;
mod signing_in;
mod signing_out;
mod time;

use self::fields::Fields;
use crate::support::{Answer, Ask, TestApp};

pub(crate) const LOGIN: &str = "/directlink/v1/auth/login";
pub(crate) const LOGOUT: &str = "/directlink/v1/auth/logout";

const BASIC_200: &str = include_str!("../fixtures/logout_basic_200.json");
const BASIC_400: &str = include_str!("../fixtures/logout_basic_400.json");
const BASIC_401: &str = include_str!("../fixtures/logout_basic_401.json");
const BASIC_500: &str = include_str!("../fixtures/logout_basic_500.json");
const BEARER_200: &str = include_str!("../fixtures/logout_bearer_200.json");
const BEARER_400: &str = include_str!("../fixtures/logout_bearer_400.json");
const BEARER_401: &str = include_str!("../fixtures/logout_bearer_401.json");
const BEARER_500: &str = include_str!("../fixtures/logout_bearer_500.json");

/// The version that `apiver` names is this program's.
const APIVER: &str = concat!("v1 (", env!("CARGO_PKG_VERSION"), ")");

/// Asks with an empty body, as JSON.
fn post(app: &TestApp, path: &str) -> Ask {
    app.anon().post(path).json("")
}

/// The answer is the sample: the same fields in the same order, of the same kinds and with the same values, but for
/// `apiver`, which is ours, and `time`, which is now.
fn must_be_the_sample(answer: &Answer, sample: &str) -> Fields {
    assert_eq!(answer.one("content-type"), "application/json", "{answer:?}");
    answer.must_keep_the_cookie();
    assert_eq!(answer.one("cache-control"), "no-store");
    let (ours, seeds) = (Fields::of(answer.text()), Fields::of(sample));
    assert_eq!(ours.names(), seeds.names(), "the fields and their order: {answer:?}");
    for (name, expected) in seeds.iter() {
        let value = ours.get(name);
        match name {
            "time" => {
                time::parse(value.as_str().expect("a text")).unwrap_or_else(|fault| panic!("{fault}: {value}"));
            }
            "apiver" => assert_eq!(value, APIVER),
            _ => assert_eq!(value, expected, "{name}: {answer:?}"),
        }
    }
    ours
}

/// An error: the status, its standard phrase, the four fields of the seed and nothing else.
pub(crate) fn must_be_an_error(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    match status {
        400 => drop(must_be_the_sample(answer, BASIC_400)),
        401 => drop(must_be_the_sample(answer, BASIC_401)),
        500 => drop(must_be_the_sample(answer, BASIC_500)),
        _ => {
            let phrase = answer.status.canonical_reason().expect("a standard status");
            let sample = BASIC_400.replace("\"status\": 400", &format!("\"status\": {status}"));
            must_be_the_sample(answer, &sample.replace("Bad Request", phrase));
        }
    }
    assert_eq!(answer.has("www-authenticate"), status == 401, "{answer:?}");
}

#[test]
fn both_pages_of_the_seed_have_the_same_errors() {
    for (basic, bearer) in [(BASIC_400, BEARER_400), (BASIC_401, BEARER_401), (BASIC_500, BEARER_500)] {
        let (basic, bearer) = (Fields::of(basic), Fields::of(bearer));
        assert_eq!(basic.iter().collect::<Vec<_>>(), bearer.iter().collect::<Vec<_>>());
        assert_eq!(basic.names(), ["status", "description", "apiver", "time"], "the four fields");
    }
}

#[test]
fn the_samples_of_the_seed_are_read_as_they_stand() {
    let seeds = [BASIC_200, BASIC_400, BASIC_401, BASIC_500, BEARER_200, BEARER_400, BEARER_401, BEARER_500];
    for sample in seeds {
        let fields = Fields::of(sample);
        assert_eq!(fields.get("apiver"), "v1 (3.6.0)");
        time::parse(fields.get("time").as_str().expect("a text")).expect("the seed's form");
    }
}
