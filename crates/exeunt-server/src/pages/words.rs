//! Every word the pages say, in English and in Brazilian Portuguese.
//!
//! Owns the texts and their plurals. A text that is missing in one language does not compile. It never holds markup:
//! the templates do, and they escape what stands here. It never says that somebody is signed out when nobody knows.

pub(crate) mod account;
pub(crate) mod admin;
pub(crate) mod form;
pub(crate) mod trail;

use std::fmt::Display;

use self::account::AccountWords;
use self::admin::AdminWords;
use self::form::FormWords;
use self::trail::TrailWords;

/// The texts of all pages in one language.
#[derive(Debug)]
pub(crate) struct Words {
    /// The language, as `<html lang>` has it.
    pub(crate) lang: &'static str,
    /// The link that jumps over the header.
    pub(crate) skip: &'static str,
    /// The line at the foot of every page.
    pub(crate) footer: &'static str,
    /// What is said instead of a page that could not be written.
    pub(crate) unwritten: &'static str,

    /// The title of the home page; has the words `Home page` in every language.
    pub(crate) home_title: &'static str,
    /// The title of the home page of somebody who is not signed in; has the words `Home page`, too.
    pub(crate) sign_in_title: &'static str,
    /// The heading of the home page where both can be done.
    pub(crate) sign_in_or_register: &'static str,
    /// The name of the home page.
    pub(crate) home_heading: &'static str,
    /// What the home page says to somebody whose browser brings no session: it is so, and no link can make it untrue.
    pub(crate) home_signed_out: &'static str,
    /// The same where it brings one that is refused. Whether that is over everywhere is not known.
    pub(crate) home_not_accepted: &'static str,
    /// The same of somebody who came from a page that asks for it.
    pub(crate) home_on_the_way: &'static str,
    /// What stands before the user's name.
    pub(crate) signed_in_as: &'static str,
    /// The link to the account page.
    pub(crate) to_account: &'static str,
    /// The heading and the button of the sign-in form.
    pub(crate) sign_in: &'static str,
    /// The button that signs out.
    pub(crate) sign_out: &'static str,
    /// The heading of the registration form.
    pub(crate) register: &'static str,
    /// The button of the registration form.
    pub(crate) register_button: &'static str,
    /// The label of the field for the name.
    pub(crate) username: &'static str,
    /// The label of the field for the password.
    pub(crate) password: &'static str,
    /// What a new password needs: the least number of characters.
    pub(crate) password_hint: fn(usize) -> String,

    /// The title and the heading of the account page.
    pub(crate) account: &'static str,
    /// How many sessions are open.
    pub(crate) session_count: fn(usize) -> String,
    /// The mark on the session that is looking.
    pub(crate) this_session: &'static str,
    /// The column of devices.
    pub(crate) device: &'static str,
    /// The column of network addresses.
    pub(crate) address: &'static str,
    /// The column of beginnings.
    pub(crate) started: &'static str,
    /// The column of last requests.
    pub(crate) seen: &'static str,
    /// A device that did not say what it is.
    pub(crate) unknown_device: &'static str,
    /// A program and the system it runs on, in this order.
    pub(crate) program_on: fn(&str, &str) -> String,

    /// The title of the question before a sign-out that another site asked for.
    pub(crate) confirm_title: &'static str,
    /// Why we ask.
    pub(crate) confirm_text: &'static str,
    /// The link that declines.
    pub(crate) stay: &'static str,

    /// The button that tries to sign out once more.
    pub(crate) sign_out_again: &'static str,
    /// The link to the home page.
    pub(crate) to_home: &'static str,
    /// Signing out failed: the title.
    pub(crate) not_signed_out_title: &'static str,
    /// Signing out failed: what is known and what to do.
    pub(crate) not_signed_out_text: &'static str,
    /// The store is unreachable, in any other request: the title.
    pub(crate) unreachable_title: &'static str,
    /// The store is unreachable, in any other request: what to do.
    pub(crate) unreachable_text: &'static str,
    /// Over the limit: the title.
    pub(crate) too_many_title: &'static str,
    /// Over the limit: how many seconds to wait.
    pub(crate) too_many_text: fn(u64) -> String,
    /// No permit for hashing: the title.
    pub(crate) busy_title: &'static str,
    /// The page is for administrators: title.
    pub(crate) not_admin_title: &'static str,
    /// The page is for administrators: text.
    pub(crate) not_admin_text: &'static str,
    /// As many sessions as allowed are open: title.
    pub(crate) too_many_sessions_title: &'static str,
    /// As many sessions as allowed are open: text.
    pub(crate) too_many_sessions_text: &'static str,
    /// No permit for hashing: what to do.
    pub(crate) busy_text: &'static str,
    /// Another site made the request, or ours where no person saw it: an image, a frame, a script, a prefetch. The title.
    pub(crate) cross_site_title: &'static str,
    /// The same: what we did, which is nothing.
    pub(crate) cross_site_text: &'static str,
    /// Registration is closed: the title.
    pub(crate) closed_title: &'static str,
    /// Registration is closed: whom to ask.
    pub(crate) closed_text: &'static str,
    /// Two cookies of ours with different values: the title.
    pub(crate) two_cookies_title: &'static str,
    /// Two cookies of ours with different values: what to do.
    pub(crate) two_cookies_text: &'static str,
    /// A cookie and an `Authorization` field of two sessions: what to do.
    pub(crate) two_credentials_text: &'static str,
    /// An `Authorization` field that cannot be read: the title.
    pub(crate) unclear_title: &'static str,
    /// An `Authorization` field that cannot be read: what to do.
    pub(crate) unclear_text: &'static str,
    /// A method that an address does not know: the title.
    pub(crate) wrong_method_title: &'static str,
    /// A method that an address does not know: what may have happened.
    pub(crate) wrong_method_text: &'static str,
    /// A link that is incomplete or mistyped: the title.
    pub(crate) bad_link_title: &'static str,
    /// A link that is incomplete or mistyped: what to do.
    pub(crate) bad_link_text: &'static str,

    /// Wrong name or wrong password; never says which.
    pub(crate) wrong_credentials: &'static str,
    /// Somebody else has the name.
    pub(crate) name_taken: &'static str,
    /// The name is empty.
    pub(crate) name_empty: &'static str,
    /// The name has more characters than this.
    pub(crate) name_too_long: fn(usize) -> String,
    /// The name has control or invisible characters.
    pub(crate) name_control: &'static str,
    /// The name has a colon.
    pub(crate) name_colon: &'static str,
    /// The name begins or ends with a space.
    pub(crate) name_outer_space: &'static str,
    /// The password has fewer characters than this.
    pub(crate) password_too_short: fn(usize) -> String,
    /// The password has more bytes than this.
    pub(crate) password_too_long: fn(usize) -> String,
    /// The password has a control character.
    pub(crate) password_control: &'static str,
    /// The password is among the commonest, or little more than the user's name or ours.
    pub(crate) password_common: &'static str,

    /// A form that was not read.
    pub(crate) of_form: &'static FormWords,
    /// What the account page says besides.
    pub(crate) of_account: &'static AccountWords,
    /// The audit trail in words.
    pub(crate) of_trail: &'static TrailWords,
    /// The pages of administration.
    pub(crate) of_admin: &'static AdminWords,
}

/// The English texts.
pub(crate) static ENGLISH: Words = Words {
    lang: "en",
    skip: "Skip to the content",
    footer: "Exeunt: “they all leave”. When we say you are signed out, you are.",
    unwritten: "This page could not be written. Please try again.",

    home_title: "Home page",
    sign_in_title: "Sign in · Home page",
    sign_in_or_register: "Sign in or create an account",
    home_heading: "Home page",
    home_signed_out: "You are signed out.",
    home_not_accepted: "You are not signed in: the session of this browser is not accepted here any more.",
    home_on_the_way: "Sign in to go on to the page that you asked for.",
    signed_in_as: "You are signed in as",
    to_account: "Your sessions",
    sign_in: "Sign in",
    sign_out: "Sign out",
    register: "Create an account",
    register_button: "Create account",
    username: "Username",
    password: "Password",
    password_hint: |min| format!("At least {}.", count(min, "character", "characters")),

    account: "Your sessions",
    session_count: |n| match n {
        0 => "No session is open.".to_owned(),
        1 => "One session is open.".to_owned(),
        _ => format!("{} sessions are open.", number(n, &NUMBERS_ENGLISH)),
    },
    this_session: "this session",
    device: "Device",
    address: "Address",
    started: "Started",
    seen: "Last seen",
    unknown_device: "Unknown device",
    program_on: |program, system| format!("{program} on {system}"),

    confirm_title: "Sign out?",
    confirm_text: "Another site sent you here to sign you out. We have not done it: that is for you to decide.",
    stay: "Stay signed in",

    sign_out_again: "Try to sign out again",
    to_home: "Go to the home page",
    not_signed_out_title: "You are NOT signed out",
    not_signed_out_text: "We could not reach the place where sessions are kept, so we cannot promise that yours has \
                          ended. Treat it as still open: do not leave a shared computer yet. Wait a moment, then try \
                          again.",
    unreachable_title: "We cannot look right now",
    unreachable_text: "We could not reach the place where sessions are kept, so we cannot say whether anything was \
                       changed. Wait a moment, then try again.",
    too_many_title: "Too many attempts",
    too_many_text: |wait| format!("Please wait {}, then try again.", count(wait, "second", "seconds")),
    not_admin_title: "For administrators",
    not_admin_text: "This page is for administrators of this server.",
    too_many_sessions_title: "Too many sessions",
    too_many_sessions_text: "You have as many sessions as this server allows. Sign out somewhere else first, then try again.",
    busy_title: "Too busy right now",
    busy_text: "Too many people are signing in at once, and your turn has not come. Wait a moment, then try again.",
    cross_site_title: "Refused",
    cross_site_text: "This request did not come from a click or a form on this site, so we did nothing. If it was you, go \
                      to the home page and do it from there.",
    closed_title: "Registration is closed",
    closed_text: "New accounts cannot be created here. If you need one, ask the people who run this server.",
    two_cookies_title: "Two sessions at once",
    two_cookies_text: "Your browser sent two different session cookies. We will not guess which one is yours, so we \
                       accepted neither and ended neither. Clear this site’s cookies in your browser, then sign in again.",
    two_credentials_text: "Your browser sent a session cookie and an Authorization header of another session. We will not \
                           guess which one you mean, so we did nothing: if you were signed in, you still are. Switch off \
                           the extension or the proxy that adds the header, then try again.",
    unclear_title: "We could not read who you are",
    unclear_text: "Your browser sent an Authorization header or a cookie that we cannot read, so we did nothing: if you were \
                   signed in, you still are. Switch off the extension or the proxy that adds the header or changes the \
                   cookie, then try again.",
    wrong_method_title: "This address is not for that",
    wrong_method_text: "What your browser asked cannot be asked of this address, so we did nothing. Some addresses are only \
                        for a button on a page and cannot be opened by themselves.",
    bad_link_title: "This link leads nowhere",
    bad_link_text: "The address is incomplete or mistyped, so there is nothing to show, and nothing was done.",

    wrong_credentials: "The username or the password is wrong.",
    name_taken: "That username is taken. Please choose another.",
    name_empty: "Please enter a username.",
    name_too_long: |max| format!("The username is too long: at most {}.", count(max, "character", "characters")),
    name_control: "The username has invisible or control characters. Please leave them out.",
    name_colon: "The username cannot contain a colon (:).",
    name_outer_space: "The username cannot begin or end with a space.",
    password_too_short: |min| format!("The password is too short: at least {}.", count(min, "character", "characters")),
    password_too_long: |max| format!("The password is too long: at most {}.", count(max, "byte", "bytes")),
    password_control: "A password can have no control characters, such as a tab or a line break.",
    password_common: "That password is one of the most common, or little more than the username or the word exeunt: among \
                      the first that anyone would try. Please choose another.",

    of_form: &form::ENGLISH,
    of_account: &account::ENGLISH,
    of_trail: &trail::ENGLISH,
    of_admin: &admin::ENGLISH,
};

/// The Brazilian Portuguese texts.
pub(crate) static PORTUGUESE: Words = Words {
    lang: "pt-BR",
    skip: "Pular para o conteúdo",
    footer: "Exeunt: “todos saem de cena”. Quando dizemos que você saiu, você saiu mesmo.",
    unwritten: "Não foi possível gerar esta página. Tente novamente.",

    home_title: "Página inicial · Home page",
    sign_in_title: "Entrar · Página inicial · Home page",
    sign_in_or_register: "Entre ou crie uma conta",
    home_heading: "Página inicial",
    home_signed_out: "Você está desconectado.",
    home_not_accepted: "Você não está conectado: a sessão deste navegador não é mais aceita aqui.",
    home_on_the_way: "Entre para continuar até a página que você pediu.",
    signed_in_as: "Você entrou como",
    to_account: "Suas sessões",
    sign_in: "Entrar",
    sign_out: "Sair",
    register: "Criar uma conta",
    register_button: "Criar conta",
    username: "Nome de usuário",
    password: "Senha",
    password_hint: |min| format!("Pelo menos {}.", count(min, "caractere", "caracteres")),

    account: "Suas sessões",
    session_count: |n| match n {
        0 => "Nenhuma sessão está aberta.".to_owned(),
        1 => "Uma sessão está aberta.".to_owned(),
        _ => format!("{} sessões estão abertas.", number(n, &NUMBERS_PORTUGUESE)),
    },
    this_session: "esta sessão",
    device: "Dispositivo",
    address: "Endereço",
    started: "Início",
    seen: "Último acesso",
    unknown_device: "Dispositivo desconhecido",
    program_on: |program, system| format!("{program} no {system}"),

    confirm_title: "Quer sair?",
    confirm_text: "Outro site trouxe você até aqui para encerrar sua sessão. Não a encerramos: essa decisão é sua.",
    stay: "Continuar na sessão",

    sign_out_again: "Tentar sair de novo",
    to_home: "Ir para a página inicial",
    not_signed_out_title: "Você NÃO saiu",
    not_signed_out_text: "Não conseguimos acessar o lugar onde as sessões ficam guardadas; por isso, não podemos \
                          garantir que a sua foi encerrada. Considere que ela continua aberta: se o computador é \
                          compartilhado, não o deixe ainda. Espere um instante e tente de novo.",
    unreachable_title: "Não conseguimos verificar agora",
    unreachable_text: "Não conseguimos acessar o lugar onde as sessões ficam guardadas; por isso, não podemos dizer se \
                       algo foi alterado. Espere um instante e tente de novo.",
    too_many_title: "Tentativas demais",
    too_many_text: |wait| format!("Espere {} e tente de novo.", count(wait, "segundo", "segundos")),
    not_admin_title: "Para administradores",
    not_admin_text: "Esta página é para administradores deste servidor.",
    too_many_sessions_title: "Sessões demais",
    too_many_sessions_text: "Você já tem tantas sessões quantas este servidor permite. Saia de outro lugar primeiro e tente de novo.",
    busy_title: "Muito movimento agora",
    busy_text: "Há gente demais entrando ao mesmo tempo, e a sua vez ainda não chegou. Espere um instante e tente de \
                novo.",
    cross_site_title: "Pedido recusado",
    cross_site_text: "Este pedido não partiu de um clique nem de um formulário deste site; por isso, não fizemos nada. Se \
                      foi você, vá para a página inicial e repita o pedido por lá.",
    closed_title: "O cadastro está fechado",
    closed_text: "Não é possível criar novas contas aqui. Se você precisa de uma, fale com quem cuida deste servidor.",
    two_cookies_title: "Duas sessões ao mesmo tempo",
    two_cookies_text: "Seu navegador enviou dois cookies de sessão diferentes. Não vamos adivinhar qual é o seu; por \
                       isso, não aceitamos nem encerramos nenhum. Apague os cookies deste site no navegador e entre \
                       de novo.",
    two_credentials_text: "Seu navegador enviou um cookie de sessão e um cabeçalho Authorization de outra sessão. Não vamos \
                           adivinhar qual vale; por isso, não fizemos nada: se você estava conectado, continua conectado. \
                           Desative a extensão ou o proxy que acrescenta o cabeçalho e tente de novo.",
    unclear_title: "Não conseguimos identificar você",
    unclear_text: "Seu navegador enviou um cabeçalho Authorization ou um cookie que não conseguimos ler; por isso, não fizemos \
                   nada: se você estava conectado, continua conectado. Desative a extensão ou o proxy que acrescenta o \
                   cabeçalho ou altera o cookie e tente de novo.",
    wrong_method_title: "Este endereço não serve para isso",
    wrong_method_text: "Este endereço não aceita o que o seu navegador pediu; por isso, não fizemos nada. Alguns endereços só \
                        funcionam com um botão da página e não podem ser abertos diretamente.",
    bad_link_title: "Este link não leva a lugar nenhum",
    bad_link_text: "O endereço está incompleto ou errado; por isso, não há o que mostrar, e nada foi feito.",

    wrong_credentials: "O nome de usuário ou a senha está incorreto.",
    name_taken: "Esse nome de usuário já está em uso. Escolha outro.",
    name_empty: "Digite um nome de usuário.",
    name_too_long: |max| {
        format!("O nome de usuário é longo demais: no máximo {}.", count(max, "caractere", "caracteres"))
    },
    name_control: "O nome de usuário tem caracteres invisíveis ou de controle. Digite-o sem eles.",
    name_colon: "O nome de usuário não pode ter dois-pontos (:).",
    name_outer_space: "O nome de usuário não pode começar nem terminar com espaço.",
    password_too_short: |min| format!("A senha é curta demais: pelo menos {}.", count(min, "caractere", "caracteres")),
    password_too_long: |max| format!("A senha é longa demais: no máximo {}.", count(max, "byte", "bytes")),
    password_control: "Uma senha não pode ter caracteres de controle, como uma tabulação ou quebra de linha.",
    password_common: "Essa senha é uma das mais comuns, ou pouco mais que o nome de usuário ou a palavra exeunt: está \
                      entre as primeiras que alguém tentaria. Escolha outra.",

    of_form: &form::PORTUGUESE,
    of_account: &account::PORTUGUESE,
    of_trail: &trail::PORTUGUESE,
    of_admin: &admin::PORTUGUESE,
};

/// Two to ten, as a sentence begins with them.
const NUMBERS_ENGLISH: [&str; 9] = ["Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];
/// Two to ten in the feminine, since *sessão* is.
const NUMBERS_PORTUGUESE: [&str; 9] = ["Duas", "Três", "Quatro", "Cinco", "Seis", "Sete", "Oito", "Nove", "Dez"];

/// A number from two on: spelled while it is small, in digits beyond.
fn number(n: usize, spelled: &[&str]) -> String {
    n.checked_sub(2).and_then(|at| spelled.get(at)).map_or_else(|| n.to_string(), |&word| word.to_owned())
}

/// A number in digits with its noun; both languages use the singular for one alone.
fn count(n: impl Copy + Display, one: &str, many: &str) -> String {
    let n = n.to_string();
    format!("{n} {}", if n == "1" { one } else { many })
}
