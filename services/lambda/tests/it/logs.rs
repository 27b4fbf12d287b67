//! What is in a function's log, and in which order.

use libtest_mimic::Trial;
use serde_json::json;

use crate::archive::python;
use crate::scene::{Scene, trial, unbase64};
use crate::stubs::MUTE_ROLE;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("lines_stand_in_their_order", lines_stand_in_their_order),
        trial("the_tail_is_of_this_invocation", the_tail_is_of_this_invocation),
        trial("logging_is_formatted", logging_is_formatted),
        trial("a_role_without_permission_writes_nothing", a_role_without_permission_writes_nothing),
        trial("closing_writes_what_waits", closing_writes_what_waits),
        trial("closing_ends_what_runs", closing_ends_what_runs),
        trial("long_and_broken_lines_are_kept", long_and_broken_lines_are_kept),
    ]
}

async fn lines_stand_in_their_order() {
    let scene = Scene::new();
    let source = "import sys\nprint('at init')\ndef handler(e, c):\n    \
                  for n in range(3): print('out', e, n)\n    print('err', e, file=sys.stderr)\n    return e\n";
    scene.create("f", python(source), json!({"LoggingConfig": {"LogGroup": "mine"}})).await.unwrap();
    for number in 0..2 {
        scene.ask("f", json!(number)).await;
    }
    scene.lambda.close().await;
    let lines = scene.lines.of("mine", "REPORT").await;
    let heads: Vec<String> =
        lines.iter().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    let once = ["START", "out", "out", "out", "err", "END", "REPORT"];
    assert_eq!(heads, [&["INIT_START", "at"][..], &once, &once].concat(), "{lines:#?}");
    assert!(lines[0].starts_with("INIT_START Runtime Version: python3.11"));
    assert!(lines[8].contains("Init Duration: ") && !lines[15].contains("Init Duration"), "{lines:#?}");
    assert!(lines[8].contains("\tMemory Size: 128 MB\tMax Memory Used: "));
    let written = scene.lines.0.borrow();
    let stream = &written[0].1;
    assert_eq!(&stream[10..20], "/[$LATEST]");
    assert!(stream.len() == 52 && written.iter().all(|line| line.1 == *stream));
}

async fn the_tail_is_of_this_invocation() {
    let scene = Scene::new();
    let source = "def handler(e, c):\n    print(e)\n    print('x' * 5000 if e == 'long' else '')\n";
    scene.create("f", python(source), json!({})).await.unwrap();
    let tail = async |event: &str| {
        let invoked = scene.invoke_raw("f", &json!(event).to_string()).await.unwrap();
        String::from_utf8(unbase64(invoked["LogResult"].as_str().unwrap())).unwrap()
    };
    tail("first").await;
    let second = tail("second").await;
    assert!(second.starts_with("START RequestId: ") && second.contains("\nsecond\n"), "{second}");
    assert!(second.contains("\nREPORT RequestId: ") && !second.contains("first"), "{second}");
    let long = tail("long").await;
    assert!(long.len() == 4096 && long.contains("REPORT"), "{long}");
    let plain = scene.call("Invoke", json!({"FunctionName": "f", "LogType": "None"})).await.unwrap();
    assert!(plain["LogResult"].is_null());
}

async fn logging_is_formatted() {
    let scene = Scene::new();
    let source = "import logging\nlogger = logging.getLogger()\nlogger.setLevel('INFO')\n\
                  def handler(e, c):\n    logger.info('two\\nlines'); logger.debug('hidden')\n    return c.aws_request_id\n";
    scene.create("f", python(source), json!({})).await.unwrap();
    let id = scene.ask("f", json!({})).await;
    let lines = scene.lines.of("/aws/lambda/f", "two\rlines").await;
    let line = lines.iter().find(|line| line.contains("two")).unwrap();
    let fields: Vec<&str> = line.split('\t').collect();
    assert_eq!((fields[0], fields[2], fields[3]), ("[INFO]", id.as_str().unwrap(), "two\rlines"));
    assert!(fields[1].ends_with('Z') && fields[1].len() == 24, "{line}");
    assert!(!lines.iter().any(|line| line.contains("hidden")));
}

async fn a_role_without_permission_writes_nothing() {
    let scene = Scene::new();
    scene
        .create("f", python("def handler(e, c):\n    print('x')\n"), json!({"Role": MUTE_ROLE}))
        .await
        .unwrap();
    let invoked = scene.invoke_raw("f", "1").await.unwrap();
    assert!(!invoked["LogResult"].as_str().unwrap().is_empty());
    scene.lambda.close().await;
    assert!(scene.lines.0.borrow().is_empty());
}

async fn closing_writes_what_waits() {
    let scene = Scene::new();
    let source = "def handler(e, c):\n    for n in range(2500): print(n)\n    print('no end', end='')\n";
    scene.create("f", python(source), json!({"Timeout": 20})).await.unwrap();
    scene.ask("f", json!({})).await;
    scene.lambda.close().await;
    let lines = scene.lines.of("/aws/lambda/f", "REPORT").await;
    assert_eq!(lines.iter().filter(|line| line.parse::<u32>().is_ok()).count(), 2500);
    assert!(lines.iter().any(|line| line == "no end"));
    assert_eq!(scene.invoke_raw("f", "1").await.unwrap_err().status.as_u16(), 503);
}

async fn long_and_broken_lines_are_kept() {
    let scene = Scene::new();
    let source = "import os\ndef handler(e, c):\n    os.write(1, b'y' * 600000 + b'\\n\\xff\\n\\n')\n";
    scene.create("f", python(source), json!({"Timeout": 20})).await.unwrap();
    scene.ask("f", json!({})).await;
    scene.lambda.close().await;
    let lines = scene.lines.of("/aws/lambda/f", "REPORT").await;
    let long: Vec<usize> = lines.iter().filter(|line| line.starts_with('y')).map(String::len).collect();
    assert!(long.len() == 3 && long.iter().sum::<usize>() == 600_000, "{long:?}");
    assert!(lines.iter().any(|line| line == "\u{fffd}"));
}

async fn closing_ends_what_runs() {
    let scene = std::sync::Arc::new(Scene::new());
    let source = "import time\ndef handler(e, c):\n    print('running')\n    time.sleep(50)\n";
    scene.create("f", python(source), json!({"Timeout": 55})).await.unwrap();
    let other = scene.clone();
    let busy = tokio::spawn(async move { other.invoke("f", json!({})).await });
    scene.lines.of("/aws/lambda/f", "running").await;
    scene.lambda.close().await;
    let (document, _) = busy.await.unwrap();
    assert_eq!(document["errorType"], "Runtime.ExitError");
}
