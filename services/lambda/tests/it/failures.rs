//! How functions fail, and what their callers and logs get.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::{Archive, python};
use crate::scene::{Scene, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("exceptions_have_their_document", exceptions_have_their_document),
        trial("modules_and_handlers_must_be_there", modules_and_handlers_must_be_there),
        trial("a_timeout_ends_the_instance", a_timeout_ends_the_instance),
        trial("an_exit_is_told", an_exit_is_told),
        trial("too_much_memory_kills", too_much_memory_kills),
        trial("an_answer_can_be_too_large", an_answer_can_be_too_large),
        trial("what_is_no_json_is_told", what_is_no_json_is_told),
        trial("a_package_without_bootstrap_is_told", a_package_without_bootstrap_is_told),
        trial("the_next_request_succeeds", the_next_request_succeeds),
    ]
}

async fn fails(source: &str, event: Value, more: Value) -> Value {
    let scene = Scene::new();
    scene.create("f", python(source), more).await.unwrap();
    let (document, error) = scene.invoke("f", event).await;
    assert_eq!(error.as_deref(), Some("Unhandled"), "{document}");
    document
}

async fn exceptions_have_their_document() {
    let source =
        "def inner():\n    raise ValueError('wrong')\ndef handler(e, c):\n    if e: inner()\n    return 1\n";
    let scene = Scene::new();
    scene.create("f", python(source), json!({})).await.unwrap();
    let (document, error) = scene.invoke("f", json!(true)).await;
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert_eq!(document["errorMessage"], "wrong");
    assert_eq!(document["errorType"], "ValueError");
    assert_eq!(document["requestId"].as_str().unwrap().len(), 36);
    // Newer versions of Python underline the expression in further lines.
    let frames = document["stackTrace"].as_array().unwrap();
    let frames: Vec<&str> = frames.iter().map(|frame| frame.as_str().unwrap()).collect();
    assert_eq!(frames.len(), 2);
    assert!(frames[0].starts_with("  File \"/var/task/app.py\", line 4, in handler\n    if e: inner()\n"));
    assert!(
        frames[1]
            .starts_with("  File \"/var/task/app.py\", line 2, in inner\n    raise ValueError('wrong')\n")
    );
    assert_eq!(scene.ask("f", json!(false)).await, 1);
    let lines = scene.lines.of("/aws/lambda/f", "[ERROR] ValueError: wrong\rTraceback").await;
    assert!(!lines.is_empty());
}

async fn modules_and_handlers_must_be_there() {
    for (handler, kind, message) in [
        (
            "gone.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'gone': No module named 'gone'",
        ),
        ("app.gone", "Runtime.HandlerNotFound", "Handler 'gone' missing on module 'app'"),
        (
            "app",
            "Runtime.MalformedHandlerName",
            "Bad handler 'app': not enough values to unpack (expected 2, got 1)",
        ),
    ] {
        let document = fails("", json!({}), json!({"Handler": handler})).await;
        assert_eq!((&document["errorType"], &document["errorMessage"]), (&json!(kind), &json!(message)));
    }
    let document = fails("def (", json!({}), json!({})).await;
    assert_eq!(document["errorType"], "Runtime.UserCodeSyntaxError");
    let document = fails("1 / 0", json!({}), json!({})).await;
    assert_eq!(document["errorType"], "ZeroDivisionError");
}

async fn a_timeout_ends_the_instance() {
    let source =
        "import time\nn = 0\ndef handler(e, c):\n    global n\n    n += 1\n    time.sleep(e)\n    return n\n";
    let scene = Scene::new();
    scene.create("f", python(source), json!({"Timeout": 1})).await.unwrap();
    assert_eq!(scene.ask("f", json!(0)).await, 1);
    let (document, error) = scene.invoke("f", json!(30)).await;
    assert_eq!(error.as_deref(), Some("Unhandled"));
    let message = document["errorMessage"].as_str().unwrap();
    assert!(message.ends_with(" Task timed out after 1.00 seconds"), "{message}");
    let lines = scene.lines.of("/aws/lambda/f", "Status: timeout").await;
    assert!(lines.iter().any(|line| line == message), "{lines:?}");
    assert_eq!(scene.ask("f", json!(0)).await, 1, "a new instance");
}

async fn an_exit_is_told() {
    for (code, expected) in [
        ("os._exit(1)", "Runtime exited with error: exit status 1"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ] {
        for source in [
            format!("import os\ndef handler(e, c):\n    {code}\n"),
            format!("import os\n{code}\ndef handler(e, c): pass\n"),
        ] {
            let document = fails(&source, json!({}), json!({})).await;
            assert_eq!(document["errorType"], "Runtime.ExitError");
            let message = document["errorMessage"].as_str().unwrap();
            let (id, text) = message.strip_prefix("RequestId: ").unwrap().split_once(" Error: ").unwrap();
            assert_eq!((id.len(), text), (36, expected));
        }
    }
}

async fn too_much_memory_kills() {
    let source = "def handler(e, c):\n    return len(bytearray(400_000_000))\n";
    let document = fails(source, json!({}), json!({"Timeout": 20})).await;
    assert_eq!(document["errorType"], "Runtime.ExitError");
    assert!(
        document["errorMessage"].as_str().unwrap().ends_with("Runtime exited with error: signal: killed")
    );
}

async fn an_answer_can_be_too_large() {
    let scene = Scene::new();
    let source = "def handler(e, c):\n    return 'x' * e\n";
    scene.create("f", python(source), json!({"Timeout": 20, "MemorySize": 256})).await.unwrap();
    let (document, error) = scene.invoke("f", json!(7_000_000)).await;
    assert_eq!(error.as_deref(), Some("Unhandled"));
    assert_eq!(document["errorType"], "Function.ResponseSizeTooLarge");
    assert_eq!(
        document["errorMessage"],
        "Response payload size (7000002 bytes) exceeded maximum allowed payload size (6291556 bytes)."
    );
    assert_eq!(scene.ask("f", json!(1)).await, "x");
}

async fn what_is_no_json_is_told() {
    let document = fails("def handler(e, c):\n    return {1, 2}\n", json!({}), json!({})).await;
    assert_eq!(document["errorType"], "Runtime.MarshalError");
    assert_eq!(
        document["errorMessage"],
        "Unable to marshal response: Object of type set is not JSON serializable"
    );
}

async fn a_package_without_bootstrap_is_told() {
    let scene = Scene::new();
    for (name, mode) in [("other", 0o755), ("bootstrap", 0o644)] {
        let archive = Archive::new().with_mode(name, "#!/bin/sh\n", mode).done();
        scene.create(name, archive, json!({"Runtime": "provided.al2023"})).await.unwrap();
        let (document, error) = scene.invoke(name, json!({})).await;
        assert_eq!(error.as_deref(), Some("Unhandled"));
        assert_eq!(document["errorType"], "Runtime.InvalidEntrypoint", "{document}");
    }
}

/// Functions that do what they should not: the document, a line in the log, and a next request that succeeds.
async fn the_next_request_succeeds() {
    for (work, kind, message, line) in [
        ("sys.exit(4)", "Runtime.ExitError", "Runtime exited with error: exit status 4", "Runtime.ExitError"),
        ("sys.exit()", "Runtime.ExitError", "Runtime exited without providing a reason", "Runtime.ExitError"),
        (
            "open('/var/task/x', 'w')",
            "OSError",
            "[Errno 30] Read-only file system: '/var/task/x'",
            "[ERROR] OSError: [Errno 30]",
        ),
        (
            "file = open('/tmp/x', 'wb', 0)\n        while True: file.write(bytes(1 << 20))",
            "OSError",
            "[Errno 28] No space left on device",
            "[ERROR] OSError: [Errno 28]",
        ),
        (
            "while os.fork(): pass\n        time.sleep(50)",
            "BlockingIOError",
            "[Errno 11] Resource temporarily unavailable",
            "[ERROR] BlockingIOError: [Errno 11]",
        ),
    ] {
        let source = format!(
            "import os, sys, time\ndef handler(e, c):\n    if e:\n        {work}\n    return 'well'\n"
        );
        let scene = Scene::new();
        scene.create("f", python(&source), json!({"Timeout": 30, "MemorySize": 2048})).await.unwrap();
        let (document, error) = scene.invoke("f", json!(true)).await;
        assert_eq!(
            (error.as_deref(), &document["errorType"]),
            (Some("Unhandled"), &json!(kind)),
            "{document}"
        );
        assert!(document["errorMessage"].as_str().unwrap().ends_with(message), "{document}");
        assert_eq!(scene.ask("f", json!(false)).await, "well", "after {work}");
        let lines = scene.lines.of("/aws/lambda/f", line).await;
        assert!(!lines.is_empty());
    }
}
