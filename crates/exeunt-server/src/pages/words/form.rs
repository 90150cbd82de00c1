//! The words about a form that was not read.
//!
//! Owns the texts in both languages. They say what to do otherwise: who sends the same again is refused again.

/// The texts about forms in one language.
#[derive(Debug)]
pub(crate) struct FormWords {
    /// A form that cannot be read: the title.
    pub(crate) bad_title: &'static str,
    /// A form that cannot be read: what to do.
    pub(crate) bad_text: &'static str,
    /// A form that is too large: the title.
    pub(crate) large_title: &'static str,
    /// A form that is too large: how many KiB it may have, and what to do.
    pub(crate) large_text: fn(usize) -> String,
}

/// The English texts.
pub(crate) static ENGLISH: FormWords = FormWords {
    bad_title: "We could not read the form",
    bad_text: "What your browser sent was incomplete or malformed, so we did nothing. Go back and fill in the form again.",
    large_title: "That is too much for a form",
    large_text: |max| {
        format!(
            "What your browser sent is more than {max} KiB, so we did nothing. The same again would be refused again: go back \
             and enter less."
        )
    },
};

/// The Brazilian Portuguese texts.
pub(crate) static PORTUGUESE: FormWords = FormWords {
    bad_title: "Não conseguimos ler o formulário",
    bad_text: "O que o seu navegador enviou estava incompleto ou malformado; por isso, não fizemos nada. Volte e preencha o \
               formulário de novo.",
    large_title: "É demais para um formulário",
    large_text: |max| {
        format!(
            "O que o seu navegador enviou passa de {max} KiB; por isso, não fizemos nada. Enviar o mesmo de novo não adianta: \
             volte e preencha menos."
        )
    },
};
