//! Taking snapshots, what they refuse, and images that are no good.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;
use pagoda_sandbox::{Bind, Error, Image, Source, Spec};

use crate::guest::{line, output, python, restore, snapshot, spawn, spawner, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("snapshots::what_leads_outside_is_refused_by_name", what_leads_outside_is_refused_by_name),
        trial("snapshots::a_refused_process_runs_on", a_refused_process_runs_on),
        trial("snapshots::who_never_waits_is_waited_for", who_never_waits_is_waited_for),
        trial("snapshots::an_image_is_for_its_owner_alone", an_image_is_for_its_owner_alone),
        trial("snapshots::a_taken_template_is_gone", a_taken_template_is_gone),
        trial("snapshots::damaged_images_are_refused", damaged_images_are_refused),
        trial("snapshots::changed_files_are_refused", changed_files_are_refused),
        trial("snapshots::specifications_are_checked", specifications_are_checked),
    ]
}

const WAIT: &str = "import os; os.read(3, 10); print('resumed')";

async fn what_leads_outside_is_refused_by_name() {
    for (program, expected) in [
        ("import socket; s = socket.socket()", "descriptor 4 (socket:["),
        ("import socket; s = socket.socketpair()", "descriptor 4 (socket:["),
        (
            "import subprocess; subprocess.Popen(['/bin/sleep', '1000'])",
            "children cannot be in an image (it has sleep)",
        ),
        ("f = open('/tmp/file', 'w')", "descriptor 4 (/tmp/file)"),
        ("import mmap; m = mmap.mmap(-1, 4096)", "shared mapping of /dev/zero (deleted)"),
        ("import ctypes; l = ctypes.CDLL(None); l.inotify_init()", "descriptor 4 (anon_inode:inotify)"),
        ("import os, ctypes; r, w = os.pipe(); os.close(r)", "descriptor 5 (pipe:["),
        (
            "import ctypes; ctypes.CDLL(None).timer_create(1, None, ctypes.byref(ctypes.c_long()))",
            "timers of timer_create",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let spec = python(&format!("{program}\n{WAIT}"));
        match snapshot(spec, &directory.path().join("image")).await {
            Err(Error::Snapshot(reason)) => assert!(reason.contains(expected), "{program}: {reason}"),
            other => panic!("{program}: {other:?}"),
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left of {program}");
    }
}

async fn a_refused_process_runs_on() {
    let directory = tempfile::tempdir().unwrap();
    let threads = "import threading, time\nfor _ in range(3): threading.Thread(target=time.sleep, args=(0.01,)).start()\nimport socket; s = socket.socket()\n";
    let mut spec = python(&format!("{threads}{WAIT}"));
    spec.resume = Some(Vec::new());
    let mut instance = spawn(spec).await;
    for _ in 0..3 {
        instance.snapshot(&directory.path().join("image")).await.expect_err("it has a socket");
    }
    drop(instance.resume.take());
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "resumed");
    assert_eq!(instance.exited().await.end, pagoda_sandbox::End::Code(0));
}

async fn who_never_waits_is_waited_for() {
    let mut spec = python("import time; time.sleep(1000)");
    let instance = spawn(spec.clone()).await;
    let error = instance.snapshot("/nowhere".as_ref()).await.expect_err("it has no resume pipe");
    assert!(error.to_string().contains("resume pipe"), "{error}");
    spec.resume = Some(Vec::new());
    let instance = spawn(spec).await;
    let taking = instance.snapshot("/nowhere".as_ref());
    assert!(tokio::time::timeout(Duration::from_millis(100), taking).await.is_err());
    let mut spec = python("pass");
    spec.resume = Some(Vec::new());
    let error = spawn(spec).await.snapshot("/nowhere".as_ref()).await.expect_err("it has ended");
    assert!(matches!(error, Error::Snapshot(_)), "{error}");
}

async fn an_image_is_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image");
    let image = snapshot(python(WAIT), &path).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&path).unwrap().len(), image.bytes());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

async fn a_taken_template_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let mut spec = python(WAIT);
    spec.resume = Some(Vec::new());
    let instance = spawn(spec).await;
    instance.snapshot(&directory.path().join("image")).await.unwrap();
    assert_eq!(instance.exited().await.end, pagoda_sandbox::End::Signal(9));
}

async fn damaged_images_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image");
    let bytes = snapshot(python(WAIT), &path).await.unwrap().bytes();
    let whole = fs::read(&path).unwrap();
    for at in [0, 8, 16, 24, 32, 40, 48, 5000, bytes / 2, bytes - 1] {
        let damaged = directory.path().join("damaged");
        fs::write(&damaged, &whole).unwrap();
        let file = fs::File::options().write(true).open(&damaged).unwrap();
        file.write_all_at(&[whole[at as usize] ^ 0x10], at).unwrap();
        let error = Image::open(&damaged).expect_err("damaged");
        assert!(matches!(error, Error::Image(_)), "{at}: {error}");
    }
    for length in [0, 10, 4096, whole.len() / 2, whole.len() - 1] {
        let short = directory.path().join("short");
        fs::write(&short, &whole[..length]).unwrap();
        assert!(matches!(Image::open(&short), Err(Error::Image(_))), "{length}");
    }
    assert!(matches!(Image::open(&directory.path().join("missing")), Err(Error::Image(_))));
    assert_eq!(output(restore(&Arc::new(Image::open(&path).unwrap()), "x")).await, "resumed");
}

/// A directory with a file that programs map.
fn code(word: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(directory.path().join("data"), word.repeat(4096)).unwrap();
    directory
}

fn bind(mut spec: Spec, code: &tempfile::TempDir) -> Spec {
    spec.binds = vec![Bind { source: Source::Path(code.path().to_owned()), guest: "/var/task".into() }];
    spec
}

async fn changed_files_are_refused() {
    let program = "import mmap, os\nfile = open('/var/task/data', 'rb')\nmapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ, flags=mmap.MAP_PRIVATE)\nos.read(3, 10); print(mapped[:3], file.read(2))";
    let (here, other) = (code("abc"), code("abc"));
    let directory = tempfile::tempdir().unwrap();
    let image =
        Arc::new(snapshot(bind(python(program), &here), &directory.path().join("image")).await.unwrap());
    assert_eq!(output(bind(restore(&image, "x"), &here)).await, "b'abc' b'ab'");
    for (spec, expected) in [
        (restore(&image, "x"), "restoring: opening /var/task/data: No such file"),
        (bind(restore(&image, "x"), &other), "restoring: /var/task/data has changed"),
    ] {
        let error = spawner().spawn(spec).await.expect_err("not the same file").to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

async fn specifications_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let image = Arc::new(snapshot(python(WAIT), &directory.path().join("image")).await.unwrap());
    let (mut without, mut with) = (restore(&image, ""), restore(&image, ""));
    without.resume = None;
    with.environment = vec![("A".to_owned(), "B".to_owned())];
    let mut long = restore(&image, "");
    long.resume = Some(vec![0; pagoda_sandbox::RESUME_BYTES_MAX + 1]);
    for (spec, expected) in [(without, "resume"), (with, "environment"), (long, "at most")] {
        match spawner().spawn(spec).await {
            Err(Error::Spec(reason)) => assert!(reason.contains(expected), "{reason}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let mut few = restore(&image, "x");
    few.limits.open_files = 16;
    let error = spawner().spawn(few).await.expect_err("too few descriptors").to_string();
    assert!(error.starts_with("restoring: putting a descriptor aside"), "{error}");
}
