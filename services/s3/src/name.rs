//! Which names buckets and objects may have.

use pagoda_protocol::ApiError;

/// The longest key of an object, in bytes of UTF-8.
pub(crate) const KEY_BYTES_MAX: usize = 1024;

const RESERVED_PREFIXES: [&str; 4] = ["xn--", "sthree-", "amzn-s3-demo-", "sthree-configurator"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Refuses what cannot be a general purpose bucket's name.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(crate) fn check_bucket(name: &str) -> Result<(), ApiError> {
    let lawful = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    let edge = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = name.as_bytes();
    let is_valid = (3..=63).contains(&bytes.len())
        && bytes.iter().all(|&b| lawful(b))
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    if is_valid {
        return Ok(());
    }
    Err(ApiError::new("InvalidBucketName", 400, "The specified bucket is not valid.")
        .with_field("BucketName", name))
}

/// Refuses a key that is too long; every other text is a key.
pub(crate) fn check_key(key: &str) -> Result<(), ApiError> {
    if key.len() <= KEY_BYTES_MAX {
        return Ok(());
    }
    Err(ApiError::new("KeyTooLongError", 400, "Your key is too long")
        .with_field("Size", key.len().to_string())
        .with_field("MaxSizeAllowed", KEY_BYTES_MAX.to_string()))
}

/// An unversioned object has the version `null` alone.
pub(crate) fn check_version(version: Option<&str>) -> Result<(), ApiError> {
    match version {
        None | Some("null") => Ok(()),
        Some(other) => {
            Err(crate::error::invalid_argument("versionId", other, "Invalid version id specified"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_follow_the_rules() {
        let rows = [
            ("abc", true),
            ("my.bucket-1", true),
            ("0ab", true),
            ("ab", false),
            ("Abc", false),
            ("a_c", false),
            ("-abc", false),
            ("abc-", false),
            ("abc.", false),
            ("a..b", false),
            ("192.168.5.4", false),
            ("xn--abc", false),
            ("abc-s3alias", false),
            ("a/c", false),
            ("ab\u{e9}", false),
            ("", false),
        ];
        for (name, expected) in rows {
            assert_eq!(check_bucket(name).is_ok(), expected, "{name}");
        }
        assert!(check_bucket(&"a".repeat(63)).is_ok());
        assert!(check_bucket(&"a".repeat(64)).is_err());
        assert!(check_key(&"é".repeat(512)).is_ok());
        assert!(check_key(&"é".repeat(513)).is_err());
    }
}
