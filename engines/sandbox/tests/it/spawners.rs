//! How a spawner comes to be.

use libtest_mimic::Trial;
use pagoda_sandbox::{Config, Error, Spawner, Tree};

use crate::guest::{shell, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("spawners::start_refuses_threads", start_refuses_threads),
        trial("spawners::launch_works_with_threads", launch_works_with_threads),
        trial("spawners::a_missing_tree_means_no_isolation", a_missing_tree_means_no_isolation),
        trial("spawners::plain_processes_only_when_asked", plain_processes_only_when_asked),
    ]
}

fn launch(config: Config) -> Spawner {
    Spawner::launch(config, &std::env::current_exe().unwrap()).unwrap()
}

/// A configuration whose tree can't be built, which leaves no isolation.
fn impossible(unsafe_no_sandbox: bool) -> Config {
    let trees = vec![Tree { host: "/nowhere/at/all".into(), guest: "/x".into() }];
    Config { trees, pool: 0, unsafe_no_sandbox, ..Config::default() }
}

async fn start_refuses_threads() {
    std::thread::scope(|scope| {
        let (hold, wait) = std::sync::mpsc::sync_channel::<()>(0);
        scope.spawn(move || wait.recv());
        let error = Spawner::start(Config::default()).expect_err("threads exist");
        assert!(matches!(error, Error::Threads { threads } if threads > 1), "{error:?}");
        drop(hold);
    });
}

async fn launch_works_with_threads() {
    let spawner = launch(Config::default());
    let instance = spawner.spawn(shell("exit 5")).await.unwrap();
    assert_eq!(instance.exited().await.end, pagoda_sandbox::End::Code(5));
}

async fn a_missing_tree_means_no_isolation() {
    let spawner = launch(impossible(false));
    assert_eq!(spawner.isolation(), pagoda_sandbox::Isolation::None);
    match spawner.spawn(shell("true")).await {
        Err(Error::NotIsolated(missing)) => assert!(missing.contains("/nowhere/at/all"), "{missing}"),
        other => panic!("{other:?}"),
    }
}

async fn plain_processes_only_when_asked() {
    let spawner = launch(impossible(true));
    let instance = spawner.spawn(shell("exit 6")).await.unwrap();
    assert_eq!(instance.exited().await.end, pagoda_sandbox::End::Code(6));
}
