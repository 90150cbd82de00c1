//! What a `User-Agent` means to a person: "Firefox on Linux".
//!
//! Owns two tables of names. What it says is a courtesy for the reader of a list: the header is whatever the client
//! likes to send, and nothing may ever be decided by it.

use exeunt::Device;

use super::words::Words;

/// The most characters shown of a program that is not in the table.
const PROGRAM_CHARS_MAX: usize = 40;

/// Marks of browsers. The first that is found counts: nearly all claim to be Chrome, and Chrome claims to be Safari.
const BROWSERS: [(&str, &str); 21] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("OPX/", "Opera"),
    ("Opera", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("UCBrowser/", "UC Browser"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("Trident/", "Internet Explorer"),
    ("MSIE ", "Internet Explorer"),
];

/// Marks of systems, in the same manner: an iPhone is "like Mac OS X", and Android is a Linux.
const SYSTEMS: [(&str, &str); 13] = [
    ("Windows Phone", "Windows Phone"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("iPod", "iPod"),
    ("Android", "Android"),
    ("HarmonyOS", "HarmonyOS"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("KAIOS", "KaiOS"),
    ("Linux", "Linux"),
];

/// The device in words a person knows. How much it says of itself is cut where it is made.
#[must_use]
pub(crate) fn describe(device: &Device, words: &Words) -> String {
    let agent = device.agent();
    let program = first_product(agent);
    // Every browser says it is Mozilla; a program that does not is taken at its word.
    if program != "Mozilla" && program != "Opera" {
        return if program.is_empty() { words.unknown_device.to_owned() } else { program };
    }
    match (find(&BROWSERS, agent), find(&SYSTEMS, agent)) {
        (Some(browser), Some(system)) => (words.program_on)(browser, system),
        (Some(known), None) | (None, Some(known)) => known.to_owned(),
        (None, None) => program,
    }
}

/// The name of the first product (RFC 9110 section 10.1.5), which cannot hold anything but plain visible characters.
fn first_product(agent: &str) -> String {
    let name = |c: &char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(*c);
    agent.trim_start().chars().take_while(name).take(PROGRAM_CHARS_MAX).collect()
}

fn find(table: &[(&str, &'static str)], agent: &str) -> Option<&'static str> {
    table.iter().find(|(mark, _)| agent.contains(mark)).map(|&(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::{ENGLISH, PORTUGUESE};

    const MAC: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)";
    const WINDOWS: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)";
    const ANDROID: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)";
    const IPHONE: &str =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";

    fn describe(agent: &str, words: &Words) -> String {
        super::describe(&Device::new(agent, ""), words)
    }

    fn describes(system: &str, rest: &str) -> String {
        describe(&format!("{system} {rest}"), &ENGLISH)
    }

    #[test]
    fn browsers_on_computers() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        assert_eq!(describe(firefox, &ENGLISH), "Firefox on Linux");
        assert_eq!(describe(firefox, &PORTUGUESE), "Firefox no Linux");
        assert_eq!(describes(WINDOWS, "Chrome/126.0.0.0 Safari/537.36"), "Chrome on Windows");
        assert_eq!(describes(WINDOWS, "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.87"), "Edge on Windows");
        assert_eq!(describes(MAC, "Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0"), "Opera on macOS");
        assert_eq!(describes(MAC, "Version/17.5 Safari/605.1.15"), "Safari on macOS");
        let chromebook = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko)";
        assert_eq!(describes(chromebook, "Chrome/126.0.0.0 Safari/537.36"), "Chrome on ChromeOS");
        let explorer = "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko";
        assert_eq!(describe(explorer, &ENGLISH), "Internet Explorer on Windows");
        let presto = "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18";
        assert_eq!(describe(presto, &ENGLISH), "Opera on Windows");
    }

    #[test]
    fn browsers_in_hands() {
        assert_eq!(describes(IPHONE, "Version/17.5 Mobile/15E148 Safari/604.1"), "Safari on iPhone");
        assert_eq!(describes(IPHONE, "CriOS/126.0.6478.108 Mobile/15E148 Safari/604.1"), "Chrome on iPhone");
        assert_eq!(describes(IPHONE, "FxiOS/127.1 Mobile/15E148 Safari/605.1.15"), "Firefox on iPhone");
        assert_eq!(describes(IPHONE, "EdgiOS/126.0 Version/17.0 Mobile/15E148 Safari/604.1"), "Edge on iPhone");
        assert_eq!(describes(IPHONE, "Mobile/15E148"), "iPhone");
        assert_eq!(describes(ANDROID, "Chrome/126.0.0.0 Mobile Safari/537.36"), "Chrome on Android");
        let samsung = "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36";
        assert_eq!(describes(ANDROID, samsung), "Samsung Internet on Android");
        assert_eq!(describes(ANDROID, "Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/126.0.0.0"), "Edge on Android");
        let firefox = "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0";
        assert_eq!(describe(firefox, &ENGLISH), "Firefox on Android");
        let ipad = "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
        assert_eq!(describes(ipad, "Version/12.1.2 Mobile/15E148 Safari/604.1"), "Safari on iPad");
    }

    #[test]
    fn programs_are_called_by_their_name() {
        for (agent, name) in [
            ("curl/8.5.0", "curl"),
            ("Wget/1.21.4", "Wget"),
            ("python-requests/2.32.3", "python-requests"),
            ("okhttp/4.12.0", "okhttp"),
            ("node", "node"),
            ("Go-http-client/1.1", "Go-http-client"),
            ("PostmanRuntime/7.39.0", "PostmanRuntime"),
            ("MyApp/2 (Linux) Firefox/1", "MyApp"),
            ("Mozilla/5.0 (compatible; Nobody/1.0)", "Mozilla"),
        ] {
            assert_eq!(describe(agent, &ENGLISH), name);
        }
    }

    #[test]
    fn silence_and_noise_stay_short_and_plain() {
        assert_eq!(describe("", &ENGLISH), "Unknown device");
        assert_eq!(describe("  ", &PORTUGUESE), "Dispositivo desconhecido");
        assert_eq!(describe("\u{202E}evil", &ENGLISH), "Unknown device");
        assert_eq!(describe("<b>x</b>", &ENGLISH), "Unknown device");
        assert_eq!(describe(&"a".repeat(10_000), &ENGLISH), "a".repeat(PROGRAM_CHARS_MAX));
        assert_eq!(describe(&format!("Mozilla/{}Firefox/1", "é".repeat(10_000)), &ENGLISH), "Mozilla");
    }
}
