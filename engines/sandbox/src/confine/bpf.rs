//! Assembles a classic BPF program for seccomp from a map of rules.
//!
//! The map becomes a binary search over runs of neighbouring call numbers with one rule each, so that an
//! allowed call costs about seven comparisons, and the kernel's check of the program when it is installed
//! (which emulates it once for each call number) stays far below a linear chain's.

use std::collections::BTreeMap;

use libc::{
    BPF_ABS, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter,
};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Allow,
    /// Fails with this error number.
    Deny(i32),
    /// Looks at the low 32 bits of an argument, which is all that the kernel itself looks at in each of our
    /// uses (comparing all 64 would let set high bits slip past).
    When {
        argument: u32,
        is: Test,
        then: &'static Rule,
        otherwise: &'static Rule,
    },
}

/// A test of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Test {
    OneOf(&'static [u32]),
    HasAnyBit(u32),
}

/// Offsets in `struct seccomp_data`.
const NUMBER_OFFSET: u32 = 0;
const ARCHITECTURE_OFFSET: u32 = 4;
const ARGUMENTS_OFFSET: u32 = 16;

/// The program: `rules` by call number, `default` for every other number and for any call made through
/// another architecture's interface than `architecture` (an `AUDIT_ARCH_*`).
pub(crate) fn assemble(architecture: u32, rules: &BTreeMap<u32, Rule>, default: Rule) -> Vec<sock_filter> {
    let runs = runs(rules, default);
    let mut program = vec![load(ARCHITECTURE_OFFSET), jump(BPF_JEQ, architecture, 1, 0), ret(libc::ENOSYS)];
    program.push(load(NUMBER_OFFSET));
    program.extend(search(&runs));
    program
}

/// Runs of numbers with one rule, each by its first number; the first begins at 0.
fn runs(rules: &BTreeMap<u32, Rule>, default: Rule) -> Vec<(u32, Rule)> {
    let mut runs = vec![(0, default)];
    let mut push = |start: u32, rule: Rule| match runs.last_mut() {
        Some(last) if last.0 == start => last.1 = rule,
        Some(last) if last.1 == rule => {}
        _ => runs.push((start, rule)),
    };
    for (&number, &rule) in rules {
        push(number, rule);
        if !rules.contains_key(&(number + 1)) {
            push(number + 1, default);
        }
    }
    runs
}

fn search(runs: &[(u32, Rule)]) -> Vec<sock_filter> {
    if let [(_, rule)] = runs {
        return leaf(*rule);
    }
    let (left, right) = runs.split_at(runs.len() / 2);
    let (low, high) = (search(left), search(right));
    let pivot = right.first().map_or(0, |run| run.0);
    // Conditional jumps reach 255 instructions only, so the far side is reached by an unconditional one.
    let mut program = vec![jump(BPF_JGE, pivot, 0, 1), always(low.len())];
    program.extend(low);
    program.extend(high);
    program
}

fn leaf(rule: Rule) -> Vec<sock_filter> {
    match rule {
        Rule::Allow => vec![statement(BPF_RET | BPF_K, libc::SECCOMP_RET_ALLOW)],
        Rule::Deny(errno) => vec![ret(errno)],
        Rule::When { argument, is, then, otherwise } => {
            let (then, otherwise) = (leaf(*then), leaf(*otherwise));
            let mut program = vec![load(ARGUMENTS_OFFSET + 8 * argument)];
            match is {
                Test::HasAnyBit(mask) => program.push(jump(BPF_JSET, mask, 1, 0)),
                Test::OneOf(values) => {
                    for (index, &value) in values.iter().enumerate() {
                        let to_then = u8::try_from(values.len() - index).unwrap_or(u8::MAX);
                        program.push(jump(BPF_JEQ, value, to_then, 0));
                    }
                }
            }
            program.push(always(then.len()));
            program.extend(then);
            program.extend(otherwise);
            program
        }
    }
}

fn ret(errno: i32) -> sock_filter {
    statement(BPF_RET | BPF_K, libc::SECCOMP_RET_ERRNO | errno.unsigned_abs())
}

fn load(offset: u32) -> sock_filter {
    statement(BPF_LD | BPF_W | BPF_ABS, offset)
}

fn always(skip: usize) -> sock_filter {
    statement(BPF_JMP | BPF_JA, u32::try_from(skip).unwrap_or(u32::MAX))
}

fn jump(test: u32, value: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { jt, jf, ..statement(BPF_JMP | test | BPF_K, value) }
}

fn statement(code: u32, k: u32) -> sock_filter {
    // Every code above is below 0x100.
    sock_filter { code: u16::try_from(code).unwrap_or_default(), jt: 0, jf: 0, k }
}
