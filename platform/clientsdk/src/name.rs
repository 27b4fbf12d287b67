//! Names in sources: made of ASCII letters and digits, and of no language's own words.

/// Words that some of the languages keep to themselves, and members that classes have anyway.
const RESERVED: [&str; 127] = [
    "abstract",
    "alias",
    "and",
    "any",
    "arguments",
    "as",
    "assert",
    "async",
    "auto",
    "await",
    "begin",
    "bool",
    "boolean",
    "break",
    "byte",
    "case",
    "catch",
    "char",
    "class",
    "clone",
    "const",
    "continue",
    "copy",
    "debugger",
    "def",
    "default",
    "defer",
    "del",
    "delete",
    "deinit",
    "description",
    "do",
    "double",
    "elif",
    "else",
    "elsif",
    "end",
    "ensure",
    "enum",
    "eval",
    "except",
    "export",
    "extends",
    "extension",
    "extern",
    "false",
    "fileprivate",
    "final",
    "finally",
    "float",
    "for",
    "foreach",
    "from",
    "fun",
    "func",
    "function",
    "global",
    "goto",
    "guard",
    "hash",
    "if",
    "implements",
    "import",
    "in",
    "init",
    "inline",
    "instanceof",
    "int",
    "interface",
    "internal",
    "is",
    "lambda",
    "let",
    "long",
    "method",
    "module",
    "native",
    "new",
    "next",
    "nil",
    "none",
    "nonlocal",
    "not",
    "null",
    "object",
    "open",
    "operator",
    "or",
    "package",
    "pass",
    "private",
    "protected",
    "public",
    "raise",
    "redo",
    "register",
    "rescue",
    "rethrows",
    "retry",
    "return",
    "self",
    "send",
    "short",
    "signed",
    "static",
    "struct",
    "subscript",
    "super",
    "switch",
    "synchronized",
    "then",
    "this",
    "throw",
    "throws",
    "transient",
    "true",
    "try",
    "typealias",
    "typedef",
    "undef",
    "union",
    "unless",
    "unsigned",
    "until",
    "val",
    "var",
    "when",
];
const RESERVED_TOO: [&str; 12] = [
    "void", "volatile", "where", "while", "with", "yield", "print", "sum", "type", "unknown", "never", "data",
];

/// The words of a name: runs of letters and digits, split where a capital follows a small letter.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last_is_small = false;
    let mut is_between = true;
    for letter in text.chars() {
        if !letter.is_ascii_alphanumeric() {
            is_between = true;
            continue;
        }
        if is_between || (last_is_small && letter.is_ascii_uppercase()) {
            words.push(String::new());
        }
        is_between = false;
        last_is_small = !letter.is_ascii_uppercase();
        if let Some(word) = words.last_mut() {
            word.push(letter);
        }
    }
    words
}

/// A name cannot begin with a digit, and cannot be empty.
fn safe(name: String) -> String {
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("n{name}") }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

fn unreserved(name: String, otherwise: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let is_reserved = RESERVED.contains(&&*lower) || RESERVED_TOO.contains(&&*lower);
    if is_reserved { format!("{name}{otherwise}") } else { name }
}

/// `petsPetIdGet`
pub(crate) fn camel(text: &str) -> String {
    let joined: String = words(text).iter().map(|word| capital(word)).collect();
    let mut letters = joined.chars();
    let small = letters.next().map_or_else(String::new, |c| c.to_ascii_lowercase().to_string());
    unreserved(safe(small + letters.as_str()), "Value")
}

/// `PetsPetIdGet`
pub(crate) fn pascal(text: &str) -> String {
    capital(&safe(words(text).iter().map(|word| capital(word)).collect()))
}

/// `pets_pet_id_get`
pub(crate) fn snake(text: &str) -> String {
    unreserved(safe(words(text).join("_").to_ascii_lowercase()), "_value")
}

/// The name of an operation that has none: its path and its verb, as AWS names them.
pub(crate) fn of_operation(path: &str, verb: &str) -> String {
    let path = if path == "/" { "root" } else { path };
    camel(&format!("{path} {}", verb.to_ascii_lowercase()))
}

/// The name with a number behind it, if others have it already.
pub(crate) fn unique(name: String, taken: &mut std::collections::HashSet<String>) -> String {
    let mut candidate = name.clone();
    let mut number = 2;
    while !taken.insert(candidate.to_ascii_lowercase()) {
        candidate = format!("{name}{number}");
        number += 1;
    }
    candidate
}

/// A package: names with points between them.
pub(crate) fn package(text: &str) -> String {
    let part =
        |part: &str| unreserved(safe(part.chars().filter(char::is_ascii_alphanumeric).collect()), "value");
    text.split('.').map(part).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_words() {
        for (text, expected) in [
            ("pets", ["pets", "Pets", "pets"]),
            ("petId", ["petId", "PetId", "pet_id"]),
            ("x-api-key", ["xApiKey", "XApiKey", "x_api_key"]),
            ("2nd", ["n2nd", "N2nd", "n2nd"]),
            ("", ["n", "N", "n"]),
            ("class", ["classValue", "Class", "class_value"]),
            ("'; rm -rf /", ["rmRf", "RmRf", "rm_rf"]),
            ("größe", ["grE", "GrE", "gr_e"]),
            ("HTTPStatus", ["hTTPStatus", "HTTPStatus", "httpstatus"]),
        ] {
            assert_eq!([camel(text), pascal(text), snake(text)], expected, "{text}");
        }
        assert_eq!(of_operation("/pets/{petId}", "GET"), "petsPetIdGet");
        assert_eq!(of_operation("/", "POST"), "rootPost");
        assert_eq!(package("com.example.my-app.new"), "com.example.myapp.newvalue");
    }

    #[test]
    fn a_name_is_given_once() {
        let mut taken = std::collections::HashSet::new();
        assert_eq!(unique("a".into(), &mut taken), "a");
        assert_eq!(unique("A".into(), &mut taken), "A2");
        assert_eq!(unique("a".into(), &mut taken), "a3");
    }
}
