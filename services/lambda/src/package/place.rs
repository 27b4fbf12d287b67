//! Where an entry of an archive may go: only ever inside the package.

/// A name as long as file systems take one.
const NAME_BYTES_MAX: usize = 255;
const PATH_BYTES_MAX: usize = 4_096;
const DEPTH_MAX: usize = 64;

/// The parts of an entry's path.
///
/// # Errors
/// In words, when the path is absolute, leaves the package, or is none.
pub(super) fn parts(name: &[u8]) -> Result<Vec<&str>, String> {
    let shown = || String::from_utf8_lossy(name.get(..100).unwrap_or(name)).into_owned();
    let text = std::str::from_utf8(name).map_err(|_| format!("the name '{}' is not UTF-8", shown()))?;
    if text.len() > PATH_BYTES_MAX {
        return Err(format!("the name '{}…' is too long", shown()));
    }
    let parts: Vec<&str> = text.strip_suffix('/').unwrap_or(text).split('/').collect();
    let lawful = |part: &&str| {
        !part.is_empty()
            && !matches!(*part, "." | "..")
            && part.len() <= NAME_BYTES_MAX
            && !part.contains('\0')
    };
    if parts.len() > DEPTH_MAX || !parts.iter().all(lawful) {
        return Err(format!("the name '{}' does not stay inside the package", shown()));
    }
    Ok(parts)
}

/// Whether a link at `place` to `target` stays inside the package: relative, going up only at its beginning,
/// and no further than the package's root. What lies above a link is made of real directories, so that going
/// up from there is what it seems.
pub(super) fn link_stays_inside(place: &[&str], target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.len() > PATH_BYTES_MAX || target.contains('\0')
    {
        return false;
    }
    let mut up = 0;
    let mut down = false;
    for part in target.split('/') {
        match part {
            ".." if down => return false,
            ".." => up += 1,
            "" | "." => {}
            _ => down = true,
        }
    }
    up < place.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stay_inside() {
        for (name, fits) in [
            ("a", true),
            ("a/b.py", true),
            ("directory/", true),
            ("..a/b..", true),
            ("", false),
            ("/", false),
            ("/etc/passwd", false),
            ("../a", false),
            ("a/../../b", false),
            ("a/./b", false),
            ("a//b", false),
            ("a\0b", false),
        ] {
            assert_eq!(parts(name.as_bytes()).is_ok(), fits, "{name}");
        }
        assert!(parts(b"\xff").is_err());
        assert!(parts("a/".repeat(65).as_bytes()).is_err());
        assert!(parts("a".repeat(256).as_bytes()).is_err());
    }

    #[test]
    fn links_stay_inside() {
        for (place, target, fits) in [
            ("a", "b", true),
            ("a/b", "../c", true),
            ("a/b/c", "../../d", true),
            ("a", ".", true),
            ("a", "..", false),
            ("a", "../b", false),
            ("a/b", "../../c", false),
            ("a", "b/../../c", false),
            ("a", "/etc/passwd", false),
            ("a", "", false),
        ] {
            let place: Vec<&str> = place.split('/').collect();
            assert_eq!(link_stays_inside(&place, target), fits, "{place:?} {target}");
        }
    }
}
