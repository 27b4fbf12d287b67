//! How a spawner comes to be.

use libtest_mimic::Trial;
use pagoda_sandbox::{Config, Error, Spawner, Tree};

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::guest::{self, shell, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("spawners::start_refuses_threads", start_refuses_threads),
        trial("spawners::launch_works_with_threads", launch_works_with_threads),
        trial("spawners::a_missing_tree_means_no_isolation", a_missing_tree_means_no_isolation),
        trial("spawners::without_root_namespaces_still_hold", without_root_namespaces_still_hold),
        trial("spawners::plain_processes_only_when_asked", plain_processes_only_when_asked),
    ]
}

/// Argument that makes this binary a host process without privilege.
pub(crate) const ROOTLESS: &str = "--be-rootless";

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

/// What a guest sees of the host when nobody is root; run as such by [`without_root_namespaces_still_hold`].
pub(crate) fn be_rootless() -> ! {
    let spawner = Spawner::start(Config { pool: 1, ..Config::default() }).expect("a spawner");
    println!("{:?} {}", spawner.isolation(), spawner.missing().iter().any(|text| text.contains("own ids")));
    guest::share(spawner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let look = "import os, socket\nprint(os.getuid(), os.path.exists('/home'), [n for n in os.listdir('/proc') if n.isdigit()])\nfor path in ['/proc/1/environ', '/proc/1/root/etc', '/proc/1/fd']:\n  try: os.listdir(path); print('open')\n  except OSError as error: print(error.errno in (1, 2, 13, 20))\nfor pid in (1, -1):\n  try: os.kill(pid, 9); print('sent')\n  except OSError: print('refused')\ntry: open('/proc/1/environ').read(); print('read')\nexcept OSError: print('refused')\nprint([l.split()[1] for l in open('/proc/self/status') if l.startswith(('CapEff', 'CapPrm', 'CapBnd', 'Seccomp:'))])\ntry: open('/usr/new', 'w'); print('written')\nexcept OSError: print('refused')\nopen('/tmp/new', 'w').write('x')";
    println!("{}", runtime.block_on(guest::output(guest::python(look))));
    println!("{}", runtime.block_on(restored()));
    std::process::exit(0)
}

/// What a restored guest says when nobody is root.
async fn restored() -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let waiting = guest::python("import os; print('restored', os.read(3, 9), os.getuid())");
    match guest::snapshot(waiting, &directory.path().join("image")).await {
        Ok(image) => guest::output(guest::restore(&std::sync::Arc::new(image), "x")).await,
        Err(error) => error.to_string(),
    }
}

async fn without_root_namespaces_still_hold() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: not root, so that every other test is this one");
        return;
    }
    // A copy, because the build directory may be out of another user's reach.
    let place = tempfile::tempdir().unwrap();
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let copy = place.path().join("it");
    // By another process: what one of this process has open for writing, its forks have too, and it can't be executed.
    let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&copy).status().unwrap();
    assert!(copied.success());
    let mut command = Command::new(&copy);
    let found = command.arg(ROOTLESS).uid(12_345).gid(12_345).output().unwrap();
    let stdout = String::from_utf8_lossy(&found.stdout).into_owned();
    if stdout.starts_with("None") {
        println!("skipped: this host has no user namespaces without root: {stdout}");
        return;
    }
    // Its own user's signals reach nobody: the first process is outside its Landlock domain.
    let none = "'0000000000000000'";
    let expected = format!(
        "Partial true\n12345 False ['2']\nTrue\nTrue\nTrue\nrefused\nrefused\nrefused\n[{none}, {none}, {none}, '2']\nrefused\nrestored b'x' 12345\n"
    );
    assert_eq!(stdout, expected, "{}", String::from_utf8_lossy(&found.stderr));
}
