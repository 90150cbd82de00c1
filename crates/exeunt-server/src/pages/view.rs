//! The pages as text.
//!
//! Owns what each template is given and nothing of when it is shown. Whatever is printed goes through askama's
//! escaping; no template has a `safe` filter. It never reads a request and never decides.

mod account;
pub(crate) mod admin;

use askama::Template;
use exeunt::Timestamp;

pub(crate) use self::account::{Account, account};
use super::words::Words;
use crate::calendar;

/// Whom a signed-in page is shown to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Viewer<'a> {
    /// The user's name, as typed at registration.
    pub(crate) name: &'a str,
    /// The public name of the session (its `sid`). A page restored by the Back button is shown again only while
    /// `/api/session` still answers with this one: one user's page must not reappear under the next user's session.
    pub(crate) session: &'a str,
    /// Where to ask for the page again; `None`: at its own address. A page that answers a form has one that it is shown at.
    pub(crate) again: Option<&'a str>,
}

/// One of the two forms of the home page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Signing in.
    SignIn,
    /// Registering.
    Register,
}

/// What was wrong with a form that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem<'a> {
    /// The form it was.
    pub(crate) form: Form,
    /// What to tell the person.
    pub(crate) text: &'a str,
    /// The name that was typed, kept in the field. The password never is.
    pub(crate) username: &'a str,
}

/// What the home page of somebody who is not signed in depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignedOut<'a> {
    /// Whether the registration form is there.
    pub(crate) registration_open: bool,
    /// The least number of characters of a new password.
    pub(crate) password_chars_min: usize,
    /// Where to go after signing in: a place that was already found to be good.
    pub(crate) return_to: Option<&'a str>,
    /// What stands above the forms, or in one of them.
    pub(crate) said: Said<'a>,
}

/// What the home page says to somebody who is not signed in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said<'a> {
    /// How things stand with them.
    State(&'a str),
    /// What was wrong with the form just sent. Of a session nothing is said: one may still be open.
    Problem(Problem<'a>),
}

impl<'a> Said<'a> {
    fn problem(self, form: Form) -> Option<Problem<'a>> {
        match self {
            Self::Problem(problem) if problem.form == form => Some(problem),
            _ => None,
        }
    }
}

/// One line of the list of sessions.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    /// Its public name.
    pub(crate) sid: String,
    /// The device in words.
    pub(crate) device: String,
    /// The network address.
    pub(crate) address: String,
    /// When the session began.
    pub(crate) started: Moment,
    /// When it was last used.
    pub(crate) seen: Moment,
    /// Whether it is the one that is looking.
    pub(crate) current: bool,
}

/// One line of the audit trail, as a user is told it.
#[derive(Clone, Debug)]
pub(crate) struct TrailLine {
    /// When.
    pub(crate) at: Moment,
    /// What was done, in words.
    pub(crate) text: String,
}

/// A moment as a page shows it, in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// For machines: `2026-11-21T07:44:09Z`.
    pub(crate) iso: String,
    /// For people: `2026-11-21 07:44 UTC`.
    pub(crate) text: String,
}

impl Moment {
    /// A moment; one beyond the calendar is shown as the calendar's end.
    #[must_use]
    pub(crate) fn of(moment: Timestamp) -> Self {
        let moment = calendar::at(moment);
        Self {
            iso: moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            text: moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        }
    }
}

/// What a notice offers as the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    /// A link to the home page.
    Home,
    /// A link to the account page.
    Account,
    /// A link to the pages of administration.
    Admin,
    /// A button that tries to sign out once more, at this path.
    SignOutAgain(&'a str),
}

/// The home page of somebody who is not signed in.
#[must_use]
pub(crate) fn home_signed_out(words: &'static Words, page: &SignedOut<'_>) -> String {
    let state = match page.said {
        Said::State(state) => Some(state),
        Said::Problem(_) => None,
    };
    show(
        words,
        &SignedOutPage {
            words,
            title: words.sign_in_title,
            return_to: page.return_to,
            state,
            sign_in: page.said.problem(Form::SignIn),
            register: page.said.problem(Form::Register),
            registration_open: page.registration_open,
            password_chars_min: page.password_chars_min,
            password_hint: (words.password_hint)(page.password_chars_min),
        },
    )
}

/// The home page of a user.
#[must_use]
pub(crate) fn home_signed_in(words: &'static Words, viewer: &Viewer<'_>) -> String {
    show(words, &SignedInPage { words, title: words.home_title, viewer })
}

/// The question before a sign-out that another site asked for; `action` is the path that its button goes to.
#[must_use]
pub(crate) fn confirm_logout(words: &'static Words, action: &str) -> String {
    show(words, &ConfirmPage { words, title: words.confirm_title, action })
}

/// A page that says one thing.
#[must_use]
pub(crate) fn notice(words: &'static Words, title: &str, text: &str, next: Next<'_>) -> String {
    let (path, name) = match next {
        Next::Home => ("/", words.to_home),
        Next::Account => ("/account", words.to_account),
        Next::Admin => ("/admin", words.of_account.to_admin),
        Next::SignOutAgain(path) => (path, words.sign_out_again),
    };
    let is_button = matches!(next, Next::SignOutAgain(_));
    show(words, &NoticePage { words, title, text, path, name, is_button })
}

fn show(words: &Words, page: &impl Template) -> String {
    page.render().unwrap_or_else(|_| words.unwritten.to_owned())
}

#[derive(Template)]
#[template(path = "home_signed_out.html")]
struct SignedOutPage<'a> {
    words: &'static Words,
    title: &'a str,
    return_to: Option<&'a str>,
    state: Option<&'a str>,
    sign_in: Option<Problem<'a>>,
    register: Option<Problem<'a>>,
    registration_open: bool,
    password_chars_min: usize,
    password_hint: String,
}

#[derive(Template)]
#[template(path = "home_signed_in.html")]
struct SignedInPage<'a> {
    words: &'static Words,
    title: &'a str,
    viewer: &'a Viewer<'a>,
}

#[derive(Template)]
#[template(path = "confirm_logout.html")]
struct ConfirmPage<'a> {
    words: &'static Words,
    title: &'a str,
    action: &'a str,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    words: &'static Words,
    title: &'a str,
    text: &'a str,
    /// Where the next step leads, and what it is called.
    path: &'a str,
    name: &'a str,
    /// Whether it does something, and so is a button and no link.
    is_button: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::{ENGLISH, PORTUGUESE};

    const ANA: Viewer<'static> = Viewer { name: "Ana <b>&\"'", session: "s_1", again: None };
    const OUT: SignedOut<'static> =
        SignedOut { registration_open: true, password_chars_min: 8, return_to: None, said: Said::State("Out.") };

    fn row(device: &str, current: bool) -> SessionRow {
        let at = Moment::of(Timestamp::from_micros(1_795_247_049_000_000));
        let (sid, address) = (format!("sid-of-{device}"), "::1".to_owned());
        SessionRow { sid, device: device.to_owned(), address, started: at.clone(), seen: at, current }
    }

    fn list(words: &'static Words, sessions: Vec<SessionRow>) -> String {
        let (trail, notice, problem) = (Vec::new(), None, None);
        account(
            words,
            &Account { viewer: ANA, sessions, trail, notice, problem, is_admin: false, password_chars_min: 8 },
        )
    }

    /// Every page, with the session it is bound to where it is.
    fn all(words: &'static Words) -> Vec<(String, bool)> {
        vec![
            (home_signed_out(words, &OUT), false),
            (home_signed_in(words, &ANA), true),
            (list(words, vec![row("curl", true)]), true),
            (confirm_logout(words, "/logout"), false),
            (notice(words, words.busy_title, words.busy_text, Next::Home), false),
            (
                notice(words, words.not_signed_out_title, words.not_signed_out_text, Next::SignOutAgain("/logout")),
                false,
            ),
        ]
    }

    #[test]
    fn every_page_is_whole_and_needs_nothing_inline() {
        for words in [&ENGLISH, &PORTUGUESE] {
            for (page, watched) in all(words) {
                assert!(page.starts_with("<!doctype html>"), "{page}");
                assert!(page.trim_end().ends_with("</html>"), "{page}");
                assert!(page.contains(&format!("lang=\"{}\"", words.lang)), "{page}");
                assert_eq!(page.matches("<h1").count(), 1, "{page}");
                assert_eq!(page.contains("<script src=\"/exeunt.js\" defer></script>"), watched, "{page}");
                assert_eq!(page.contains("data-session=\"s_1\""), watched, "{page}");
                for inline in [" style=", "<style", " onclick=", "javascript:"] {
                    assert!(!page.contains(inline), "{inline} in {page}");
                }
            }
        }
    }

    #[test]
    fn the_home_page_says_so_in_both_languages() {
        assert!(home_signed_out(&ENGLISH, &OUT).contains("<title>Sign in · Home page · Exeunt</title>"));
        for words in [&ENGLISH, &PORTUGUESE] {
            assert!(home_signed_out(words, &OUT).contains("Home page"));
            assert!(home_signed_in(words, &ANA).contains("Home page"));
        }
    }

    #[test]
    fn what_people_type_is_escaped() {
        let page = home_signed_in(&ENGLISH, &ANA);
        assert!(page.contains("Ana &#60;b&#62;&#38;&#34;&#39;"), "{page}");
        let said = Said::Problem(Problem { form: Form::SignIn, text: "no", username: "\"><script>" });
        let page = home_signed_out(&ENGLISH, &SignedOut { said, return_to: Some("/a\"b"), ..OUT });
        assert!(!page.contains("<script>") && !page.contains("/a\"b"), "{page}");
        assert!(page.contains("name=\"return_to\" value=\"/a&#34;b\""), "{page}");
        assert!(!list(&ENGLISH, vec![row("<i>", false)]).contains("<i>"));
    }

    #[test]
    fn a_problem_belongs_to_its_form_and_keeps_the_name() {
        let problem = Problem { form: Form::Register, text: ENGLISH.name_taken, username: "zoé" };
        let page = home_signed_out(&ENGLISH, &SignedOut { said: Said::Problem(problem), ..OUT });
        assert!(page.contains("role=\"alert\" id=\"register-problem\""), "{page}");
        assert!(page.contains("action=\"/register\" aria-describedby=\"register-problem\""), "{page}");
        assert!(!page.contains("sign-in-problem"), "{page}");
        assert_eq!(page.matches("value=\"zoé\"").count(), 1, "{page}");
        assert!(!home_signed_out(&ENGLISH, &OUT).contains("role=\"alert\""));
    }

    #[test]
    fn registration_is_offered_only_where_it_is_open() {
        assert!(home_signed_out(&ENGLISH, &OUT).contains("action=\"/register\""));
        assert!(home_signed_out(&ENGLISH, &OUT).contains("At least 8 characters."));
        let closed = home_signed_out(&ENGLISH, &SignedOut { registration_open: false, ..OUT });
        assert!(!closed.contains("/register") && !closed.contains("return_to"), "{closed}");
    }

    #[test]
    fn the_list_counts_in_words_and_marks_one() {
        let page = list(&ENGLISH, vec![row("Firefox on Linux", true), row("curl", false)]);
        assert!(page.contains("Two sessions are open."), "{page}");
        assert_eq!(page.matches("this session").count(), 1, "{page}");
        assert!(page.contains("<time datetime=\"2026-11-21T07:44:09Z\">2026-11-21 07:44 UTC</time>"), "{page}");
        assert_eq!((PORTUGUESE.session_count)(10), "Dez sessões estão abertas.");
        assert_eq!((PORTUGUESE.session_count)(1), "Uma sessão está aberta.");
        assert_eq!((ENGLISH.session_count)(11), "11 sessions are open.");
    }

    #[test]
    fn only_a_failed_sign_out_offers_another() {
        let failed = notice(
            &ENGLISH,
            ENGLISH.not_signed_out_title,
            ENGLISH.not_signed_out_text,
            Next::SignOutAgain("/logout?a"),
        );
        assert!(failed.contains("You are NOT signed out") && failed.contains("action=\"/logout?a\""), "{failed}");
        let wait = (PORTUGUESE.too_many_text)(1);
        let page = notice(&PORTUGUESE, PORTUGUESE.too_many_title, &wait, Next::Home);
        assert!(page.contains("Espere 1 segundo e tente") && !page.contains("/logout"), "{page}");
    }

    #[test]
    fn moments_stay_within_the_calendar() {
        assert_eq!(Moment::of(Timestamp::from_micros(-1)).iso, "1969-12-31T23:59:59Z");
        assert!(Moment::of(Timestamp::from_micros(i64::MAX)).text.starts_with("9999-"));
        assert!(Moment::of(Timestamp::from_micros(i64::MIN)).text.ends_with("UTC"));
    }
}
