//! Processes of real interpreters, restored: threads, timers, collectors, compiled code and all.

use std::path::Path;
use std::sync::Arc;

use libtest_mimic::Trial;
use pagoda_sandbox::{End, Image, Spec};
use tokio::io::AsyncWriteExt;

use crate::guest::{all, ids, line, outcome, output, python, restore, snapshot, spawn, spawner, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("restores::python_goes_on", python_goes_on),
        trial("restores::node_goes_on", node_goes_on),
        trial("restores::java_goes_on", java_goes_on),
        trial("restores::hundreds_answer_rightly", hundreds_answer_rightly),
        trial("restores::clones_share_nothing", clones_share_nothing),
        trial("restores::a_clone_can_be_an_image_again", a_clone_can_be_an_image_again),
        trial("restores::own_pipes_sets_and_timers_are_there", own_pipes_sets_and_timers_are_there),
        trial("restores::openssl_seeds_itself_anew", openssl_seeds_itself_anew),
        trial("restores::what_was_rehearsed_costs_no_faults", what_was_rehearsed_costs_no_faults),
        trial("restores::it_looks_executed", it_looks_executed),
        trial("restores::long_messages_arrive_whole", long_messages_arrive_whole),
    ]
}

/// An image of what waits, in a directory that lives as long.
async fn image(spec: Spec) -> (Arc<Image>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let image = snapshot(spec, &directory.path().join("image")).await.expect("an image");
    (Arc::new(image), directory)
}

/// A program of an interpreter that not every host has; says so where it is missing.
fn program(path: &str, arguments: &[&str]) -> Option<Spec> {
    if !Path::new(path).exists() {
        println!("SKIPPED: this host has no {path}");
        return None;
    }
    let mut spec = Spec::exec(path, arguments, ids());
    spec.limits.cpu_millis = 2000;
    spec.limits.memory_bytes = 1 << 30;
    Some(spec)
}

/// Restores many at once, each with a number of its own, and compares what each says.
async fn check(image: &Arc<Image>, count: usize, expected: fn(usize) -> String) {
    for batch in (0..count).collect::<Vec<_>>().chunks(8) {
        let tasks: Vec<_> = batch
            .iter()
            .map(|number| {
                let mut spec = restore(image, &number.to_string());
                spec.limits.memory_bytes = 1 << 30;
                tokio::spawn(outcome(spec))
            })
            .collect();
        for (number, task) in batch.iter().zip(tasks) {
            let (stdout, stderr, exit) = task.await.unwrap();
            assert_eq!(exit.end, End::Code(0), "{number}: {exit:?}\n{stdout}\n{stderr}");
            assert_eq!((stdout.trim_end(), stderr.as_str()), (expected(*number).as_str(), ""), "{number}");
        }
    }
}

const PYTHON: &str = "\
import gc, os, threading, time
found, go = [], threading.Event()
def work(n):
  own = threading.get_native_id(); go.wait(); found.append(n if own == threading.get_native_id() else own)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in threads]
number = int(os.read(3, 100))
go.set(); [t.join() for t in threads]
rest = [threading.Thread(target=found.append, args=(n,)) for n in range(4, 8)]
[t.start() for t in rest]; [t.join() for t in rest]
gc.collect(); time.sleep(0.001)
print(sorted(found), number * 2, len([object() for _ in range(100000)]))";

async fn python_goes_on() {
    let (image, _directory) = image(python(PYTHON)).await;
    check(&image, 40, |number| format!("[0, 1, 2, 3, 4, 5, 6, 7] {} 100000", number * 2)).await;
}

const NODE: &str = r#"
const fs = require('fs'), { Worker } = require('worker_threads'), buffer = Buffer.alloc(100);
const double = `const { parentPort } = require('worker_threads');
  parentPort.on('message', (n) => parentPort.postMessage(n * 2))`;
const worker = new Worker(double, { eval: true });
const answer = (n) => new Promise((done) => { worker.once('message', done); worker.postMessage(n); });
function hot(n) { let sum = 0; for (let i = 0; i < n; i++) sum = (sum + i * i) % 1000003; return sum; }
for (let i = 0; i < 200; i++) hot(1000);
let ticks = 0; const timer = setInterval(() => ticks++, 2);
(async () => {
  const before = await answer(4);
  await fs.promises.stat('/usr');
  const number = Number(buffer.toString('utf8', 0, fs.readSync(3, buffer)));
  await new Promise((done) => setTimeout(done, 10));
  const garbage = []; for (let i = 0; i < 100000; i++) garbage.push({ i }); global.gc();
  const [twice, name, key] = await Promise.all([
    answer(number), fs.promises.readFile('/etc/hostname', 'utf8'),
    new Promise((done) => require('crypto').pbkdf2('a', 'b', 100, 8, 'sha256', (e, key) => done(key.length)))]);
  console.log(before, twice, name.trim(), key, hot(100000), ticks > 0, garbage.length);
  clearInterval(timer); await worker.terminate();
})();"#;

async fn node_goes_on() {
    let Some(spec) = program("/usr/bin/node", &["--expose-gc", "-e", NODE]) else { return };
    let (image, _directory) = image(spec).await;
    check(&image, 40, |number| format!("8 {} sandbox 8 368001 true 100000", number * 2)).await;
}

async fn java_goes_on() {
    let arguments = ["-XX:-UsePerfData", "-Xmx128m", "/root/inner/tree/Wait.java"];
    let Some(spec) = program("/usr/bin/java", &arguments) else { return };
    let (image, _directory) = image(spec).await;
    check(&image, 24, |number| format!("285 {} 7999800000 true", number * 2)).await;
}

/// The Java program, which the tests' tree shows.
pub(crate) const JAVA: &str = r#"
import java.io.*; import java.util.*; import java.util.concurrent.*;
public class Wait {
  static int sum(ExecutorService pool, int rounds) throws Exception {
    List<Future<Integer>> all = new ArrayList<>();
    for (int i = 0; i < rounds; i++) { int n = i; all.add(pool.submit(() -> n * n)); }
    int sum = 0; for (var one : all) sum += one.get(); return sum;
  }
  public static void main(String[] arguments) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    for (int i = 0; i < 200; i++) sum(pool, 10);
    byte[] bytes = new byte[100];
    int length = new FileInputStream("/proc/self/fd/3").read(bytes);
    int number = Integer.parseInt(new String(bytes, 0, length));
    int squares = sum(pool, 10);
    long total = 0; boolean well = true;
    for (int round = 0; round < 10; round++) {
      List<int[]> garbage = new ArrayList<>();
      for (int i = 0; i < 40000; i++) { garbage.add(new int[8]); total += i; }
      well &= garbage.size() == 40000; System.gc(); Thread.sleep(1);
    }
    System.out.println(squares + " " + number * 2 + " " + total + " " + well);
    pool.shutdown();
  }
}"#;

async fn hundreds_answer_rightly() {
    let quick = "import os\nnumber = int(os.read(3, 100))\nprint(number * number)";
    let (python, _directory) = image(python(quick)).await;
    check(&python, 200, |number| (number * number).to_string()).await;
    let quick = "const b = Buffer.alloc(100), n = Number(b.toString('utf8', 0, fs.readSync(3, b))); console.log(n * n)";
    let Some(spec) = program("/usr/bin/node", &["-e", quick]) else { return };
    let (node, _directory) = image(spec).await;
    check(&node, 200, |number| (number * number).to_string()).await;
}

async fn clones_share_nothing() {
    let program = "import os, time\nkept = []\nname = os.read(3, 100).decode()\nkept.append(name)\nprint(os.listdir('/tmp'), kept, os.getuid(), flush=True)\nopen('/tmp/' + name, 'w').write(name)\nopen('/dev/shm/' + name, 'w').write(name)\nprint(os.read(3, 100), os.listdir('/tmp'), os.listdir('/dev/shm'), kept, flush=True)";
    let (image, _directory) = image(python(program)).await;
    let (mut one, mut other) = (restore(&image, "one"), restore(&image, "other"));
    (one.ids.uid, other.ids.uid) = (310_001, 310_002);
    let (mut one, mut other) = (spawn(one).await, spawn(other).await);
    for (instance, said) in [(&mut one, "[] ['one'] 310001"), (&mut other, "[] ['other'] 310002")] {
        assert_eq!(line(instance.stdout.as_mut().unwrap()).await, said);
    }
    for (instance, name) in [(&mut one, "one"), (&mut other, "other")] {
        instance.resume.take().unwrap().write_all(name.to_uppercase().as_bytes()).await.unwrap();
        let expected = format!("b'{}' ['{name}'] ['{name}'] ['{name}']", name.to_uppercase());
        assert_eq!(line(instance.stdout.as_mut().unwrap()).await, expected);
    }
}

async fn a_clone_can_be_an_image_again() {
    let program = "import os, threading\nwait = threading.Event()\nthreading.Thread(target=wait.wait).start()\nwords = []\nfor _ in range(3): words.append(os.read(3, 100).decode())\nwait.set()\nprint(*words)";
    let (first, directory) = image(python(program)).await;
    let spec = restore(&first, "init");
    let clone = spawn(spec).await;
    let second = Arc::new(clone.snapshot(&directory.path().join("second")).await.expect("a second image"));
    let clone = spawn(restore(&second, "again")).await;
    drop((first, second));
    let third = Arc::new(clone.snapshot(&directory.path().join("third")).await.expect("a third image"));
    for word in ["this", "that"] {
        assert_eq!(output(restore(&third, word)).await, format!("init again {word}"));
    }
}

async fn own_pipes_sets_and_timers_are_there() {
    let program = "\
import ctypes, os, select
libc = ctypes.CDLL(None)
read, write = os.pipe(); os.write(write, b'left')
copy = os.dup2(write, 40)
event = libc.eventfd(3, 0o4000)
timer = libc.timerfd_create(1, 0)
libc.timerfd_settime(timer, 0, (ctypes.c_long * 4)(0, 1000000, 0, 30000000), None)
poll = select.epoll(); poll.register(event, select.EPOLLIN); poll.register(timer, select.EPOLLIN)
file = os.open('/usr/bin/env', os.O_RDONLY); os.lseek(file, 1, 0)
os.set_blocking(1, False)
os.umask(0o77)
words = [os.read(3, 100).decode()]
os.write(copy, b'more')
words += [os.read(read, 100).decode(), str(int.from_bytes(os.read(event, 8), 'little')), os.read(file, 3).decode()]
words += [str(poll.poll()[0][0] == timer), str(os.get_blocking(1)), oct(os.umask(0)), str(os.get_inheritable(40)), str(os.get_inheritable(read))]
print(*words)";
    let (image, _directory) = image(python(program)).await;
    assert_eq!(output(restore(&image, "word")).await, "word leftmore 3 ELF True False 0o77 True False");
}

async fn openssl_seeds_itself_anew() {
    let program = "import os, ssl\nssl.RAND_bytes(8)\nprint(os.read(3, 10) and ssl.RAND_bytes(8).hex())";
    let (python, _python) = image(python(program)).await;
    let mut said = vec![output(restore(&python, "x")).await, output(restore(&python, "x")).await];
    let random = "const c = require('crypto'), b = Buffer.alloc(9); c.randomBytes(8); fs.readSync(3, b); console.log(c.randomBytes(8).toString('hex'))";
    if let Some(spec) = program_of_node(random) {
        let (node, _node) = image(spec).await;
        said.extend([output(restore(&node, "x")).await, output(restore(&node, "x")).await]);
    }
    let count = said.len();
    assert!(said.iter().all(|word| word.len() == 16), "{said:?}");
    said.sort();
    said.dedup();
    assert_eq!(said.len(), count, "{said:?}");
}

fn program_of_node(script: &str) -> Option<Spec> {
    program("/usr/bin/node", &["-e", script])
}

async fn what_was_rehearsed_costs_no_faults() {
    const PAGES: usize = 1000;
    let template = format!(
        "import os, resource
held = bytearray(b'x' * 4096 * {PAGES})
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
while program := os.read(3, 65536): exec(program)"
    );
    let program = "before = faults(); held[::4096] = b'y' * (len(held) // 4096); print(faults() - before)";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image");
    let image = Arc::new(snapshot(python(&template), &path).await.unwrap());
    let faults = |image: &Arc<Image>| {
        let spec = restore(image, &format!("{program}; os._exit(0)"));
        async { output(spec).await.parse::<usize>().unwrap() }
    };
    assert!(faults(&image).await >= PAGES, "each page that is written is copied");
    let clone = spawn(restore(&image, program)).await;
    let rehearsed = Arc::new(clone.rehearsed(&path).await.unwrap());
    assert_eq!(clone.exited().await.end, End::Signal(9));
    assert!(faults(&rehearsed).await < PAGES / 10, "they were copied before");
    assert!(faults(&image).await < PAGES / 10, "the file is one image");
    assert_eq!(
        output(restore(&rehearsed, "print(held[:2], held[-1:]); os._exit(0)")).await,
        "bytearray(b'xx') bytearray(b'x')",
        "what the rehearsal wrote is not in it"
    );
    assert_eq!(Image::open(&path).unwrap().bytes(), rehearsed.bytes());
}

async fn it_looks_executed() {
    let program = "\
import os, sys
os.read(3, 10)
status = dict(line.rstrip('\\n').split(':\\t', 1) for line in open('/proc/self/status'))
print(os.path.realpath(sys.executable) == os.readlink('/proc/self/exe'), open('/proc/self/comm').read().strip())
print(open('/proc/self/cmdline').read().split('\\0')[1:4], os.getcwd(), os.getsid(0) == os.getpid(), os.stat('/proc/self').st_uid == os.getuid())
print(status['Uid'].split() == [str(os.getuid())] * 4, status['Groups'].split(), status['CapPrm'], status['CapEff'], status['CapAmb'], status['NoNewPrivs'], status['Seccomp'], status['SigBlk'], status['Threads'])
maps = open('/proc/self/maps').read()
print('pagoda_sandbox' in maps, '[vdso]' in maps, '[stack]' in maps, '[heap]' in maps)
print(sorted(int(n) for n in os.listdir('/proc/self/fd')))
import subprocess; print(subprocess.check_output(['/bin/echo', 'child']), os.wait.__name__)";
    let (image, _directory) = image(python(program)).await;
    let mut spec = restore(&image, "x");
    spec.directory = "/var/task".into();
    let none = "0000000000000000";
    let expected = format!(
        "True python3\n['-I', '-S', '-u'] /var/task True True\nTrue [] {none} {none} {none} 1 2 {none} 1\nFalse True True True\n[0, 1, 2, 3, 4]\nb'child\\n' wait"
    );
    assert_eq!(output(spec).await, expected);
}

async fn long_messages_arrive_whole() {
    let program = "import os\ngot = b''\nwhile part := os.read(3, 1 << 20): got += part\nprint(len(got), got == b'xy' * (len(got) // 2))";
    let (image, _directory) = image(python(program)).await;
    for bytes in [2, 65_536, 200_000] {
        let mut instance = spawner().spawn(restore(&image, &"xy".repeat(bytes / 2))).await.unwrap();
        instance.resume = None;
        assert_eq!(all(instance.stdout.take().unwrap()).await, format!("{bytes} True\n"));
    }
}
