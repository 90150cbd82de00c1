//! The words of the pages of administration.
//!
//! Owns the texts in both languages. Before anything of several sessions ends, they say what would end.

use super::{NUMBERS_ENGLISH, NUMBERS_PORTUGUESE, count, number};
use crate::pages::admin::Act;

/// The texts of the pages of administration in one language.
#[derive(Debug)]
pub(crate) struct AdminWords {
    /// The heading of the first page.
    pub(crate) title: &'static str,
    /// How many sessions are open on this server.
    pub(crate) total: fn(usize) -> String,
    /// The column and the label of names.
    pub(crate) user: &'static str,
    /// The column of states.
    pub(crate) state: &'static str,
    /// A user who may sign in.
    pub(crate) enabled: &'static str,
    /// A user who may not sign in.
    pub(crate) disabled: &'static str,
    /// A user who administers this server.
    pub(crate) is_admin: &'static str,
    /// The column of the numbers of open sessions.
    pub(crate) open_sessions: &'static str,
    /// The column of the days of registration.
    pub(crate) since: &'static str,
    /// The button that finds a user by name.
    pub(crate) find: &'static str,
    /// Nobody has the name that was looked for.
    pub(crate) nobody: &'static str,
    /// The link to the form for a new user, its heading and its button.
    pub(crate) add: &'static str,
    /// What becomes of a new user.
    pub(crate) add_text: &'static str,
    /// Nobody knows whether the user was added.
    pub(crate) not_added_text: &'static str,
    /// The link to the next page of users.
    pub(crate) more_users: &'static str,
    /// The mark on the administrator's own line.
    pub(crate) you: &'static str,
    /// What the page of oneself says.
    pub(crate) yourself: &'static str,
    /// What can be done to a user, as a button says it.
    pub(crate) act: fn(Act) -> &'static str,
    /// The question before it is done, with the user's name.
    pub(crate) question: fn(Act, &str) -> String,
    /// What follows from it.
    pub(crate) consequence: fn(Act) -> &'static str,
    /// How many sessions would end.
    pub(crate) would_end: fn(usize) -> String,
    /// How many of a user's.
    pub(crate) sessions_of: fn(usize) -> String,
    /// The link that declines.
    pub(crate) decline: &'static str,
    /// The link to the audit trail, and its heading.
    pub(crate) audit: &'static str,
    /// The column of moments.
    pub(crate) when: &'static str,
    /// The column of deeds.
    pub(crate) what: &'static str,
    /// The column of actors.
    pub(crate) by: &'static str,
    /// Something that was done to all users.
    pub(crate) everybody: &'static str,
    /// A user whose name is gone.
    pub(crate) numbered: fn(i64) -> String,
    /// Whoever runs commands on the machine.
    pub(crate) operator: &'static str,
    /// The server itself, by the clock.
    pub(crate) house: &'static str,
    /// What the filter by user takes besides a name.
    pub(crate) user_hint: &'static str,
    /// The label of the filter by cause.
    pub(crate) cause: &'static str,
    /// No filter by cause.
    pub(crate) any_cause: &'static str,
    /// The label of the first day.
    pub(crate) first_day: &'static str,
    /// The label of the last day.
    pub(crate) last_day: &'static str,
    /// The button that applies the filters.
    pub(crate) filter: &'static str,
    /// The link to the export.
    pub(crate) export: &'static str,
    /// The link to the next page of entries.
    pub(crate) older: &'static str,
    /// No entry fits.
    pub(crate) no_entries: &'static str,
    /// A day that cannot be read.
    pub(crate) bad_day: &'static str,
    /// The last day lies before the first.
    pub(crate) days_swapped: &'static str,
    /// A cause that does not exist.
    pub(crate) bad_cause: &'static str,
    /// A user that is not there: the title.
    pub(crate) no_such_user_title: &'static str,
    /// A user that is not there: the text.
    pub(crate) no_such_user_text: &'static str,
    /// What no administrator does to themself: the title.
    pub(crate) oneself_title: &'static str,
    /// What no administrator does to themself: where it is done instead.
    pub(crate) oneself_text: &'static str,
    /// A server on plain HTTP that was asked from elsewhere: the title.
    pub(crate) plain_http_title: &'static str,
    /// A server on plain HTTP that was asked from elsewhere: what is not done, and what whoever runs it can do.
    pub(crate) plain_http_text: &'static str,
}

/// The English texts.
pub(crate) static ENGLISH: AdminWords = AdminWords {
    title: "Administration",
    total: |n| match n {
        0 => "No session is open on this server.".to_owned(),
        1 => "One session is open on this server.".to_owned(),
        _ => format!("{} sessions are open on this server.", number(n, &NUMBERS_ENGLISH)),
    },
    user: "User",
    state: "State",
    enabled: "May sign in",
    disabled: "Disabled",
    is_admin: "administrator",
    open_sessions: "Open sessions",
    since: "Since",
    find: "Find",
    nobody: "There is no user of this name.",
    add: "Add a user",
    add_text: "With this name and password the user can sign in at once. Pass the password on by a way that is safe: you know it, too, until the user \
               has changed it on the account page.",
    not_added_text: "We could not reach the place where users are kept, so we do not say that the user was added, nor that nobody was. Please \
                     look in the list before you try again.",
    more_users: "More users",
    you: "you",
    yourself: "This is you. To end all your sessions, or to change your password, go to your account page.",
    act: |act| match act {
        Act::End => "End",
        Act::EndAll => "Sign out everywhere",
        Act::Disable => "Disable",
        Act::Enable => "Enable",
        Act::Delete => "Delete",
        Act::Promote => "Make an administrator",
        Act::Demote => "Withdraw administration",
        Act::Password => "Set a new password",
        Act::Everyone => "Sign everyone out",
    },
    question: |act, name| match act {
        Act::Disable => format!("Disable {name}?"),
        Act::Delete => format!("Delete {name}?"),
        Act::Password => format!("Set a new password for {name}?"),
        Act::Promote => format!("Make {name} an administrator?"),
        Act::Everyone => "Sign everyone out?".to_owned(),
        _ => format!("Sign {name} out everywhere?"),
    },
    consequence: |act| match act {
        Act::Disable => "The user cannot sign in again until enabled.",
        Act::Delete => "The user will be gone for good, and the name free. The audit trail stays.",
        Act::Password => "From then on only the new password signs in.",
        Act::Everyone => "You are among them. Everybody can sign in again at once.",
        Act::Promote => {
            "The user can then do all that you can: end everybody's sessions, set passwords, delete users, and take the administration from you."
        }
        _ => "The user can sign in again at once.",
    },
    would_end: |n| match n {
        0 => "No session is open, so none would end.".to_owned(),
        1 => "One session would end:".to_owned(),
        _ => format!("{} sessions would end:", number(n, &NUMBERS_ENGLISH)),
    },
    sessions_of: |n| count(n, "session", "sessions"),
    decline: "Leave everything as it is",
    audit: "Audit trail",
    when: "When",
    what: "What",
    by: "By",
    everybody: "everybody",
    numbered: |id| format!("user {id}"),
    operator: "the operator",
    house: "the clock",
    user_hint: "A user who was deleted is found by number: as the username enter id: and the number, such as id:29.",
    cause: "Why it ended",
    any_cause: "Everything",
    first_day: "From (day, UTC)",
    last_day: "To (day, UTC)",
    filter: "Show",
    export: "Export as JSON lines",
    older: "Older entries",
    no_entries: "Nothing in the audit trail fits.",
    bad_day: "A day is written like 2027-01-15, from 1970 on.",
    days_swapped: "The last day lies before the first.",
    bad_cause: "There is no such cause. Please choose one from the list.",
    no_such_user_title: "No such user",
    no_such_user_text: "There is no such user here, or not any more. Nothing was done.",
    oneself_title: "That would be yourself",
    oneself_text: "Administrators do not do this to themselves, so that nobody locks themself out by a slip. Nothing was done. \
                   Your own sessions and your password are on your account page.",
    plain_http_title: "Not over this connection",
    plain_http_text: "This server speaks plain HTTP and was asked by another name than localhost. Others could read your session on \
                      the way, so nobody was registered or signed in. Whoever runs the server starts it with --public-url \
                      and the https address of the site.",
};

/// The Brazilian Portuguese texts.
pub(crate) static PORTUGUESE: AdminWords = AdminWords {
    title: "Administração",
    total: |n| match n {
        0 => "Nenhuma sessão está aberta neste servidor.".to_owned(),
        1 => "Uma sessão está aberta neste servidor.".to_owned(),
        _ => format!("{} sessões estão abertas neste servidor.", number(n, &NUMBERS_PORTUGUESE)),
    },
    user: "Usuário",
    state: "Situação",
    enabled: "Pode entrar",
    disabled: "Desativado",
    is_admin: "administrador",
    open_sessions: "Sessões abertas",
    since: "Desde",
    find: "Buscar",
    nobody: "Não há usuário com esse nome.",
    add: "Adicionar usuário",
    add_text: "O usuário já poderá entrar com este nome e esta senha. Envie a senha por um meio seguro: você também a conhece, até que o usuário \
               a troque na página da conta.",
    not_added_text: "Não conseguimos acessar o lugar onde os usuários ficam guardados; por isso, não dizemos que o usuário foi adicionado, nem \
                     que não foi. Confira a lista antes de tentar de novo.",
    more_users: "Mais usuários",
    you: "você",
    yourself: "Este é você. O que encerra todas as suas sessões e a sua senha ficam na página da sua conta.",
    act: |act| match act {
        Act::End => "Encerrar",
        Act::EndAll => "Encerrar todas as sessões",
        Act::Disable => "Desativar",
        Act::Enable => "Reativar",
        Act::Delete => "Excluir",
        Act::Promote => "Tornar administrador",
        Act::Demote => "Retirar a administração",
        Act::Password => "Definir nova senha",
        Act::Everyone => "Encerrar as sessões de todos",
    },
    question: |act, name| match act {
        Act::Disable => format!("Desativar {name}?"),
        Act::Delete => format!("Excluir {name}?"),
        Act::Password => format!("Definir uma nova senha para {name}?"),
        Act::Promote => format!("Tornar {name} administrador?"),
        Act::Everyone => "Encerrar as sessões de todos?".to_owned(),
        _ => format!("Encerrar todas as sessões de {name}?"),
    },
    consequence: |act| match act {
        Act::Disable => "O usuário não poderá entrar até ser reativado.",
        Act::Delete => "O usuário será excluído para sempre, e o nome ficará livre. A trilha de auditoria permanece.",
        Act::Password => "Depois disso, só a nova senha permitirá entrar.",
        Act::Everyone => "Isso inclui você. Todos poderão entrar de novo em seguida.",
        Act::Promote => {
            "O usuário poderá então tudo o que você pode: encerrar as sessões de todos, definir senhas, excluir usuários e retirar a administração de você."
        }
        _ => "O usuário poderá entrar de novo em seguida.",
    },
    would_end: |n| match n {
        0 => "Nenhuma sessão seria encerrada.".to_owned(),
        1 => "Uma sessão seria encerrada:".to_owned(),
        _ => format!("{} sessões seriam encerradas:", number(n, &NUMBERS_PORTUGUESE)),
    },
    sessions_of: |n| count(n, "sessão", "sessões"),
    decline: "Deixar tudo como está",
    audit: "Trilha de auditoria",
    when: "Quando",
    what: "O quê",
    by: "Por",
    everybody: "todos",
    numbered: |id| format!("usuário {id}"),
    operator: "quem opera o servidor",
    house: "o relógio",
    user_hint: "Um usuário excluído é encontrado pelo número: no nome de usuário, escreva id: e o número, como id:29.",
    cause: "Motivo",
    any_cause: "Tudo",
    first_day: "De (dia, UTC)",
    last_day: "Até (dia, UTC)",
    filter: "Mostrar",
    export: "Exportar em JSON Lines",
    older: "Registros mais antigos",
    no_entries: "Nenhum registro corresponde à busca.",
    bad_day: "Escreva o dia assim: 2027-01-15, a partir de 1970.",
    days_swapped: "O último dia é anterior ao primeiro.",
    bad_cause: "Esse motivo não existe. Escolha um da lista.",
    no_such_user_title: "Usuário não encontrado",
    no_such_user_text: "Não há esse usuário aqui, ou não há mais. Não fizemos nada.",
    oneself_title: "Seria você mesmo",
    oneself_text: "Administradores não fazem isso consigo mesmos, para que ninguém perca o próprio acesso por descuido. Não \
                   fizemos nada. Suas sessões e sua senha ficam na página da sua conta.",
    plain_http_title: "Não por esta conexão",
    plain_http_text: "Este servidor fala HTTP sem criptografia e foi chamado por um nome que não é localhost. Outros poderiam ler a sua \
                      sessão no caminho; por isso, ninguém foi cadastrado nem entrou. Quem administra o servidor deve \
                      iniciá-lo com --public-url e o endereço https do site.",
};
