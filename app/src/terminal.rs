//! All that is printed: results on standard output, progress and logs on standard error; coloured and
//! drawn for people, plain for pipes.
#![allow(clippy::print_stdout)] // this is the one place

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use tracing_subscriber::EnvFilter;

use crate::error::Error;

/// Sends the log to standard error; `PAGODA_LOG` says how much of it (default: `info`).
pub(crate) fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("PAGODA_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,fjall=warn,lsm_tree=warn"));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
}

/// One line of a result.
pub(crate) fn say(line: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    // A reader that went away is no failure of ours.
    let _ = writeln!(out, "{}", line.as_ref());
    let _ = out.flush();
}

/// Something beside the result, on standard error.
pub(crate) fn remark(text: impl AsRef<str>) {
    eprintln!("{}", text.as_ref());
}

/// A failure, on standard error.
pub(crate) fn fail(error: &Error) {
    let (red, end) = if std::io::stderr().is_terminal() { ("\x1b[31m", "\x1b[0m") } else { ("", "") };
    eprintln!("{red}error:{end} {error}");
    if let Some(hint) = &error.hint {
        eprintln!("hint: {hint}");
    }
}

/// Rows under headings: a table for people, tab-separated for pipes.
pub(crate) fn rows(headings: &[&str], rows: &[Vec<String>]) {
    if !std::io::stdout().is_terminal() {
        for row in rows {
            say(row.join("\t"));
        }
        return;
    }
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings);
    for row in rows {
        table.add_row(row);
    }
    say(table.to_string());
}

/// A line that tells what is going on, until it is done.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        bar.set_message(what.into());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// What is going on now.
    pub(crate) fn now(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
    }

    /// Something is done: it stays on the screen, or goes to the log of a pipe.
    pub(crate) fn done(&self, what: impl AsRef<str>) {
        if self.0.is_hidden() {
            eprintln!("{}", what.as_ref());
        } else {
            self.0.println(what.as_ref());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
