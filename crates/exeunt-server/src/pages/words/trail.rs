//! The audit trail in words.
//!
//! Owns one sentence for each deed and each cause, in both languages. Each reads on with where it was done from, or by whom.

use exeunt::{Cause, Deed};

/// The sentences of the audit trail in one language.
#[derive(Debug)]
pub(crate) struct TrailWords {
    /// What was done, where nothing ended.
    pub(crate) deed: fn(Deed) -> &'static str,
    /// What ended: one session that the entry names, or all of them.
    pub(crate) ended: fn(Cause, bool) -> &'static str,
    /// A cause, as a filter lists it.
    pub(crate) cause: fn(Cause) -> &'static str,
    /// A sentence, and the address it was done from.
    pub(crate) from: fn(&str, &str) -> String,
    /// An administrator did it; follows a sentence.
    pub(crate) by_admin: &'static str,
    /// Whoever runs commands on the machine did it; follows a sentence.
    pub(crate) by_operator: &'static str,
}

/// The English texts.
pub(crate) static ENGLISH: TrailWords = TrailWords {
    deed: |deed| match deed {
        Deed::UserAdded => "The account was created",
        Deed::UserEnabled => "The account was enabled",
        Deed::UserDisabled => "The account was disabled",
        Deed::UserDeleted => "The account was deleted",
        Deed::AdminGranted => "Administration was granted",
        Deed::AdminWithdrawn => "Administration was withdrawn",
        Deed::PasswordChanged => "The password was changed",
        Deed::SessionOpened => "Signed in",
        Deed::Ended => "Sessions were ended",
    },
    ended: |cause, one| match cause {
        Cause::Logout => "Signed out",
        Cause::LogoutEverywhere if one => "Signed out everywhere else",
        Cause::LogoutEverywhere => "Signed out everywhere",
        Cause::EndedByAdmin if !one => "All sessions were ended",
        Cause::EndedByOwner | Cause::EndedByAdmin => "A session was ended",
        Cause::Replaced => "A session gave way to a new sign-in",
        Cause::Evicted => "The oldest session made room for a new one",
        Cause::PasswordChanged => "All sessions ended: the password was changed",
        Cause::PasswordReset => "All sessions ended: a new password was set",
        Cause::Disabled => "All sessions ended: the account was disabled",
        Cause::Enabled => "Earlier sessions stay ended: the account was enabled",
        Cause::Deleted => "All sessions ended: the account was deleted",
        Cause::EveryoneOut => "Everybody was signed out",
        Cause::Expired => "A session expired",
        Cause::Restored => "All sessions ended: the data was restored from a copy",
    },
    cause: |cause| match cause {
        Cause::Logout => "Signed out",
        Cause::LogoutEverywhere => "Signed out everywhere",
        Cause::EndedByOwner => "Ended by its owner",
        Cause::Replaced => "Replaced by a new sign-in",
        Cause::Evicted => "Made room for a new session",
        Cause::PasswordChanged => "Password changed",
        Cause::PasswordReset => "New password set",
        Cause::Disabled => "User disabled",
        Cause::Enabled => "User enabled",
        Cause::Deleted => "User deleted",
        Cause::EndedByAdmin => "Ended by an administrator",
        Cause::EveryoneOut => "Everybody signed out",
        Cause::Expired => "Expired",
        Cause::Restored => "Data restored",
    },
    from: |sentence, address| format!("{sentence} from {address}"),
    by_admin: "by an administrator",
    by_operator: "by the operator of this server",
};

/// The Brazilian Portuguese texts.
pub(crate) static PORTUGUESE: TrailWords = TrailWords {
    deed: |deed| match deed {
        Deed::UserAdded => "A conta foi criada",
        Deed::UserEnabled => "A conta foi reativada",
        Deed::UserDisabled => "A conta foi desativada",
        Deed::UserDeleted => "A conta foi excluída",
        Deed::AdminGranted => "Tornou-se administrador",
        Deed::AdminWithdrawn => "Deixou de ser administrador",
        Deed::PasswordChanged => "A senha foi trocada",
        Deed::SessionOpened => "Entrou",
        Deed::Ended => "Sessões foram encerradas",
    },
    ended: |cause, one| match cause {
        Cause::Logout => "Saiu",
        Cause::LogoutEverywhere if one => "Encerrou as outras sessões",
        Cause::LogoutEverywhere => "Encerrou todas as sessões",
        Cause::EndedByAdmin if !one => "Todas as sessões foram encerradas",
        Cause::EndedByOwner | Cause::EndedByAdmin => "Uma sessão foi encerrada",
        Cause::Replaced => "Uma sessão deu lugar a uma nova entrada",
        Cause::Evicted => "A sessão mais antiga deu lugar a uma nova",
        Cause::PasswordChanged => "Todas as sessões foram encerradas: a senha foi trocada",
        Cause::PasswordReset => "Todas as sessões foram encerradas: uma nova senha foi definida",
        Cause::Disabled => "Todas as sessões foram encerradas: a conta foi desativada",
        Cause::Enabled => "As sessões anteriores continuam encerradas: a conta foi reativada",
        Cause::Deleted => "Todas as sessões foram encerradas: a conta foi excluída",
        Cause::EveryoneOut => "Todos os usuários saíram",
        Cause::Expired => "Uma sessão expirou",
        Cause::Restored => "Todas as sessões foram encerradas: os dados foram restaurados de uma cópia",
    },
    cause: |cause| match cause {
        Cause::Logout => "Saída",
        Cause::LogoutEverywhere => "Encerramento de todas as sessões",
        Cause::EndedByOwner => "Encerrada pelo dono",
        Cause::Replaced => "Substituída por uma nova entrada",
        Cause::Evicted => "Deu lugar a uma nova sessão",
        Cause::PasswordChanged => "Troca de senha",
        Cause::PasswordReset => "Nova senha definida",
        Cause::Disabled => "Usuário desativado",
        Cause::Enabled => "Usuário reativado",
        Cause::Deleted => "Usuário excluído",
        Cause::EndedByAdmin => "Encerrada por um administrador",
        Cause::EveryoneOut => "Saída de todos os usuários",
        Cause::Expired => "Expirada",
        Cause::Restored => "Dados restaurados",
    },
    from: |sentence, address| format!("{sentence} a partir de {address}"),
    by_admin: "por um administrador",
    by_operator: "por quem opera este servidor",
};
