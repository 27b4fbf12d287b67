//! Processes restored from images.

use std::path::Path;
use std::sync::Arc;

use libtest_mimic::Trial;
use pagoda_sandbox::{End, Image, Spec};

use crate::guest::{all, ids, line, python, spawn, spawner, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("restores::python_goes_on", python_goes_on)]
}

/// Waits for its resume message and prints it.
const ECHO: &str = "import os, sys\nwords = ['kept']\nprint('ready', flush=True)\nmessage = os.read(3, 65536).decode()\nprint(words[0], message, os.getpid(), os.getuid(), flush=True)";

pub(crate) async fn taken(spec: Spec, directory: &Path) -> Arc<Image> {
    let mut instance = spawn(Spec { resume: Some(Vec::new()), ..spec }).await;
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "ready");
    Arc::new(instance.snapshot(&directory.join("image")).await.expect("an image"))
}

async fn python_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let image = taken(python(ECHO), directory.path()).await;
    println!("{} bytes", image.bytes());
    for round in 0..3 {
        let mut spec = Spec::restore(Arc::clone(&image), format!("round {round}").into_bytes(), ids());
        spec.limits.cpu_millis = 2000;
        let begun = std::time::Instant::now();
        let mut instance = spawner().spawn(spec).await.expect("restored");
        let said = line(instance.stdout.as_mut().unwrap()).await;
        println!("{said} {:?}", begun.elapsed());
        println!("{:?}", all(instance.stderr.take().unwrap()).await);
        assert_eq!(instance.exited().await.end, End::Code(0));
    }
}
