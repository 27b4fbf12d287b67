//! Other programs, run to their end.

use std::io::{self, BufRead as _, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::{Outcome, say};

/// Whether `program` is there and answers `--version`.
pub(crate) fn answers(program: &str) -> bool {
    succeeds(Command::new(program).arg("--version"))
}

/// Whether it ends well; what it prints is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Runs it with its output shown; an end that is not well is an error.
pub(crate) fn run(command: &mut Command) -> Outcome {
    say(&format!("$ {}", shown(command)));
    let status = command.stdin(Stdio::null()).status().map_err(|error| failed(command, &error))?;
    if status.success() { Ok(()) } else { Err(failed(command, &status)) }
}

/// Runs it with its output shown, and hands each line to `line` too.
pub(crate) fn follow(command: &mut Command, mut line: impl FnMut(&str)) -> Outcome<ExitStatus> {
    say(&format!("$ {}", shown(command)));
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().map_err(|error| failed(command, &error))?;
    // The command still holds the pipe's writing end, which would keep the reader waiting.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, lines) = sync_channel(1024);
    thread::spawn(move || read(reader, &sender));
    let mut ended = None;
    loop {
        match lines.recv_timeout(Duration::from_millis(500)) {
            Ok(text) => {
                say(&text);
                line(&text);
            }
            // A process left behind may hold the pipe for ever: half a second of silence is enough.
            Err(RecvTimeoutError::Timeout) if ended.is_some() => break,
            Err(RecvTimeoutError::Timeout) => ended = child.try_wait()?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    match ended {
        Some(status) => Ok(status),
        None => Ok(child.wait()?),
    }
}

fn read(source: impl Read, lines: &SyncSender<String>) {
    let mut source = BufReader::new(source);
    let mut line = Vec::new();
    while source.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if lines.send(text).is_err() {
            return;
        }
        line.clear();
    }
}

fn shown(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn failed(command: &Command, why: &dyn std::fmt::Display) -> Box<dyn std::error::Error> {
    format!("{}: {why}", shown(command)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_outputs_are_followed_to_the_end() {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; printf three; exit 3"]);
        let status = follow(&mut command, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!((status.code(), lines), (Some(3), vec!["one".into(), "two".into(), "three".into()]));
    }

    #[test]
    fn a_process_left_behind_is_not_waited_for() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 30 & echo done"]);
        let began = std::time::Instant::now();
        assert!(follow(&mut command, |_| ()).unwrap().success());
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
