//! What a `User-Agent` means to a person: "Firefox on Linux".
//!
//! Owns two short tables. It is a courtesy for the reader of a list, and nothing may be decided by it.

/// The first mark that is found counts: nearly all browsers claim to be Chrome, and Chrome claims to be Safari.
const BROWSERS: [(&str, &str); 5] =
    [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];

/// In the same manner: an iPhone is "like Mac OS X", and Android is a Linux.
const SYSTEMS: [(&str, &str); 6] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

pub(crate) fn describe(agent: &str) -> String {
    match (find(&BROWSERS, agent), find(&SYSTEMS, agent)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(known), None) | (None, Some(known)) => known.to_owned(),
        (None, None) => "Some program".to_owned(),
    }
}

fn find(table: &[(&str, &'static str)], agent: &str) -> Option<&'static str> {
    table.iter().find(|(mark, _)| agent.contains(mark)).map(|&(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn a_device_is_called_what_its_owner_calls_it() {
        let linux = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        assert_eq!(describe(linux), "Firefox on Linux");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile/15E148 Safari/604.1";
        assert_eq!(describe(phone), "Safari on iPhone");
        assert_eq!(describe("curl/8.5.0"), "Some program");
        assert_eq!(describe("<b>"), "Some program");
    }
}
