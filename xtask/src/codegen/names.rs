//! AWS's names as Rust has them.

/// `TableName` as `table_name`, `KMSKeyId` as `kms_key_id`.
pub(crate) fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (place, &letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            snake.push('_');
            continue;
        }
        if place > 0 && letter.is_ascii_uppercase() && starts_word(&letters, place) {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

fn starts_word(letters: &[char], place: usize) -> bool {
    let previous = letters[place - 1];
    let next = letters.get(place + 1);
    // The plural of an acronym, as in `ARNs`, is one word.
    let plural = next == Some(&'s') && letters.get(place + 2).is_none_or(char::is_ascii_uppercase);
    previous.is_ascii_lowercase()
        || (previous.is_ascii_digit() && next.is_some())
        || (previous.is_ascii_uppercase() && next.is_some_and(char::is_ascii_lowercase) && !plural)
}

/// A field's name.
pub(crate) fn field(name: &str) -> String {
    let snake = snake(name);
    match snake.as_str() {
        "self" | "super" | "crate" => format!("{snake}_"),
        "type" | "match" | "ref" | "static" | "use" | "where" | "move" | "enum" | "struct" | "trait"
        | "impl" | "in" | "for" | "if" | "else" | "loop" | "while" | "return" | "break" | "continue"
        | "const" | "fn" | "let" | "mod" | "mut" | "pub" | "async" | "await" | "dyn" | "final"
        | "override" | "abstract" | "true" | "false" | "as" | "box" | "do" | "extern" | "macro" | "priv"
        | "try" | "typeof" | "unsafe" | "virtual" | "yield" | "gen" => format!("r#{snake}"),
        _ => snake,
    }
}

/// A type's name.
pub(crate) fn type_name(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let camel: String = first.into_iter().chain(letters).filter(char::is_ascii_alphanumeric).collect();
    match camel.as_str() {
        // These would hide what the generated code itself uses.
        "String" | "Vec" | "Option" | "Box" | "Result" | "Bytes" | "Timestamp" | "Value" | "BTreeMap"
        | "Self" => {
            format!("{camel}Shape")
        }
        _ => camel,
    }
}

/// The variant of an enumeration's value: `PAY_PER_REQUEST` as `PayPerRequest`, `python3.12` as
/// `Python312`.
pub(crate) fn variant(value: &str) -> String {
    let shouted = !value.chars().any(|letter| letter.is_ascii_lowercase());
    let mut variant = String::new();
    for word in value.replace('*', " all ").split(|letter: char| !letter.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        variant.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        variant.extend(letters.map(|letter| if shouted { letter.to_ascii_lowercase() } else { letter }));
    }
    match variant.chars().next() {
        None => "Empty".into(),
        Some(first) if first.is_ascii_digit() => format!("V{variant}"),
        Some(_) if variant == "Self" => "SelfValue".into(),
        Some(_) => variant,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_those_of_rust() {
        let fields = [
            ("TableName", "table_name"),
            ("KMSKeyId", "kms_key_id"),
            ("ChecksumSHA256", "checksum_sha256"),
            ("NotificationARNs", "notification_arns"),
            ("S3Key", "s3_key"),
            ("ChecksumCRC32C", "checksum_crc32c"),
            ("type", "r#type"),
            ("self", "self_"),
        ];
        for (name, expected) in fields {
            assert_eq!(field(name), expected);
        }
        let variants = [
            ("PAY_PER_REQUEST", "PayPerRequest"),
            ("python3.12", "Python312"),
            ("s3:ObjectCreated:*", "S3ObjectCreatedAll"),
            ("us-east-1", "UsEast1"),
            ("2012", "V2012"),
            ("", "Empty"),
        ];
        for (value, expected) in variants {
            assert_eq!(variant(value), expected);
        }
    }
}
