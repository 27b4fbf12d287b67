//! What an instance may use up, used up; the neighbour must not notice.

use libtest_mimic::Trial;
use pagoda_sandbox::End;

use crate::guest::{both, line, outcome, output, python, spawn};

pub(crate) fn trials() -> Vec<Trial> {
    [
        both("limits::fork_bomb_is_contained", fork_bomb_is_contained),
        both("limits::memory_exhaustion_is_reported", memory_exhaustion_is_reported),
        both("limits::guests_end_first_when_memory_ends", guests_end_first_when_memory_ends),
        both("limits::temporary_files_count_as_memory", temporary_files_count_as_memory),
        both("limits::open_files", open_files),
        both("limits::processor_share", processor_share),
        both("limits::processor_share_can_change", processor_share_can_change),
        both("limits::accounts_can_be_read", accounts_can_be_read),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn fork_bomb_is_contained() {
    let bomb = "import os, time\nwhile True:\n  try: os.fork()\n  except OSError as error: os.write(1, b'%d\\n' % error.errno); time.sleep(1000)";
    let mut spec = python(bomb);
    spec.limits.pids = 30;
    let mut bomber = spawn(spec).await;
    assert_eq!(line(bomber.stdout.as_mut().unwrap()).await, libc::EAGAIN.to_string());
    assert_eq!(
        output(python("import subprocess; print(subprocess.check_output(['/bin/echo', 'well']))")).await,
        "b'well\\n'"
    );
    bomber.kill();
    assert_eq!(bomber.exited().await.end, End::Signal(9));
}

async fn memory_exhaustion_is_reported() {
    let mut spec = python("a = bytearray(300 << 20); print('survived')");
    spec.limits.memory_bytes = 64 << 20;
    let (stdout, _, exit) = outcome(spec).await;
    assert_eq!((stdout.as_str(), exit.end, exit.oom_killed), ("", End::Signal(9), true));
    assert!(exit.memory_peak_bytes > 48 << 20 && exit.memory_peak_bytes <= 64 << 20, "{exit:?}");
    assert_eq!(output(python("print('well')")).await, "well");
}

async fn guests_end_first_when_memory_ends() {
    let told = output(python("print(open('/proc/self/oom_score_adj').read().strip())")).await;
    assert_eq!(told, "1000");
    let own = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    assert_ne!(own.trim(), "1000", "the host process keeps its own");
}

async fn temporary_files_count_as_memory() {
    for place in ["/tmp/file", "/dev/shm/file"] {
        let fill = format!(
            "f = open({place:?}, 'wb')\nfor _ in range(60): f.write(bytes(1 << 20))\nprint('survived')"
        );
        let mut spec = python(&fill);
        spec.limits.memory_bytes = 32 << 20;
        let (stdout, _, exit) = outcome(spec).await;
        assert_eq!((stdout.as_str(), exit.oom_killed), ("", true), "{place}");
    }
}

async fn open_files() {
    let mut spec = python(
        "import resource\nprint(resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(resource.RLIMIT_CORE))",
    );
    spec.limits.open_files = 100;
    assert_eq!(output(spec).await, "(100, 100) (0, 0)");
}

async fn processor_share() {
    // Spins until it has had a tenth of a second; with a tenth of a core that takes about a second.
    let spin = "import time\nbegun = time.monotonic()\nwhile time.process_time() < 0.15: pass\nprint(time.monotonic() - begun > 0.6)";
    let mut spec = python(spin);
    spec.limits.cpu_millis = 100;
    assert_eq!(output(spec).await, "True");
}

async fn accounts_can_be_read() {
    let spin = "import time\na = bytearray(20 << 20)\nwhile time.process_time() < 0.05: pass\nprint('ready'); time.sleep(1000)";
    let mut instance = spawn(python(spin)).await;
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "ready");
    assert!(instance.cpu_micros().unwrap() >= 50_000);
    assert!(instance.memory_peak_bytes().unwrap() >= 20 << 20);
}

/// Begins with a whole core and goes on with a tenth: how long it works per second of its time tells which.
async fn processor_share_can_change() {
    let work = "import time, sys\ndef share():\n  wall, cpu = time.monotonic(), time.process_time()\n  \
                while time.monotonic() < wall + 0.4: pass\n  return (time.process_time() - cpu) / 0.4\n\
                print('ready', flush=True)\nfor _ in range(20):\n  s = share()\n  if s < 0.2: break\nprint(s < 0.2)";
    let mut spec = python(work);
    spec.limits.cpu_millis = 1000;
    let mut instance = spawn(spec).await;
    let stdout = instance.stdout.as_mut().unwrap();
    assert_eq!(line(stdout).await, "ready");
    instance.set_cpu_millis(100).unwrap();
    assert_eq!(line(instance.stdout.as_mut().unwrap()).await, "True");
}
