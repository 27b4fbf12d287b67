//! Words that put work off until later, which no commit may contain.

use crate::tidy::source::Source;

/// Written in halves, so that this file does not break its own rule.
const PUT_OFF: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("to", "do!("),
    concat!("db", "g!("),
    concat!("unimple", "mented!("),
];

/// Names where they are.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (at, line) in source.text.lines().enumerate() {
            let words = PUT_OFF.iter().filter(|word| line.contains(**word));
            found.extend(words.map(|word| format!("{}:{}: {word}: do it or leave it", source.path, at + 1)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found() {
        for word in PUT_OFF {
            let text = format!("fn a() {{\n    {word} later\n}}\n");
            assert_eq!(check(&[Source { path: "a.rs".into(), text }]).len(), 1, "{word}");
        }
    }
}
