//! Which language a page speaks.
//!
//! Owns the reading of `Accept-Language` (RFC 9110 section 12.5.4). It never refuses a request: what it cannot read
//! counts for nothing, and who asks for nothing we speak gets English.

use super::words::{ENGLISH, PORTUGUESE, Words};

/// The most items of a header that are looked at; browsers send fewer than ten.
const ITEMS_MAX: usize = 16;

/// The weight of an item that does not name one, in thousandths.
const WEIGHT_FULL: u16 = 1000;

/// A language the pages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// English, also for whoever asks for neither.
    English,
    /// Brazilian Portuguese, for every kind of Portuguese.
    Portuguese,
}

impl Language {
    /// The language the header likes best; of two it likes equally, the one it names first.
    #[must_use]
    pub(crate) fn preferred(accept_language: Option<&str>) -> Self {
        let mut best = (Self::English, 0);
        for (language, weight) in accept_language.unwrap_or("").split(',').take(ITEMS_MAX).filter_map(item) {
            if weight > best.1 {
                best = (language, weight);
            }
        }
        best.0
    }

    /// The texts in this language.
    #[must_use]
    pub(crate) fn words(self) -> &'static Words {
        match self {
            Self::English => &ENGLISH,
            Self::Portuguese => &PORTUGUESE,
        }
    }
}

/// One item of the header, if it is well formed and names a language of ours.
fn item(text: &str) -> Option<(Language, u16)> {
    let (range, weight) = match text.split_once(';') {
        Some((range, parameter)) => (range, weight(parameter)?),
        None => (text, WEIGHT_FULL),
    };
    let range = range.trim();
    let primary = range.split_once('-').map_or(range, |(primary, _)| primary);
    if primary.eq_ignore_ascii_case("pt") {
        Some((Language::Portuguese, weight))
    } else if primary.eq_ignore_ascii_case("en") || range == "*" {
        Some((Language::English, weight))
    } else {
        None
    }
}

/// `q=0.8` in thousandths; at most three digits after the point and at most one in all, as the grammar has it.
fn weight(parameter: &str) -> Option<u16> {
    let parameter = parameter.trim();
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(WEIGHT_FULL),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferred(header: &str) -> Language {
        Language::preferred(Some(header))
    }

    #[test]
    fn browsers_are_understood() {
        assert_eq!(preferred("pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7"), Language::Portuguese);
        assert_eq!(preferred("pt-PT, pt;q=0.8, en;q=0.5"), Language::Portuguese);
        assert_eq!(preferred("en-US,en;q=0.5"), Language::English);
        assert_eq!(preferred("en-GB,en;q=0.9,pt;q=0.8"), Language::English);
        assert_eq!(preferred("PT"), Language::Portuguese);
    }

    #[test]
    fn the_higher_weight_wins_and_then_the_first_place() {
        assert_eq!(preferred("en;q=0.5, pt;q=0.6"), Language::Portuguese);
        assert_eq!(preferred("pt;q=0.6, en;q=0.601"), Language::English);
        assert_eq!(preferred("pt,en"), Language::Portuguese);
        assert_eq!(preferred("en,pt"), Language::English);
        assert_eq!(preferred("en ; q=0.2 , pt ; Q=1.000"), Language::Portuguese);
    }

    #[test]
    fn zero_means_no() {
        assert_eq!(preferred("pt;q=0"), Language::English);
        assert_eq!(preferred("en;q=0, pt;q=0.001"), Language::Portuguese);
    }

    #[test]
    fn others_are_passed_over() {
        assert_eq!(preferred("fr, de;q=0.9, pt;q=0.1"), Language::Portuguese);
        assert_eq!(preferred("fr"), Language::English);
        assert_eq!(preferred("fr, *;q=0.5"), Language::English);
        assert_eq!(preferred("ptx, x-pt"), Language::English);
    }

    #[test]
    fn nothing_and_nonsense_are_english() {
        assert_eq!(Language::preferred(None), Language::English);
        for header in ["", ",", ";", "*", ";q=1", "pt;q", "pt;q=", "pt;q=2", "pt;q=1.001", "pt;q=0.1234", "pt;q=-1"] {
            assert_eq!(preferred(header), Language::English, "{header:?}");
        }
        assert_eq!(preferred("pt;q=é, pt;q=+1, \u{202E}"), Language::English);
    }

    #[test]
    fn a_long_header_is_not_read_to_its_end() {
        assert_eq!(preferred(&("fr,".repeat(ITEMS_MAX - 1) + "pt")), Language::Portuguese);
        assert_eq!(preferred(&("fr,".repeat(ITEMS_MAX) + "pt")), Language::English);
    }
}
