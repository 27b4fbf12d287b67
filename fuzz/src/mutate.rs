//! Well-formed inputs become slightly or badly malformed ones.

use crate::splitmix::SplitMix;

/// Longer inputs find nothing that these do not.
const BYTES_MAX: usize = 64 * 1024;
/// Pieces that readers trip over.
const PIECES: [&[u8]; 24] = [
    b"0",
    b"-1",
    b"9223372036854775808",
    b"1e999999999",
    b"0.0000000001",
    b"null",
    b"\"",
    b"'",
    b"\\u0000",
    b"\\ud800",
    b"%00",
    b"%",
    b"&",
    b"<",
    b"]]>",
    b"<!DOCTYPE x [<!ENTITY y \"z\">]>",
    b"{",
    b"[",
    b"(",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xf0\x9f\x98\x80",
    b"\xc3",
];
/// How often a piece is repeated: past every limit of depth.
const REPETITIONS: [usize; 4] = [2, 17, 130, 3_000];

/// An input made from one of `seeds`; `words` are pieces that mean something to the target.
pub(crate) fn mutate(random: &mut SplitMix, seeds: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..1 + random.below(4) {
        step(random, &mut input, seeds, words);
    }
    input.truncate(BYTES_MAX);
    input
}

fn step(random: &mut SplitMix, input: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str]) {
    let at = random.below(input.len() + 1);
    let until = (at + 1 + random.below(24)).min(input.len());
    match random.below(8) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < until => drop(input.drain(at..until)),
        2 => insert(input, at, random.one_of(&PIECES)),
        3 if !words.is_empty() => insert(input, at, random.one_of(words).as_bytes()),
        4 if at < until => {
            let piece = input[at..until].repeat(REPETITIONS[random.below(REPETITIONS.len())]);
            insert(input, at, &piece);
        }
        5 => input.truncate(at),
        6 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        _ if at < until => {
            let piece = if words.is_empty() || random.below(2) == 0 {
                random.one_of(&PIECES)
            } else {
                random.one_of(words).as_bytes()
            };
            input.splice(at..until, piece.iter().copied());
        }
        _ => {}
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    input.splice(at..at, piece.iter().copied());
}
