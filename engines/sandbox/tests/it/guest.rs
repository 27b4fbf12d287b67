//! Guests for the tests: spawn a program, read all that it prints, wait for its end.

use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use pagoda_sandbox::{End, Error, Exit, Ids, Image, Instance, Spawner, Spec};
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

thread_local! {
    /// What Python programs of this trial are restored from, instead of executing the interpreter.
    static IMAGE: RefCell<Option<Arc<Image>>> = const { RefCell::new(None) };
}

/// A Python that waits for the program that it is to run.
const WAITING: &str = "import os
program = os.read(3, 65536)
os.close(3)
exec(program)";

/// A test whose Python programs run in restored guests.
fn restored_trial<F>(name: &str, test: impl FnOnce() -> F + Send + 'static) -> Trial
where
    F: Future<Output = ()>,
{
    trial(name, move || async move {
        let directory = tempfile::tempdir().unwrap();
        let image = snapshot(python(WAITING), &directory.path().join("image")).await.unwrap();
        IMAGE.replace(Some(Arc::new(image)));
        test().await;
        IMAGE.take();
    })
}

/// A test of what holds for executed programs and for restored ones.
pub(crate) fn both<F>(name: &str, test: impl FnOnce() -> F + Copy + Send + 'static) -> [Trial; 2]
where
    F: Future<Output = ()>,
{
    [trial(name, test), restored_trial(&format!("restored::{name}"), test)]
}

/// An image of `spec`'s program, once it waits.
pub(crate) async fn snapshot(spec: Spec, path: &Path) -> Result<Image, Error> {
    let mut template = spawn(Spec { resume: Some(Vec::new()), ..spec }).await;
    let stderr = template.stderr.take().unwrap();
    tokio::select! {
        image = template.snapshot(path) => image,
        said = all(stderr) => panic!("the template ended: {said}"),
        () = tokio::time::sleep(Duration::from_secs(60)) => panic!("the template never waited"),
    }
}

/// A guest that runs a Python program with a whole core.
pub(crate) fn python(program: &str) -> Spec {
    if let Some(image) = IMAGE.with_borrow(Clone::clone) {
        return restore(&image, program);
    }
    let mut spec = Spec::exec("/usr/bin/python3", &["-I", "-S", "-u", "-c", program], ids());
    spec.limits.cpu_millis = 2000;
    spec
}

/// A guest restored from `image` that is told `message`.
pub(crate) fn restore(image: &Arc<Image>, message: &str) -> Spec {
    let mut spec = Spec::restore(Arc::clone(image), message.as_bytes().to_vec(), ids());
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
