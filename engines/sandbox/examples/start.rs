//! Prints what a start costs, from asking to the guest's first word: bare interpreters, and in a sandbox executed,
//! restored from an image, and as a clone that waited.
//!
//! The kinds are measured in turn, round by round, so that a busy machine is as busy for each; what counts
//! is the ratio to the bare start.

#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pagoda_sandbox::{Config, Ids, Image, Instance, Ready, Spawner, Spec, Tree};
use tokio::io::AsyncReadExt;

const ROUNDS: usize = 60;
const IDS: Ids = Ids { uid: 200_000, gid: 200_000 };
/// Lets the pool fill: what is measured is a start that finds one ready.
const PAUSE: Duration = Duration::from_millis(60);

const JAVA: &str = r#"
public class Start { public static void main(String[] arguments) throws Exception {
  if (arguments.length > 0) return;
  int length = new java.io.FileInputStream("/proc/self/fd/3").read(new byte[9]);
  System.out.write(48 + length); System.out.flush(); Thread.sleep(100000);
} }"#;

type Failure = Box<dyn std::error::Error>;

/// An interpreter, its bare start, and a program that waits and then says a word.
struct Subject {
    name: &'static str,
    path: &'static str,
    bare: Vec<&'static str>,
    waiting: Vec<&'static str>,
}

fn subjects() -> [Subject; 3] {
    let python = "import os, time; os.write(1, b'%d' % len(os.read(3, 9))); time.sleep(100)";
    let node = "fs.writeSync(1, '' + fs.readSync(3, Buffer.alloc(9))); setTimeout(() => {}, 100000)";
    let flags = ["-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"];
    let java = |last: &[&'static str]| [&flags[..], &["/tmp/pagoda-start", "Start"], last].concat();
    [
        Subject {
            name: "python",
            path: "/usr/bin/python3",
            bare: vec!["-c", "pass"],
            waiting: vec!["-c", python],
        },
        Subject { name: "node", path: "/usr/bin/node", bare: vec!["-e", "0"], waiting: vec!["-e", node] },
        Subject { name: "java", path: "/usr/bin/java", bare: java(&["bare"]), waiting: java(&[]) },
    ]
}

fn main() -> Result<(), Failure> {
    let classes = Path::new("/tmp/pagoda-start");
    std::fs::create_dir_all(classes)?;
    std::fs::write(classes.join("Start.java"), JAVA)?;
    let compiled = Command::new("javac").arg("-d").arg(classes).arg(classes.join("Start.java")).status();
    let java = compiled.is_ok_and(|status| status.success());
    // The guest's own /tmp covers the host's, so that the classes have another place in it.
    let tree = Tree { host: classes.to_owned(), guest: "/classes".into() };
    let trees = if java { vec![tree] } else { Vec::new() };
    let spawner = Spawner::start(Config { pool: 4, trees, ..Config::default() })?;
    println!("isolation {:?} {:?}", spawner.isolation(), spawner.missing());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        sandboxes(&spawner).await?;
        for subject in subjects() {
            if !Path::new(subject.path).exists() || (subject.name == "java" && !java) {
                println!("{}: not here", subject.name);
                continue;
            }
            measure(&spawner, &subject).await?;
        }
        Ok(())
    })
}

/// A sandbox alone: a program that does nothing.
async fn sandboxes(spawner: &Spawner) -> Result<(), Failure> {
    let (mut plain, mut pooled) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        tokio::time::sleep(PAUSE).await;
        plain.push(bare("/bin/true", &[]));
        let begun = Instant::now();
        drop(spawner.spawn(generous(Spec::exec("/bin/true", &[], IDS))).await?);
        pooled.push(begun.elapsed());
    }
    print("true", &mut [("bare, to its end", plain), ("sandbox, to executed", pooled)]);
    Ok(())
}

async fn measure(spawner: &Spawner, subject: &Subject) -> Result<(), Failure> {
    let arguments: Vec<&str> = subject
        .waiting
        .iter()
        .map(|one| if *one == "/tmp/pagoda-start" { "/classes" } else { one })
        .collect();
    let exec = || Spec { resume: Some(b"x".to_vec()), ..generous(Spec::exec(subject.path, &arguments, IDS)) };
    let template = spawner.spawn(Spec { resume: Some(Vec::new()), ..exec() }).await?;
    let path = std::env::temp_dir().join(format!("pagoda-start-{}", subject.name));
    let begun = Instant::now();
    let plain = Arc::new(template.snapshot(&path).await?);
    println!("{}: image of {} KiB taken in {:?}", subject.name, plain.bytes() >> 10, begun.elapsed());
    // Another image, as far as the spawner knows: one that clones are kept of.
    let kept = Arc::new(Image::open(&path)?);
    spawner.keep_ready(&kept, &Ready { count: 2, ids: 600_000..600_100, binds: Vec::new() }).await?;
    let [mut bares, mut executed, mut restored, mut ready] = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        tokio::time::sleep(PAUSE).await;
        bares.push(bare(subject.path, &subject.bare));
        executed.push(word(spawner, exec()).await?.0);
        tokio::time::sleep(PAUSE).await;
        restored
            .push(word(spawner, generous(Spec::restore(Arc::clone(&plain), b"x".to_vec(), IDS))).await?.0);
        tokio::time::sleep(PAUSE).await;
        let (time, instance) =
            word(spawner, generous(Spec::restore(Arc::clone(&kept), b"x".to_vec(), IDS))).await?;
        if instance.ids() != IDS {
            ready.push(time);
        }
    }
    spawner.keep_ready(&kept, &Ready { count: 0, ids: 600_000..600_100, binds: Vec::new() }).await?;
    let _ = std::fs::remove_file(path);
    let mut kinds = [
        ("bare, to its end", bares),
        ("sandbox, executed", executed),
        ("sandbox, restored", restored),
        ("sandbox, ready clone", ready),
    ];
    print(subject.name, &mut kinds);
    Ok(())
}

/// A small share would show the scheduler's pauses instead.
fn generous(mut spec: Spec) -> Spec {
    spec.limits.cpu_millis = 2000;
    spec.limits.memory_bytes = 512 << 20;
    spec
}

fn bare(program: &str, arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    let _ = Command::new(program).args(arguments).env_clear().status();
    begun.elapsed()
}

/// How long until the guest said something.
async fn word(spawner: &Spawner, spec: Spec) -> Result<(Duration, Instance), Failure> {
    let begun = Instant::now();
    let mut instance = spawner.spawn(spec).await?;
    let stdout = instance.stdout.as_mut().ok_or("no output")?;
    stdout.read_u8().await?;
    Ok((begun.elapsed(), instance))
}

fn print(name: &str, kinds: &mut [(&str, Vec<Duration>)]) {
    let mut reference = None;
    for (kind, times) in kinds {
        times.sort();
        let (Some(least), Some(median)) = (times.first(), times.get(times.len() / 2)) else { continue };
        let ratio = median.as_secs_f64() / reference.get_or_insert(*median).as_secs_f64();
        println!(
            "{name:>7} {kind:<22} median {median:>10.2?}  least {least:>10.2?}  ratio {ratio:.2}  ({})",
            times.len()
        );
    }
}
