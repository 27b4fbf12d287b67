//! Whatever ends, nothing of the instance is left.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use pagoda_sandbox::{Config, End, Spawner};

use crate::guest::{eventually, line, python, runs, shell, spawn, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("ends::kill_reaches_daemons", kill_reaches_daemons),
        trial("ends::drop_reaches_daemons", drop_reaches_daemons),
        trial("ends::dying_host_takes_all_along", dying_host_takes_all_along),
        trial("ends::dying_spawner_takes_all_along", dying_spawner_takes_all_along),
        trial("ends::nothing_is_left_behind", nothing_is_left_behind),
    ]
}

/// Argument that makes this binary the host process that gets killed.
pub(crate) const VICTIM: &str = "--be-victim";

/// A program with two daemons that have left its session, all of which carry `word` as an argument.
fn daemons(word: &str) -> pagoda_sandbox::Spec {
    let program = "import os, time\nfor _ in range(2):\n  if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(1000)\n    os._exit(0)\nprint('ready'); time.sleep(1000)";
    let mut spec = python(program);
    let pagoda_sandbox::Start::Exec { arguments, .. } = &mut spec.start else { unreachable!() };
    arguments.push(word.to_owned());
    spec
}

fn word(name: &str) -> String {
    format!("pagoda-{name}-{}", std::process::id())
}

async fn kill_reaches_daemons() {
    let word = word("kill");
    let mut instance = spawn(daemons(&word)).await;
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "ready");
    assert!(runs(&word));
    instance.kill();
    assert_eq!(instance.exited().await.end, End::Signal(9));
    assert!(!runs(&word));
}

async fn drop_reaches_daemons() {
    let word = word("drop");
    let mut instance = spawn(daemons(&word)).await;
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "ready");
    instance.freeze().unwrap();
    drop(instance);
    eventually("the daemons are gone", || !runs(&word)).await;
}

/// The victim: starts daemons, freezes one instance, says so, and waits to be killed.
pub(crate) fn be_victim() -> ! {
    let word = std::env::args().nth(2).unwrap_or_default();
    let spawner = Spawner::start(Config::default()).expect("a spawner");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut instances = Vec::new();
        for _ in 0..2 {
            let mut instance = spawner.spawn(daemons(&word)).await.expect("an instance");
            assert_eq!(line(instance.stdout.as_mut().expect("output")).await, "ready");
            instances.push(instance);
        }
        instances[0].freeze().expect("frozen");
        println!("{}", spawner.pid());
        std::future::pending::<()>().await;
    });
    unreachable!()
}

async fn dying_host_takes_all_along() {
    let word = word("host");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([VICTIM, &word])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pid = String::new();
    BufReader::new(victim.stdout.take().unwrap()).read_line(&mut pid).unwrap();
    assert!(runs(&word));
    victim.kill().unwrap();
    victim.wait().unwrap();
    let spawner = PathBuf::from("/proc").join(pid.trim());
    eventually("spawner and instances are gone", || !spawner.exists() && !runs(&word)).await;
    assert_eq!(groups(pid.trim()), Vec::<PathBuf>::new());
}

async fn dying_spawner_takes_all_along() {
    let word = word("spawner");
    let spawner = Spawner::launch(Config::default(), &std::env::current_exe().unwrap()).unwrap();
    let mut instance = spawner.spawn(daemons(&word)).await.unwrap();
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "ready");
    let pid = rustix::process::Pid::from_raw(spawner.pid().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert_eq!(instance.exited().await.end, End::Signal(9));
    eventually("the daemons are gone", || !runs(&word)).await;
    let error = spawner.spawn(shell("true")).await.expect_err("no instance");
    assert!(matches!(error, pagoda_sandbox::Error::Ended), "{error:?}");
    // What it could not clean up, the next spawner does; what is still emptying then, the one after it.
    eventually("its groups are gone", || {
        drop(Spawner::launch(Config::default(), &std::env::current_exe().unwrap()).unwrap());
        groups(&spawner.pid().to_string()).is_empty()
    })
    .await;
}

async fn nothing_is_left_behind() {
    let config = Config { pool: 0, ..Config::default() };
    let spawner = Spawner::launch(config, &std::env::current_exe().unwrap()).unwrap();
    let pid = spawner.pid().to_string();
    let descriptors = || std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let (before, own_groups) = (descriptors(), groups(&pid).len());
    assert!(own_groups > 0, "this host has no cgroups to look at");
    for round in 0..30 {
        let instance = spawner.spawn(shell("sleep 1000 & exit 0")).await.unwrap();
        if round % 2 == 0 {
            instance.exited().await;
        }
    }
    eventually("no group is left", || groups(&pid).len() == own_groups).await;
    eventually("no child is left", || children(&pid) == 0).await;
    eventually("no descriptor is left", || descriptors() == before).await;
    drop(spawner);
    assert_eq!(groups(&pid), Vec::<PathBuf>::new());
    assert!(!PathBuf::from("/proc").join(&pid).exists());
}

/// Directories of the spawner `pid` in all cgroup hierarchies, those of its instances included.
fn groups(pid: &str) -> Vec<PathBuf> {
    let (mut found, mut next) = (Vec::new(), vec![PathBuf::from("/sys/fs/cgroup")]);
    while let Some(directory) = next.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                next.push(entry.path());
                if entry.path().to_string_lossy().contains(&format!("/pagoda.{pid}.")) {
                    found.push(entry.path());
                }
            }
        }
    }
    found
}

/// Children of process `pid`, zombies included.
fn children(pid: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let parents = processes.filter_map(|process| {
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        Some(stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.to_owned())
    });
    parents.filter(|parent| parent == pid).count()
}
