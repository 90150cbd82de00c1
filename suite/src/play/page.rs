//! Reads pages as far as a browser must to go on: forms, and where an answer leads.
//!
//! Owns that little understanding of HTML. It asks nothing.

use crate::http::Answer;

/// Where an answer leads, if a browser goes on by itself.
pub(super) enum Next {
    /// To a path of this site.
    Get(String),
    /// By a form that its page submits without being asked: its action and its fields.
    Post(String, Vec<(String, String)>),
}

/// What a browser does with an answer of `host`; `None`: it shows it, or leaves for another site.
pub(super) fn next(answer: &Answer, host: &str) -> Option<Next> {
    if matches!(answer.status, 301..=303) {
        let to = path(answer.field("Location")?, host);
        return to.starts_with('/').then_some(Next::Get(to));
    }
    let submits_itself = answer.status == 200 && answer.body.contains(".submit()");
    let to = submits_itself.then(|| action(&answer.body)).flatten()?;
    Some(Next::Post(path(&to, host), inputs(&answer.body)))
}

/// An address without its origin, where that is this one.
pub(super) fn path(to: &str, host: &str) -> String {
    to.strip_prefix(&format!("http://{host}")).unwrap_or(to).to_owned()
}

/// A parameter of an address.
pub(super) fn parameter(to: &str, name: &str) -> Option<String> {
    let (_, query) = to.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).map(ToOwned::to_owned)
}

/// Where the first form of a page is sent.
pub(super) fn action(body: &str) -> Option<String> {
    attribute(tags(body, "<form").next()?, "action")
}

/// The value of a hidden field.
pub(super) fn input(body: &str, name: &str) -> Option<String> {
    inputs(body).into_iter().find(|(of, _)| of == name).map(|(_, value)| value)
}

/// Names and values of all fields.
fn inputs(body: &str) -> Vec<(String, String)> {
    let value = |tag| attribute(tag, "value").unwrap_or_default();
    tags(body, "<input").filter_map(|tag| Some((attribute(tag, "name")?, value(tag)))).collect()
}

fn tags<'a>(body: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    body.split(name).skip(1).map(|rest| rest.split('>').next().unwrap_or_default())
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    Some(value.split('"').next()?.replace("&quot;", "\"").replace("&#x27;", "'").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Answer {
        Answer { status: 200, body: body.to_owned(), ..Answer::default() }
    }

    fn led(to: &str) -> Answer {
        Answer { status: 303, fields: vec![("Location".to_owned(), to.to_owned())], body: String::new() }
    }

    #[test]
    fn a_browser_goes_on_within_the_site_and_no_further() {
        assert!(matches!(next(&led("/there"), "h:1"), Some(Next::Get(to)) if to == "/there"));
        assert!(matches!(next(&led("http://h:1/there"), "h:1"), Some(Next::Get(to)) if to == "/there"));
        assert!(next(&led("https://app.example/callback?code=1"), "h:1").is_none());
        assert!(next(&page("<p>read me"), "h:1").is_none());
    }

    #[test]
    fn only_a_form_that_submits_itself_is_submitted() {
        let form = r#"<form method="post" action="/end"><input type="hidden" name="a" value="1&amp;2"/></form>"#;
        assert!(next(&page(form), "h:1").is_none());
        let itself = format!("<script>document.forms[0].submit()</script>{form}");
        let Some(Next::Post(to, fields)) = next(&page(&itself), "h:1") else { panic!("it is submitted") };
        assert_eq!((&*to, &*fields), ("/end", &[("a".to_owned(), "1&2".to_owned())][..]));
    }

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        assert_eq!(parameter("https://a.example/c?encode=1&code=2", "code").as_deref(), Some("2"));
        assert_eq!(parameter("https://a.example/c", "code"), None);
    }
}
