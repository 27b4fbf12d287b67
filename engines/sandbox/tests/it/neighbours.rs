//! Two instances side by side must not reach each other.

use libtest_mimic::Trial;
use pagoda_sandbox::Instance;

use crate::guest::{line, output, python, spawn, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("neighbours::processes_are_out_of_reach", processes_are_out_of_reach),
        trial("neighbours::same_ids_do_not_help", same_ids_do_not_help),
        trial("neighbours::no_shared_objects", no_shared_objects),
        trial("neighbours::no_shared_sockets", no_shared_sockets),
    ]
}

const WAIT: &str = "print('ready'); import time; time.sleep(1000)";

async fn waiting(before: &str) -> Instance {
    let mut spec = python(&format!("{before}\n{WAIT}"));
    spec.environment = vec![("SECRET".to_owned(), "neighbour".to_owned())];
    let mut instance = spawn(spec).await;
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "ready");
    instance
}

/// Signals every number that a process could have, and looks into every `/proc` entry for the secret.
const REACH: &str = "import os\nfound = []\nfor pid in range(1, 40000):\n  if pid == os.getpid(): continue\n  try: os.kill(pid, 9); found.append(pid)\n  except OSError: pass\n  try: found.append(b'neighbour' in open(f'/proc/{pid}/environ', 'rb').read())\n  except OSError: pass\nprint(found)";

async fn processes_are_out_of_reach() {
    let neighbour = waiting("").await;
    assert_eq!(output(python(REACH)).await, "[]");
    assert!(tokio::time::timeout(std::time::Duration::ZERO, neighbour.exited()).await.is_err());
}

async fn same_ids_do_not_help() {
    let ids = crate::guest::ids();
    let mut first = python(WAIT);
    first.ids = ids;
    let mut neighbour = spawn(first).await;
    assert_eq!(line(neighbour.stdout.as_mut().unwrap()).await, "ready");
    let mut second = python(REACH);
    second.ids = ids;
    assert_eq!(output(second).await, "[]");
    assert!(tokio::time::timeout(std::time::Duration::ZERO, neighbour.exited()).await.is_err());
}

async fn no_shared_objects() {
    let make =
        "import ctypes\nassert ctypes.CDLL(None).shmget(4711, 4096, 0o1666) >= 0\nopen('/dev/shm/mark', 'w')";
    let _neighbour = waiting(make).await;
    let look = "import ctypes, os\nprint(ctypes.CDLL(None).shmget(4711, 4096, 0), os.listdir('/dev/shm'))";
    assert_eq!(output(python(look)).await, "-1 []");
}

async fn no_shared_sockets() {
    let serve = "import socket\ns = socket.socket(); s.bind(('127.0.0.1', 4711)); s.listen()\nu = socket.socket(socket.AF_UNIX); u.bind('\\0neighbour'); u.listen()";
    let _neighbour = waiting(serve).await;
    let connect = "import socket\nfor s, a in [(socket.socket(), ('127.0.0.1', 4711)), (socket.socket(socket.AF_UNIX), '\\0neighbour')]:\n  try: s.connect(a); print('connected')\n  except OSError as error: print(error.errno)";
    assert_eq!(
        output(python(connect)).await,
        [libc::ECONNREFUSED; 2].map(|errno| errno.to_string()).join("\n")
    );
}
