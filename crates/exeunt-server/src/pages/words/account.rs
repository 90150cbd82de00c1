//! The words of the account page and of what is done there.
//!
//! Owns the texts in both languages. What says that something has ended is shown only where the audit trail says so too.

use exeunt::revocation::ENDED_LISTED_MAX;

use super::count;
use crate::pages::done::Done;
use crate::pages::goodbye::Goodbye;

/// The texts of the account page in one language.
#[derive(Debug)]
pub(crate) struct AccountWords {
    /// The column of buttons.
    pub(crate) deed: &'static str,
    /// The button that ends one session.
    pub(crate) end: &'static str,
    /// The button that ends all sessions but this one.
    pub(crate) end_others: &'static str,
    /// The button that ends all sessions.
    pub(crate) end_all: &'static str,
    /// The heading of the form that changes the password, and its button.
    pub(crate) change_password: &'static str,
    /// The label of the current password.
    pub(crate) current_password: &'static str,
    /// The label of the new password.
    pub(crate) new_password: &'static str,
    /// What a change of the password does, besides.
    pub(crate) password_ends: &'static str,
    /// The current password is wrong.
    pub(crate) wrong_current: &'static str,
    /// The new password is the current one.
    pub(crate) same_password: &'static str,
    /// The heading of the recent part of the audit trail.
    pub(crate) activity: &'static str,
    /// The link to the pages of administration.
    pub(crate) to_admin: &'static str,
    /// What was done just now.
    pub(crate) done: fn(Done) -> &'static str,
    /// What ended just now together with the person's own session. What the list that tells it may have cut is not counted.
    pub(crate) goodbye: fn(Goodbye) -> String,
    /// A session that is not there: the title.
    pub(crate) no_such_session_title: &'static str,
    /// A session that is not there: what that means.
    pub(crate) no_such_session_text: &'static str,
    /// The store failed while something was to end: the title.
    pub(crate) not_done_title: &'static str,
    /// The store failed while something was to end: what is known and what to do.
    pub(crate) not_done_text: &'static str,
    /// More sessions than are listed.
    pub(crate) and_more: fn(usize) -> String,
}

/// The English texts.
pub(crate) static ENGLISH: AccountWords = AccountWords {
    deed: "End it",
    end: "End",
    end_others: "Sign out everywhere else",
    end_all: "Sign out everywhere",
    change_password: "Change the password",
    current_password: "Current password",
    new_password: "New password",
    password_ends: "All your other sessions end with it.",
    wrong_current: "The current password is wrong. Nothing has changed.",
    same_password: "The new password is the same as the current one. Nothing has changed: please choose another.",
    activity: "Recent activity",
    to_admin: "Administration",
    done: |done| match done {
        Done::Ended => "The session has ended.",
        Done::Others => "You are signed out everywhere else.",
        Done::Alone => "No other session of yours is open: there was nothing to end.",
        Done::All => "All sessions of this user have ended.",
        Done::Password => "The password has been changed, and every session from before has ended.",
        Done::Reset => "This user has a new password, and all their sessions have ended.",
        Done::Disabled => "The user is disabled and signed out everywhere.",
        Done::Enabled => "The user may sign in again.",
        Done::Added => "The user was added, and can sign in.",
        Done::Promoted => "The user is an administrator now.",
        Done::Demoted => "The user is no longer an administrator.",
        Done::Deleted => "The user has been deleted.",
    },
    goodbye: |goodbye| match goodbye {
        Goodbye::Everywhere(n) => format!("You have signed out everywhere: {}.", ended_english(n)),
        Goodbye::Everyone(n) => format!("You have signed everyone out, yourself included: {}.", ended_english(n)),
    },
    no_such_session_title: "No such session",
    no_such_session_text: "That session is not open: it has ended already, or it never was here. Nothing was done.",
    not_done_title: "We cannot say that it is done",
    not_done_text: "We could not reach the place where sessions are kept, so we do not say that anything has ended. Treat \
                    every session as still open. Wait a moment, look again, and repeat what you wanted to do.",
    and_more: |n| format!("and {} more", count(n, "session", "sessions")),
};

/// The Brazilian Portuguese texts.
pub(crate) static PORTUGUESE: AccountWords = AccountWords {
    deed: "Encerrar",
    end: "Encerrar",
    end_others: "Encerrar as outras sessões",
    end_all: "Encerrar todas as sessões",
    change_password: "Trocar a senha",
    current_password: "Senha atual",
    new_password: "Nova senha",
    password_ends: "Todas as suas outras sessões serão encerradas.",
    wrong_current: "A senha atual está incorreta. Nada foi alterado.",
    same_password: "A nova senha é igual à atual. Nada foi alterado: escolha outra.",
    activity: "Atividade recente",
    to_admin: "Administração",
    done: |done| match done {
        Done::Ended => "A sessão foi encerrada.",
        Done::Others => "Suas outras sessões foram encerradas.",
        Done::Alone => "Nenhuma outra sessão sua está aberta: não havia o que encerrar.",
        Done::All => "Todas as sessões deste usuário foram encerradas.",
        Done::Password => "A senha foi trocada, e todas as sessões anteriores foram encerradas.",
        Done::Reset => "Este usuário tem uma nova senha, e todas as sessões dele foram encerradas.",
        Done::Disabled => "O usuário foi desativado, e todas as sessões dele foram encerradas.",
        Done::Enabled => "O usuário pode entrar de novo.",
        Done::Added => "O usuário foi adicionado e já pode entrar.",
        Done::Promoted => "O usuário agora é administrador.",
        Done::Demoted => "O usuário não é mais administrador.",
        Done::Deleted => "O usuário foi excluído.",
    },
    goodbye: |goodbye| match goodbye {
        Goodbye::Everywhere(n) => format!("Você encerrou todas as suas sessões: {}.", ended_portuguese(n)),
        Goodbye::Everyone(n) => format!("Você encerrou as sessões de todos, inclusive a sua: {}.", ended_portuguese(n)),
    },
    no_such_session_title: "Sessão não encontrada",
    no_such_session_text: "Essa sessão não está aberta: já foi encerrada ou nunca existiu aqui. Não fizemos nada.",
    not_done_title: "Não podemos dizer que foi feito",
    not_done_text: "Não conseguimos acessar o lugar onde as sessões ficam guardadas; por isso, não dizemos que alguma \
                    coisa foi encerrada. Considere que todas as sessões continuam abertas. Espere um instante, confira a \
                    lista e repita o que queria fazer.",
    and_more: |n| format!("e mais {}", count(n, "sessão", "sessões")),
};

fn ended_english(n: usize) -> String {
    let ended = count(n, "session has ended", "sessions have ended");
    if n < ENDED_LISTED_MAX { ended } else { format!("at least {ended}") }
}

fn ended_portuguese(n: usize) -> String {
    let ended = count(n, "sessão foi encerrada", "sessões foram encerradas");
    if n < ENDED_LISTED_MAX { ended } else { format!("pelo menos {ended}") }
}
