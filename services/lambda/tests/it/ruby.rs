//! Ruby: handlers of each form, what they see, failures, the log, gems of packages and layers.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::archive::Archive;
use crate::scene::{Scene, base64, trial};

/// Nothing where no Ruby is installed: it is no dependency of the platform.
pub(crate) fn trials(is_installed: bool) -> Vec<Trial> {
    let all = vec![
        trial("ruby_handlers_have_each_form", ruby_handlers_have_each_form),
        trial("ruby_sees_lambdas_surroundings", ruby_sees_lambdas_surroundings),
        trial("ruby_failures_have_their_document", ruby_failures_have_their_document),
        trial("ruby_init_fails_with_its_document", ruby_init_fails_with_its_document),
        trial("ruby_survives_its_failures", ruby_survives_its_failures),
        trial("ruby_writes_lines", ruby_writes_lines),
        trial("ruby_writes_json", ruby_writes_json),
        trial("ruby_passes_large_events", ruby_passes_large_events),
        trial("ruby_finds_gems_and_layers", ruby_finds_gems_and_layers),
        trial("ruby_runs_threads_and_programs", ruby_runs_threads_and_programs),
        trial("ruby_is_executed", ruby_is_executed),
        trial("ruby_has_no_snap_start", ruby_has_no_snap_start),
    ];
    if is_installed { all } else { Vec::new() }
}

fn with(runtime: &str, handler: &str, more: Value) -> Value {
    let mut settings = json!({"Runtime": runtime, "Handler": handler, "Timeout": 10});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

/// A function `name` of the source, whose handler is `handler`.
async fn make(scene: &Scene, name: &str, source: &str, handler: &str, more: Value) {
    let archive = Archive::new().file("app.rb", source).done();
    scene.create(name, archive, with("ruby3.3", handler, more)).await.unwrap();
}

const FORMS: &str = "
def top(event:, context:) = { got: event }
def text(event:, context:) = 'ü'
def nothing(event:, context:) = nil
def raw(event:, context:) = StringIO.new('{\"raw\": 1}')
class Shop
  def self.order(event:, context:) = [event, context.function_name]
end
module A
  module B
    class << self
      def call(event:, context:) = 'nested'
    end
  end
end
";

async fn ruby_handlers_have_each_form() {
    let scene = Scene::new();
    for (name, handler, expected) in [
        ("top", "app.top", json!({"got": 7})),
        ("text", "app.text", json!("ü")),
        ("nothing", "app.nothing", Value::Null),
        ("raw", "app.raw", json!({"raw": 1})),
        ("method", "app.Shop.order", json!([7, "method"])),
        ("nested", "app.A::B.call", json!("nested")),
    ] {
        make(&scene, name, FORMS, handler, json!({})).await;
        for _ in 0..2 {
            assert_eq!(scene.ask(name, json!(7)).await, expected, "{name}");
        }
    }
    let archive = Archive::new()
        .file("src/json.rb", "require_relative 'other'\ndef handler(event:, context:) = OTHER")
        .file("src/other.rb", "OTHER = JSON.generate([1])");
    scene.create("below", archive.done(), with("ruby3.4", "src/json.handler", json!({}))).await.unwrap();
    assert_eq!(scene.ask("below", json!({})).await, "[1]");
}

const LOOK: &str = "require 'securerandom'
def handler(event:, context:)
  c = context
  { env: ENV.to_h, cwd: Dir.pwd, path: $LOAD_PATH.first, uid: Process.uid, pid: Process.pid, tmp: Dir.children('/tmp').sort,
    wrote: File.write('/tmp/x', 'x'), random: rand, uuid: SecureRandom.uuid, zone: Time.now.utc_offset,
    descriptors: Dir.children('/proc/self/fd').size, version: RUBY_VERSION, gems: Gem.path,
    context: [c.function_name, c.function_version, c.memory_limit_in_mb, c.invoked_function_arn, c.log_group_name,
              c.aws_request_id.size, c.log_stream_name == ENV['AWS_LAMBDA_LOG_STREAM_NAME'], c.identity, c.client_context,
              (8000..10_000).cover?(c.get_remaining_time_in_millis), c.deadline_ms > Time.now.to_f * 1000] }
end
";

/// What `LOOK` sees.
fn check(seen: &Value, name: &str) {
    for (variable, expected) in [
        ("WORD", "ü"),
        ("TZ", "Asia/Tokyo"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_ruby3.3"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
        ("_HANDLER", "app.handler"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("GEM_PATH", "/var/task/vendor/bundle/ruby/3.3.0:/opt/ruby/gems/3.3.0"),
        ("RUBYLIB", "/var/task:/var/runtime/lib:/opt/ruby/lib"),
    ] {
        assert_eq!(seen["env"][variable], expected, "{variable}");
    }
    assert!(seen["env"]["HOME"].is_null() && seen["env"]["CARGO"].is_null(), "{seen}");
    assert_eq!((&seen["cwd"], &seen["path"]), (&json!("/var/task"), &json!("/var/task")));
    assert_eq!((&seen["zone"], &seen["wrote"]), (&json!(9 * 3600), &json!(1)));
    let gems: Vec<String> = serde_json::from_value(seen["gems"].clone()).unwrap();
    assert!(gems.iter().any(|path| path == "/opt/ruby/gems/3.3.0"), "{gems:?}");
    let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{name}");
    let group = format!("/aws/lambda/{name}");
    assert_eq!(
        seen["context"],
        json!([name, "$LATEST", "128", arn, group, 36, true, null, null, true, true])
    );
}

fn variables() -> Value {
    json!({"Environment": {"Variables": {"WORD": "ü", "TZ": "Asia/Tokyo"}}})
}

async fn ruby_sees_lambdas_surroundings() {
    let scene = Scene::new();
    make(&scene, "f", LOOK, "app.handler", variables()).await;
    let seen = scene.ask("f", json!({})).await;
    check(&seen, "f");
    let again = scene.ask("f", json!({})).await;
    assert_eq!((&again["pid"], &again["tmp"]), (&seen["pid"], &json!(["x"])), "the same instance");
    assert_ne!(again["random"], seen["random"]);
}

const FAILURES: &str = "
class Own < StandardError; end
def inner = raise(Own, 'wrong')
def raised(event:, context:) = inner
def name(event:, context:)
  unknown_thing
end
def type(event:, context:) = [1].first('two')
def circle(event:, context:) = Float::NAN
def bytes(event:, context:) = raise(Own, \"\\xff\".b)
def stop(event:, context:) = abort('stopped')
def exit(event:, context:) = Kernel.exit(4)
def exit_at_once(event:, context:) = Kernel.exit!(3)
def positional(event, context) = 1
";

async fn ruby_failures_have_their_document() {
    let scene = Scene::new();
    for (name, kind, message) in [
        ("raised", "Function<Own>", "wrong"),
        ("name", "Function<NameError>", "undefined local variable or method"),
        ("type", "Function<TypeError>", "no implicit conversion of String into Integer"),
        ("circle", "Function<JSON::GeneratorError>", "NaN not allowed"),
        ("bytes", "Function<Own>", "\u{fffd}"),
        ("stop", "Function<SystemExit>", "stopped"),
        ("exit", "Function<SystemExit>", "exit"),
        ("exit_at_once", "Runtime.ExitError", "exit status 3"),
        ("positional", "Function<ArgumentError>", "wrong number of arguments (given 1, expected 2)"),
        ("gone", "Function<NoMethodError>", "undefined method"),
        ("Gone.call", "Function<NameError>", "uninitialized constant Gone"),
    ] {
        let function = name.replace('.', "-");
        make(&scene, &function, FAILURES, &format!("app.{name}"), json!({})).await;
        for _ in 0..2 {
            let (document, error) = scene.invoke(&function, json!({})).await;
            assert_eq!(error.as_deref(), Some("Unhandled"), "{name}");
            assert_eq!(document["errorType"], kind, "{document}");
            assert!(document["errorMessage"].as_str().unwrap().contains(message), "{document}");
        }
    }
    let (document, _) = scene.invoke("raised", json!({})).await;
    let frames = document["stackTrace"].as_array().unwrap();
    assert_eq!(frames.len(), 2, "{document}");
    for (frame, start) in frames.iter().zip(["/var/task/app.rb:3:in ", "/var/task/app.rb:4:in "]) {
        assert!(frame.as_str().unwrap().starts_with(start), "{frame}");
    }
    let lines = scene.lines.of("/aws/lambda/raised", "Error raised from handler method").await;
    let line = lines.iter().find(|line| line.contains("Error raised")).unwrap();
    assert!(line.contains("\"errorType\": \"Function<Own>\""), "{line}");
}

async fn ruby_init_fails_with_its_document() {
    let scene = Scene::new();
    for (name, source, handler, kind, message) in [
        ("raise", "raise 'no'", "app.handler", "Init<RuntimeError>", "no"),
        ("syntax", "def (", "app.handler", "Init<SyntaxError>", "/var/task/app.rb:1: "),
        ("exit", "exit 1", "app.handler", "Init<SystemExit>", "exit"),
        (
            "require",
            "require 'nowhere'",
            "app.handler",
            "Init<LoadError>",
            "cannot load such file -- nowhere",
        ),
        ("gone", "", "gone.handler", "Init<LoadError>", "cannot load such file -- gone"),
        ("form", "", "app", "Init<ArgumentError>", "Invalid handler app, must be of form"),
    ] {
        make(&scene, name, source, handler, json!({})).await;
        for _ in 0..2 {
            let (document, error) = scene.invoke(name, json!({})).await;
            assert_eq!(error.as_deref(), Some("Unhandled"), "{name}");
            assert_eq!(document["errorType"], kind, "{document}");
            assert!(document["errorMessage"].as_str().unwrap().starts_with(message), "{document}");
        }
    }
}

const SURVIVES: &str = "
def deep = deep
def handler(event:, context:)
  case event
  when 'raise' then raise 'no'
  when 'exit' then exit 3
  when 'kill' then Process.kill(:KILL, Process.pid)
  when 'sleep' then sleep 20
  when 'memory' then ('x' * (1 << 30)).size
  when 'stack' then deep
  when 'disk' then File.write('/var/task/x', 'x')
  else 'fine'
  end
end
";

async fn ruby_survives_its_failures() {
    let scene = Scene::new();
    make(&scene, "s", SURVIVES, "app.handler", json!({"Timeout": 2})).await;
    for (event, expected) in [
        ("raise", "Function<RuntimeError>"),
        ("exit", "Function<SystemExit>"),
        ("kill", "Runtime.ExitError"),
        ("sleep", "Sandbox.Timedout"),
        ("memory", "Runtime.ExitError"),
        ("stack", "Function<SystemStackError>"),
        ("disk", "Function<Errno::EROFS>"),
    ] {
        let (answer, error) = scene.invoke("s", json!(event)).await;
        assert_eq!((&answer["errorType"], error.is_some()), (&json!(expected), true), "{event}: {answer}");
        assert_eq!(scene.ask("s", json!("")).await, "fine", "after {event}");
    }
}

const LINES: &str = "require 'logger'
def handler(event:, context:)
  puts 'printed'
  warn 'warned'
  Logger.new($stdout).info(\"two\\nlines\")
  Logger.new($stderr, progname: 'own').error(RuntimeError.new('bad'))
  Logger.new($stdout, formatter: ->(level, _, _, text) { \"mine #{level} #{text}\\n\" }).debug('x')
  Logger.new('/tmp/log').info('to a file')
  context.aws_request_id
end
";

async fn ruby_writes_lines() {
    let scene = Scene::new();
    make(&scene, "f", LINES, "app.handler", json!({})).await;
    let id = scene.ask("f", json!({})).await;
    let id = id.as_str().unwrap();
    let lines = scene.lines.of("/aws/lambda/f", "REPORT").await;
    for whole in ["printed", "warned", "mine DEBUG x"] {
        assert!(lines.iter().any(|line| line == whole), "{whole}: {lines:?}");
    }
    let has = |start: &str, end: &str| lines.iter().any(|line| line.starts_with(start) && line.contains(end));
    assert!(has("I, [", &format!("]  INFO {id} -- : two\rlines")), "{lines:?}");
    assert!(has("E, [", &format!("] ERROR {id} -- own: bad (RuntimeError)")), "{lines:?}");
    assert!(!has("", "to a file"), "{lines:?}");
}

async fn ruby_writes_json() {
    let scene = Scene::new();
    let more = json!({"LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "INFO"}});
    let source = "def handler(event:, context:)
  log = Logger.new($stdout)
  log.debug('hidden'); log.info(\"two\\nlines\"); log.warn({ order: 7 }); log.error(IOError.new('bad'))
  raise ArgumentError, 'end'
end
";
    make(&scene, "f", source, "app.handler", more).await;
    let (document, _) = scene.invoke("f", json!({})).await;
    assert_eq!(document["errorType"], "Function<ArgumentError>");
    let lines = scene.lines.of("/aws/lambda/f", "platform.report").await;
    let records: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let own: Vec<&Value> = records.iter().filter(|record| record["level"].is_string()).collect();
    let told: Vec<_> = own.iter().map(|one| (&one["level"], &one["message"], &one["errorType"])).collect();
    assert_eq!(
        told,
        [
            (&json!("INFO"), &json!("two\nlines"), &Value::Null),
            (&json!("WARN"), &json!({"order": 7}), &Value::Null),
            (&json!("ERROR"), &json!("bad"), &json!("IOError")),
            (&json!("ERROR"), &Value::Null, &json!("Function<ArgumentError>")),
        ]
    );
    for record in own {
        assert_eq!(record["requestId"].as_str().unwrap().len(), 36, "{record}");
        assert!(record["timestamp"].as_str().unwrap().ends_with('Z'), "{record}");
    }
}

async fn ruby_passes_large_events() {
    let scene = Scene::new();
    let source = "def handler(event:, context:) = event";
    make(&scene, "f", source, "app.handler", json!({"Timeout": 20, "MemorySize": 512})).await;
    let event = json!("ü".repeat(2_900_000));
    assert!(scene.ask("f", event.clone()).await == event);
}

const GEMSPEC: &str = "Gem::Specification.new do |s|
  s.name = 'words'; s.version = '1.2.0'; s.summary = s.author = 'x'; s.files = ['lib/words.rb']
end
";

/// Gems of the package and of a layer, and a layer's library.
async fn ruby_finds_gems_and_layers() {
    let scene = Scene::new();
    let layer = Archive::new()
        .file("ruby/lib/shelf.rb", "SHELF = 'a layer'")
        .file("ruby/gems/3.3.0/specifications/words-1.2.0.gemspec", GEMSPEC)
        .file("ruby/gems/3.3.0/gems/words-1.2.0/lib/words.rb", "WORDS = 'a gem'")
        .done();
    let layer = json!({"LayerName": "l", "Content": {"ZipFile": base64(&layer)}});
    let published = scene.call("PublishLayerVersion", layer).await.unwrap();
    let source = "require 'words'\nrequire 'shelf'\nrequire 'pens'
def handler(event:, context:) = [WORDS, SHELF, PENS, Gem.loaded_specs['words'].version.to_s]\n";
    let archive = Archive::new()
        .file("app.rb", source)
        .file("vendor/bundle/ruby/3.3.0/specifications/pens-1.2.0.gemspec", &GEMSPEC.replace("words", "pens"))
        .file("vendor/bundle/ruby/3.3.0/gems/pens-1.2.0/lib/pens.rb", "PENS = 'bundled'");
    let more = json!({"Layers": [published["LayerVersionArn"]]});
    scene.create("f", archive.done(), with("ruby3.3", "app.handler", more)).await.unwrap();
    assert_eq!(scene.ask("f", json!({})).await, json!(["a gem", "a layer", "bundled", "1.2.0"]));
}

async fn ruby_runs_threads_and_programs() {
    let scene = Scene::new();
    let source = "def handler(event:, context:)
  queue = Queue.new
  threads = (1..event).map { |n| Thread.new { sleep 0.001; queue << n } }
  threads.each(&:join)
  [queue.size, `echo $WORD`.strip, Process.wait2(fork { exit!(5) })[1].exitstatus]
end
";
    make(&scene, "f", source, "app.handler", variables()).await;
    assert_eq!(scene.ask("f", json!(50)).await, json!([50, "ü", 5]));
}

/// No image is tried.
async fn ruby_is_executed() {
    let scene = Scene::with(|config| config.templates = true);
    make(&scene, "f", FORMS, "app.top", json!({})).await;
    assert_eq!(scene.ask("f", json!(7)).await, json!({"got": 7}));
    let starts = scene.lambda.starts().await;
    assert!(!starts.iter().any(|(name, _)| name.starts_with("ruby")), "{starts:?}");
}

async fn ruby_has_no_snap_start() {
    let scene = Scene::new();
    let archive = Archive::new().file("app.rb", FORMS).done();
    let more = with("ruby3.3", "app.top", json!({"SnapStart": {"ApplyOn": "PublishedVersions"}}));
    let refused = scene.create("f", archive, more).await.unwrap_err();
    assert_eq!(refused.message, "ruby3.3 is not supported for SnapStart enabled functions.");
}
