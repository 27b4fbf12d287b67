//! Clones that wait for their functions.

use std::ops::Range;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Arc;

use libtest_mimic::Trial;
use pagoda_sandbox::{Bind, End, Error, Image, Instance, Ready, Source};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::guest::{all, eventually, ids, line, output, python, restore, snapshot, spawn, spawner, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("clones::one_that_waited_is_taken", one_that_waited_is_taken),
        trial("clones::each_has_an_id_of_its_own", each_has_an_id_of_its_own),
        trial("clones::what_the_claim_adds_is_there", what_the_claim_adds_is_there),
        trial("clones::limits_hold_for_them", limits_hold_for_them),
        trial("clones::what_their_files_need_is_bound", what_their_files_need_is_bound),
        trial("clones::messages_go_on_after_the_claim", messages_go_on_after_the_claim),
        trial("clones::none_are_left_when_none_are_wanted", none_are_left_when_none_are_wanted),
        trial("clones::ids_are_checked", ids_are_checked),
    ]
}

const RUN: &str = "import os\nexec(os.read(3, 65536))";

/// An image of what runs the program that it is told, `count` clones of which wait under ids from `range`.
async fn kept(count: usize, range: &Range<u32>) -> (Arc<Image>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let image = snapshot(python(RUN), &directory.path().join("image")).await.expect("an image");
    spawner()
        .keep_ready(&image, &Ready { count, ids: range.clone(), binds: Vec::new() })
        .await
        .expect("kept");
    let wait = range.clone();
    eventually("clones wait", move || processes(&wait).len() == count).await;
    (Arc::new(image), directory)
}

/// Processes of this host that belong to an id of `range` and read a pipe.
fn processes(range: &Range<u32>) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let of = all.filter(|one| one.metadata().is_ok_and(|found| range.contains(&found.uid())));
    let waits = of.filter(|one| {
        std::fs::read_to_string(one.path().join("syscall")).is_ok_and(|call| call.starts_with("0 0x3 "))
    });
    waits.filter_map(|one| one.file_name().to_str()?.parse().ok()).collect()
}

async fn said(instance: &mut Instance) -> String {
    all(instance.stdout.take().unwrap()).await.trim_end().to_owned()
}

/// Spawns until a clone that had waited was taken: whether the spawner knows yet that it waits can't be seen.
async fn claim(image: &Arc<Image>, program: &str, range: &Range<u32>) -> Instance {
    loop {
        let instance = spawn(restore(image, program)).await;
        if range.contains(&instance.ids().uid) {
            return instance;
        }
    }
}

async fn one_that_waited_is_taken() {
    let range = 500_000..500_010;
    let (image, _directory) = kept(2, &range).await;
    for round in 0..20 {
        let mut instance = claim(&image, &format!("print({round}, os.getuid())"), &range).await;
        assert_eq!(said(&mut instance).await, format!("{round} {}", instance.ids().uid));
        assert_eq!(instance.exited().await.end, End::Code(0));
        assert_eq!(all(instance.stderr.take().unwrap()).await, "");
    }
}

async fn each_has_an_id_of_its_own() {
    let range = 500_100..500_103;
    let (image, _directory) = kept(3, &range).await;
    let mut taken = Vec::new();
    while taken.len() < 3 {
        taken.push(claim(&image, "print('here', flush=True); import time; time.sleep(1000)", &range).await);
        assert_eq!(line(taken.last_mut().unwrap().stdout.as_mut().unwrap()).await, "here");
    }
    let mut found: Vec<u32> = taken.iter().map(|instance| instance.ids().uid).collect();
    found.sort_unstable();
    assert_eq!(found, [500_100, 500_101, 500_102]);
    // All ids are in use: whoever comes now gets the ids that were asked for.
    let spec = restore(&image, "print(os.getuid())");
    let asked = spec.ids.uid;
    assert_eq!(output(spec).await, asked.to_string());
}

async fn what_the_claim_adds_is_there() {
    let range = 500_200..500_210;
    let (image, _directory) = kept(1, &range).await;
    let code = tempfile::tempdir().unwrap();
    std::fs::set_permissions(code.path(), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(code.path().join("word"), "code").unwrap();
    let program = "\
import resource, pwd, socket
os.chdir('/var/task')
s = socket.create_connection(('127.0.0.1', 9001)); s.sendall(b'ask'); s.shutdown(1)
room = os.statvfs('/tmp'); open('/tmp/own', 'w').write('x')
status = dict(line.rstrip('\\n').split(':\\t', 1) for line in open('/proc/self/status'))
print(open('word').read(), s.makefile().read(), room.f_blocks * room.f_bsize, resource.getrlimit(resource.RLIMIT_NOFILE), pwd.getpwuid(os.getuid()).pw_name)
try: os.mkdir('/var/task/new'); print('made')
except OSError as error: print(error.errno)
print(status['CapPrm'], status['CapEff'], status['NoNewPrivs'], status['Seccomp'], sorted(os.listdir('/proc/self/fd')))";
    loop {
        let mut spec = restore(&image, program);
        spec.binds = vec![Bind { source: Source::Path(code.path().to_owned()), guest: "/var/task".into() }];
        spec.listen = vec![9001];
        spec.limits.tmp_bytes = 8 << 20;
        let mut instance = spawn(spec).await;
        let (mut connection, _) = instance.listeners[0].accept().await.unwrap();
        let mut question = String::new();
        connection.read_to_string(&mut question).await.unwrap();
        connection.write_all(b"answer").await.unwrap();
        drop(connection);
        let none = "0000000000000000";
        let expected = format!(
            "code answer {} (1024, 1024) sandbox\n{}\n{none} {none} 1 2 ['0', '1', '2', '3', '4', '5']",
            8 << 20,
            libc::EROFS
        );
        assert_eq!(said(&mut instance).await, expected);
        if range.contains(&instance.ids().uid) {
            return;
        }
    }
}

async fn limits_hold_for_them() {
    let range = 500_300..500_310;
    let (image, _directory) = kept(1, &range).await;
    loop {
        let mut spec = restore(&image, "a = bytearray(300 << 20); print('survived')");
        spec.limits.memory_bytes = 64 << 20;
        let instance = spawn(spec).await;
        let exit = instance.exited().await;
        assert_eq!((exit.end, exit.oom_killed), (End::Signal(9), true));
        if range.contains(&instance.ids().uid) {
            return;
        }
    }
}

async fn messages_go_on_after_the_claim() {
    let range = 500_400..500_410;
    let (image, _directory) = kept(1, &range).await;
    let program =
        "print('first', flush=True)\nwhile part := os.read(3, 1000): print(part, flush=True)\nprint('end')";
    let mut instance = claim(&image, program, &range).await;
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "first");
    instance.resume.as_mut().unwrap().write_all(b"second").await.unwrap();
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "b'second'");
    instance.freeze().unwrap();
    instance.thaw().unwrap();
    instance.resume = None;
    assert_eq!(said(&mut instance).await, "end");
}

async fn what_their_files_need_is_bound() {
    let range = 500_600..500_610;
    let bound = tempfile::tempdir().unwrap();
    std::fs::set_permissions(bound.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(bound.path().join("data"), "abc").unwrap();
    let here = Bind { source: Source::Path(bound.path().to_owned()), guest: "/var/runtime".into() };
    let mut template = python(&format!("file = open('/var/runtime/data')\n{RUN}"));
    template.binds = vec![here.clone()];
    let directory = tempfile::tempdir().unwrap();
    let image = Arc::new(snapshot(template, &directory.path().join("image")).await.unwrap());
    let ready = Ready { count: 1, ids: range.clone(), binds: vec![here.clone()] };
    spawner().keep_ready(&image, &ready).await.unwrap();
    let wait = range.clone();
    eventually("one waits", move || processes(&wait).len() == 1).await;
    let mut instance = loop {
        let mut spec = restore(&image, "print(file.read(), os.listdir('/var/runtime'))");
        spec.binds = vec![here.clone()];
        let instance = spawn(spec).await;
        if range.contains(&instance.ids().uid) {
            break instance;
        }
    };
    assert_eq!(said(&mut instance).await, "abc ['data']");
    let elsewhere = Bind { guest: "/etc".into(), ..here };
    let ready = Ready { binds: vec![elsewhere], ..ready };
    let error = spawner().keep_ready(&image, &ready).await.expect_err("no mount point");
    assert!(matches!(error, Error::Spec(_)), "{error}");
}

async fn none_are_left_when_none_are_wanted() {
    let range = 500_500..500_510;
    let (image, _directory) = kept(3, &range).await;
    spawner().keep_ready(&image, &Ready { count: 1, ids: range.clone(), binds: Vec::new() }).await.unwrap();
    let wait = range.clone();
    eventually("two are gone", move || processes(&wait).len() == 1).await;
    spawner().keep_ready(&image, &Ready { count: 0, ids: range.clone(), binds: Vec::new() }).await.unwrap();
    let wait = range.clone();
    eventually("all are gone", move || processes(&wait).is_empty()).await;
    let mut spec = restore(&image, "print(os.getuid())");
    spec.ids = ids();
    let asked = spec.ids.uid;
    assert_eq!(output(spec).await, asked.to_string());
}

async fn ids_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let image = snapshot(python(RUN), &directory.path().join("image")).await.unwrap();
    for (count, ids) in [(1, 7..7), (1, 0..7), (5000, 1..9)] {
        let error = spawner()
            .keep_ready(&image, &Ready { count, ids, binds: Vec::new() })
            .await
            .expect_err("refused");
        assert!(matches!(error, Error::Spec(_)), "{error}");
    }
}
