//! The memory areas of a process, as `/proc/PID/smaps` tells them.

use serde::{Deserialize, Serialize};

use crate::message::Fault;

pub(crate) const PAGE: u64 = 4096;

/// One area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Area {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// `PROT_*`.
    pub(crate) protection: i32,
    pub(crate) shared: bool,
    /// Where in its file it begins.
    pub(crate) offset: u64,
    /// `major << 32 | minor` of the file's device; with `inode` 0 there is no file.
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// The file's path, or a name in brackets, or nothing.
    pub(crate) name: String,
    /// Whether pages of it may be its own (not the file's, not absent).
    pub(crate) touched: bool,
    /// The kernel's two-letter words for the area's settings.
    pub(crate) words: Vec<String>,
}

impl Area {
    pub(crate) fn bytes(&self) -> u64 {
        self.end - self.start
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|found| found == word)
    }
}

/// Reads the text of an `smaps` file.
pub(crate) fn parse(text: &str) -> Result<Vec<Area>, Fault> {
    let mut areas: Vec<Area> = Vec::new();
    for line in text.lines() {
        let first = line.split(' ').next().unwrap_or_default();
        if let Some((start, end)) = first.split_once('-') {
            let area = header(line, start, end);
            areas.push(area.ok_or_else(|| Fault::new(format!("reading the areas: {line}"), libc::EINVAL))?);
        } else if let (Some(area), Some((field, value))) = (areas.last_mut(), line.split_once(':')) {
            match field {
                "Anonymous" | "Swap" => area.touched |= value.trim() != "0 kB",
                "VmFlags" => area.words = value.split_whitespace().map(str::to_owned).collect(),
                _ => {}
            }
        }
    }
    Ok(areas)
}

fn header(line: &str, start: &str, end: &str) -> Option<Area> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let modes = fields.next()?.as_bytes();
    let offset = u64::from_str_radix(fields.next()?, 16).ok()?;
    let (major, minor) = fields.next()?.split_once(':')?;
    let inode = fields.next()?.parse().ok()?;
    // Names may contain spaces, so what is left is found from the front.
    let name = line.splitn(6, ' ').nth(5).unwrap_or_default().trim_start();
    let mode = |index: usize, letter: u8, bit: i32| if modes.get(index) == Some(&letter) { bit } else { 0 };
    Some(Area {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        protection: mode(0, b'r', libc::PROT_READ)
            | mode(1, b'w', libc::PROT_WRITE)
            | mode(2, b'x', libc::PROT_EXEC),
        shared: modes.get(3) == Some(&b's'),
        offset,
        device: u64::from_str_radix(major, 16).ok()? << 32 | u64::from_str_radix(minor, 16).ok()?,
        inode,
        name: name.to_owned(),
        touched: false,
        words: Vec::new(),
    })
}

/// A device number of `stat`, as [`Area::device`] has it.
pub(crate) fn device(number: u64) -> u64 {
    u64::from(rustix::fs::major(number)) << 32 | u64::from(rustix::fs::minor(number))
}

/// Whether the kernel itself put it into the process. Such pieces lie elsewhere in each process, and are moved
/// when one is restored.
pub(crate) fn is_kernel_piece(area: &Area) -> bool {
    area.name == "[vdso]" || area.name.starts_with("[vvar")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
55d0-55d8 r-xp 00002000 fe:00 325843                     /usr/lib/a file.so
Size:                 32 kB
Anonymous:             4 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me dw sd
7f00-7f10 rw-p 00000000 00:00 0 
Anonymous:             0 kB
VmFlags: rd wr dc nr
7ff0-7ff4 r-xp 00000000 00:00 0                          [vdso]
8000-8010 rw-s 00000000 00:01 7 /dev/zero (deleted)
";

    #[test]
    fn areas_are_read() {
        let areas = parse(TEXT).unwrap();
        let [file, private, vdso, shared] = areas.as_slice() else { panic!("{areas:?}") };
        assert_eq!((file.start, file.end, file.offset, file.inode), (0x55d0, 0x55d8, 0x2000, 325_843));
        assert_eq!((file.name.as_str(), file.device), ("/usr/lib/a file.so", 0xfe << 32));
        assert_eq!(file.protection, libc::PROT_READ | libc::PROT_EXEC);
        assert!(file.touched && !file.shared);
        assert!(private.inode == 0 && !private.touched && private.has("dc") && !private.has("gd"));
        assert_eq!((private.name.as_str(), vdso.name.as_str()), ("", "[vdso]"));
        assert!(is_kernel_piece(vdso) && !is_kernel_piece(file));
        assert!(shared.shared && shared.name == "/dev/zero (deleted)");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["1-2\n", "x-y rw-p 0 0:0 0\n", "1-2 rw-p 0 00 0\n"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
