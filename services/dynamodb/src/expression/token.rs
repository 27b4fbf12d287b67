//! The words and signs of an expression. What is neither becomes a token too, which no grammar takes.

/// A piece of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A keyword, function or attribute.
    Word(&'a str),
    /// `#name`.
    Name(&'a str),
    /// `:value`.
    Value(&'a str),
    /// Digits.
    Digits(&'a str),
    /// An operator, bracket or separator.
    Sign(&'a str),
    /// Anything else.
    Foreign(&'a str),
    /// Behind the last piece.
    End,
}

/// A token and its place in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) token: Token<'a>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The tokens of `text`, the last of which is [`Token::End`].
pub(crate) fn tokens(text: &str) -> Vec<Placed<'_>> {
    let mut tokens = Vec::with_capacity(text.len() / 4 + 2);
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let first = rest.as_bytes()[0];
        if first.is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let token = next(rest, first);
        let end = at + length(token);
        tokens.push(Placed { token, start: at, end });
        at = end;
    }
    tokens.push(Placed { token: Token::End, start: text.len(), end: text.len() });
    tokens
}

fn next(rest: &str, first: u8) -> Token<'_> {
    let run = |from: usize| {
        let end = rest.as_bytes()[from..].iter().position(|byte| !is_word(*byte));
        &rest[..end.map_or(rest.len(), |end| from + end)]
    };
    match first {
        b'#' if run(1).len() > 1 => Token::Name(run(1)),
        b':' if run(1).len() > 1 => Token::Value(run(1)),
        b'0'..=b'9' => {
            let end = rest.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
            Token::Digits(&rest[..end])
        }
        _ if is_word(first) => Token::Word(run(0)),
        _ => match ["<>", "<=", ">=", "<", ">", "=", "(", ")", "[", "]", ",", ".", "+", "-"]
            .into_iter()
            .find(|sign| rest.starts_with(sign))
        {
            Some(sign) => Token::Sign(&rest[..sign.len()]),
            None => Token::Foreign(&rest[..rest.chars().next().map_or(1, char::len_utf8)]),
        },
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn length(token: Token<'_>) -> usize {
    text_of(token).len()
}

/// The token as it stands in the text.
pub(crate) fn text_of(token: Token<'_>) -> &str {
    match token {
        Token::Word(text)
        | Token::Name(text)
        | Token::Value(text)
        | Token::Digits(text)
        | Token::Sign(text)
        | Token::Foreign(text) => text,
        Token::End => "",
    }
}
