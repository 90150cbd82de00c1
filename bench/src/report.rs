//! How numbers become lines.
//!
//! Owns the one function that prints, and the arithmetic of medians and goals.

/// Writes lines for the person at the terminal, as soon as they are known.
#[expect(clippy::print_stdout, reason = "a benchmark's answer is for the terminal")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// A count as a number to divide by or with.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// The middle one; of an even number the upper of the two.
pub(crate) fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A whole number with its thousands apart.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a goal is met, in one word.
pub(crate) const fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}
