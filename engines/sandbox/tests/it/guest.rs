//! Guests for the tests: spawn a program, read all that it prints, wait for its end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use pagoda_sandbox::{End, Exit, Ids, Instance, Spawner, Spec};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

static SPAWNER: OnceLock<Spawner> = OnceLock::new();
static NEXT_ID: AtomicU32 = AtomicU32::new(300_000);

/// Makes `spawner` the one that all tests share.
pub(crate) fn share(spawner: Spawner) {
    SPAWNER.set(spawner).expect("shared once");
}

pub(crate) fn spawner() -> &'static Spawner {
    SPAWNER.get().expect("shared before the trials")
}

/// A test with a runtime of its own.
pub(crate) fn trial<F>(name: &str, test: impl FnOnce() -> F + Send + 'static) -> Trial
where
    F: Future<Output = ()>,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(Failed::from)?.block_on(test());
        Ok(())
    })
}

/// Ids that no other test uses.
pub(crate) fn ids() -> Ids {
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    Ids { uid: id, gid: id }
}

/// A guest that runs a Python program with a whole core.
pub(crate) fn python(program: &str) -> Spec {
    let mut spec = Spec::exec("/usr/bin/python3", &["-I", "-S", "-u", "-c", program], ids());
    spec.limits.cpu_millis = 2000;
    spec
}

pub(crate) fn shell(program: &str) -> Spec {
    let mut spec = Spec::exec("/bin/sh", &["-c", program], ids());
    spec.environment = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    spec.limits.cpu_millis = 2000;
    spec
}

pub(crate) async fn spawn(spec: Spec) -> Instance {
    spawner().spawn(spec).await.expect("an instance")
}

/// What the guest printed, both outputs, and how it ended.
pub(crate) async fn outcome(spec: Spec) -> (String, String, Exit) {
    let mut instance = spawn(spec).await;
    let (stdout, stderr) = (instance.stdout.take().unwrap(), instance.stderr.take().unwrap());
    let (stdout, stderr) = tokio::join!(all(stdout), all(stderr));
    (stdout, stderr, instance.exited().await)
}

/// What a guest printed that must succeed.
pub(crate) async fn output(spec: Spec) -> String {
    let (stdout, stderr, exit) = outcome(spec).await;
    assert_eq!(exit.end, End::Code(0), "{exit:?}\n{stdout}\n{stderr}");
    stdout.trim_end().to_owned()
}

pub(crate) async fn all(mut pipe: Receiver) -> String {
    let mut text = Vec::new();
    pipe.read_to_end(&mut text).await.unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

/// One line of output.
pub(crate) async fn line(pipe: &mut Receiver) -> String {
    let mut text = Vec::new();
    loop {
        match pipe.read_u8().await {
            Ok(b'\n') | Err(_) => return String::from_utf8_lossy(&text).into_owned(),
            Ok(byte) => text.push(byte),
        }
    }
}

/// Looks until the kernel has got somewhere, of which it gives no notice.
pub(crate) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Whether a process of this host has `word` among its arguments.
pub(crate) fn runs(word: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok())
        .any(|arguments| arguments.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes()))
}
