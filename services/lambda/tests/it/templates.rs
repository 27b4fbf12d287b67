//! Instances that are restored from the image of a started interpreter behave like those that are executed.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::{Archive, python};
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("python_is_restored", python_is_restored),
        trial("node_is_restored", node_is_restored),
        trial("own_modules_come_first", own_modules_come_first),
        trial("restored_instances_fail_as_others_do", restored_instances_fail_as_others_do),
        trial("early_variables_need_an_execution", early_variables_need_an_execution),
        trial("clones_of_every_language_wait", clones_of_every_language_wait),
        trial("a_clone_that_died_while_it_waited_is_replaced", a_clone_that_died_while_it_waited_is_replaced),
        trial(
            "an_image_that_cannot_be_restored_is_done_without",
            an_image_that_cannot_be_restored_is_done_without,
        ),
    ]
}

/// A scene whose images are ready.
async fn scene(runtime: &str) -> Scene {
    let scene = Scene::with(|config| config.templates = true);
    let code =
        Archive::new().file("app.py", "def handler(e, c): pass").file("app.js", "exports.handler = () => {}");
    scene.create("first", code.done(), json!({"Runtime": runtime})).await.unwrap();
    let starts = scene.lambda.starts().await;
    let language = runtime.trim_end_matches(|letter: char| !letter.is_alphabetic() || letter == 'x');
    let used: Vec<_> = starts.iter().filter(|(_, start)| start != "not used yet").collect();
    assert!(used.iter().all(|(_, start)| start == "restored from an image"), "{language}: {starts:?}");
    assert_eq!(used.len(), 1, "{starts:?}");
    scene
}

async fn python_is_restored() {
    let scene = scene("python3.11").await;
    let source = "import logging, os, random, sys, uuid
def handler(e, c):
    logging.getLogger().warning('logged %s', e['n'])
    print('printed', e['n'])
    return {'template': '--template' in sys.argv, 'name': c.function_name, 'env': os.environ.get('WORD'),
            'cwd': os.getcwd(), 'random': random.random(), 'uuid': str(uuid.uuid4()), 'pid': os.getpid(),
            'fds': sorted(os.listdir('/proc/self/fd')), 'variables': len(os.environ), 'uid': os.getuid(),
            'tmp': os.listdir('/tmp'), 'wrote': open('/tmp/x', 'w').write('x')}
";
    let mut seen: Vec<Value> = Vec::new();
    for name in ["f", "g"] {
        let word = json!({"Environment": {"Variables": {"WORD": name}}});
        scene.create(name, python(source), word).await.unwrap();
        let answer = scene.ask(name, json!({"n": name})).await;
        assert_eq!(
            (&answer["template"], &answer["name"], &answer["env"]),
            (&json!(true), &json!(name), &json!(name))
        );
        assert_eq!((&answer["cwd"], &answer["tmp"]), (&json!("/var/task"), &json!([])));
        assert!(answer["uid"].as_u64().unwrap() >= 200_000, "{answer}");
        let lines = scene.lines.of(&format!("/aws/lambda/{name}"), "REPORT").await.join("");
        assert!(
            lines.contains(&format!("logged {name}")) && lines.contains(&format!("printed {name}")),
            "{lines}"
        );
        seen.push(answer);
    }
    for member in ["random", "uuid", "uid"] {
        assert_ne!(seen[0][member], seen[1][member], "{member}");
    }
    let again = scene.ask("f", json!({"n": 2})).await;
    assert_eq!((&again["pid"], &again["tmp"]), (&seen[0]["pid"], &json!(["x"])), "the same instance");
}

async fn node_is_restored() {
    let scene = scene("nodejs20.x").await;
    let source = "const os = require('os'); const crypto = require('crypto');
exports.handler = async (e, c) => {
  console.log('logged', e.n);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const digest = await new Promise((resolve, reject) => crypto.pbkdf2('a', 'b', 10, 8, 'sha1', (x, y) => x ? reject(x) : resolve(y.toString('hex'))));
  return { template: process.argv[2], name: c.functionName, env: process.env.WORD, cwd: process.cwd(), digest,
    random: Math.random(), uuid: crypto.randomUUID(), pid: process.pid, same: process.pid === Number(require('fs').readlinkSync('/proc/self')) };
};
";
    let mut seen: Vec<Value> = Vec::new();
    for name in ["f", "g"] {
        let more = json!({"Environment": {"Variables": {"WORD": name}}, "Runtime": "nodejs20.x"});
        scene.create(name, Archive::new().file("app.js", source).done(), more).await.unwrap();
        let answer = scene.ask(name, json!({"n": name})).await;
        assert_eq!(
            (&answer["template"], &answer["name"], &answer["env"]),
            (&json!("--template"), &json!(name), &json!(name))
        );
        assert_eq!((&answer["cwd"], &answer["same"]), (&json!("/var/task"), &json!(true)));
        let lines = scene.lines.of(&format!("/aws/lambda/{name}"), "REPORT").await.join("");
        assert!(lines.contains(&format!("logged {name}")), "{lines}");
        seen.push(answer);
    }
    assert_eq!(seen[0]["digest"], seen[1]["digest"]);
    for member in ["random", "uuid"] {
        assert_ne!(seen[0][member], seen[1][member], "{member}");
    }
}

async fn own_modules_come_first() {
    let scene = scene("python3.11").await;
    let code = "import typing, uuid\ndef handler(e, c):\n    return [typing.MINE, uuid.MINE]\n";
    let archive = Archive::new()
        .file("app.py", code)
        .file("typing.py", "MINE = 1")
        .file("uuid/__init__.py", "MINE = 2");
    scene.create("f", archive.done(), json!({})).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, json!([1, 2]));
}

async fn restored_instances_fail_as_others_do() {
    let scene = scene("python3.11").await;
    let source = "import os, time
def handler(e, c):
    if e == 'raise': raise ValueError('no')
    if e == 'exit': os._exit(3)
    if e == 'sleep': time.sleep(10)
    if e == 'memory': return len(bytearray(1 << 30))
    return 'fine'
";
    scene.create("f", python(source), json!({"Timeout": 1})).await.unwrap();
    for (event, expected) in [
        ("raise", "ValueError"),
        ("exit", "Runtime.ExitError"),
        ("sleep", "Sandbox.Timedout"),
        ("memory", "Runtime.ExitError"),
    ] {
        let (answer, error) = scene.invoke("f", json!(event)).await;
        assert_eq!((&answer["errorType"], error.is_some()), (&json!(expected), true), "{event}: {answer}");
        assert_eq!(scene.ask("f", json!("")).await, "fine", "after {event}");
    }
}

async fn early_variables_need_an_execution() {
    let scene = scene("python3.11").await;
    let source = "import sys\ndef handler(e, c):\n    return [sys.argv[1:], hash('a')]\n";
    let seed = json!({"Environment": {"Variables": {"PYTHONHASHSEED": "0"}}});
    scene.create("f", python(source), seed).await.unwrap();
    let answer = scene.ask("f", json!({})).await;
    assert_eq!(answer[0], json!([]));
}

/// The processes of a range of users.
fn processes(users: std::ops::Range<u32>) -> Vec<i32> {
    let owner = |path: &std::path::Path| {
        let status = std::fs::read_to_string(path.join("status")).ok()?;
        let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        uids.split_whitespace().next()?.parse::<u32>().ok()
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let own = all.filter(|path| owner(path).is_some_and(|uid| users.contains(&uid)));
    own.filter_map(|path| path.file_name()?.to_str()?.parse().ok()).collect()
}

async fn clones_of_every_language_wait() {
    for (runtime, first_uid) in
        [("python3.11", 91_000_000), ("nodejs20.x", 94_000_000), ("java17", 97_000_000)]
    {
        let scene = Scene::with(|config| {
            config.templates = true;
            config.limits.first_uid = first_uid;
        });
        let code = Archive::new().file("app.py", "").done();
        scene.create("f", code, json!({"Runtime": runtime})).await.unwrap();
        scene.lambda.starts().await;
        while processes(first_uid + 1_000_001..first_uid + 2_000_000).len() < 2 {
            tokio::task::yield_now().await;
        }
    }
}

async fn a_clone_that_died_while_it_waited_is_replaced() {
    const FIRST: u32 = 90_000_000;
    let scene = Scene::with(|config| {
        config.templates = true;
        config.limits.first_uid = FIRST;
    });
    let source = "import sys\ndef handler(e, c):\n    return '--template' in sys.argv\n";
    scene.create("f", python(source), json!({})).await.unwrap();
    scene.lambda.starts().await;
    let clones = loop {
        let clones = processes(FIRST + 1_000_001..FIRST + 2_000_000);
        if clones.len() == 2 {
            break clones;
        }
        tokio::task::yield_now().await;
    };
    for clone in clones {
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(clone).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
    }
    assert_eq!(scene.ask("f", json!({})).await, true, "another instance is restored");
    let starts = scene.lambda.starts().await;
    assert!(starts.iter().any(|(_, start)| start == "restored from an image"), "{starts:?}");
}

async fn an_image_that_cannot_be_restored_is_done_without() {
    let scene = scene("python3.11").await;
    let archive = python("n = 0\ndef handler(e, c):\n    global n\n    n += 1\n    return n\n");
    let more = json!({"SnapStart": {"ApplyOn": "PublishedVersions"}, "Publish": true});
    scene.create("f", archive, more).await.unwrap();
    scene.lambda.snapshots_settled().await;
    for entry in std::fs::read_dir(scene.data.path().join("images")).unwrap() {
        let file = std::fs::File::options().write(true).open(entry.unwrap().path()).unwrap();
        file.set_len(4096).unwrap();
    }
    assert_eq!(scene.ask("f:1", json!({})).await, 1);
    assert_eq!(scene.ask("f", json!({})).await, 1);
}
