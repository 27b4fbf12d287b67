//! Programs run, with exactly what they were given.

use libtest_mimic::Trial;
use pagoda_sandbox::{Bind, End, Error, Isolation, Source, Spec};

use crate::guest::{ids, outcome, output, python, shell, spawn, spawner, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("runs::isolation_is_full_for_root", isolation_is_full_for_root),
        trial("runs::interpreters", interpreters),
        trial("runs::environment_is_what_was_given", environment_is_what_was_given),
        trial("runs::identity_can_be_looked_up", identity_can_be_looked_up),
        trial("runs::ends_are_told", ends_are_told),
        trial("runs::programs_can_live_beside", programs_can_live_beside),
        trial("runs::outputs_can_be_opened_by_name", outputs_can_be_opened_by_name),
        trial("runs::binds_show_their_directory", binds_show_their_directory),
        trial("runs::trees_show_only_themselves", trees_show_only_themselves),
        trial("runs::what_cannot_start_says_why", what_cannot_start_says_why),
        trial("runs::specifications_are_checked", specifications_are_checked),
        trial("runs::hundred_at_once", hundred_at_once),
    ]
}

async fn isolation_is_full_for_root() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: not root");
        return;
    }
    assert_eq!(spawner().isolation(), Isolation::Full, "missing: {:?}", spawner().missing());
    assert!(spawner().missing().is_empty());
}

async fn interpreters() {
    assert_eq!(output(python("print(6 * 7)")).await, "42");
    for (program, arguments, expected) in [
        (
            "/usr/bin/node",
            &["-e", "console.log(os.cpus().length > 0, 6 * 7, Object.keys(os.networkInterfaces()))"][..],
            "true 42 [ 'lo' ]",
        ),
        ("/usr/bin/java", &["-XshowSettings:none", "--version"][..], "openjdk"),
    ] {
        if !std::path::Path::new(program).exists() {
            println!("skipped: this host has no {program}");
            continue;
        }
        let mut spec = Spec::exec(program, arguments, ids());
        spec.limits.cpu_millis = 2000;
        spec.limits.memory_bytes = 512 << 20;
        let found = output(spec).await;
        assert!(found.starts_with(expected), "{program}: {found}");
    }
}

async fn environment_is_what_was_given() {
    let mut spec = python("import os; print(sorted(os.environ.items()), os.getcwd(), os.umask(0))");
    spec.environment = vec![("B".to_owned(), "x=y".to_owned()), ("A".to_owned(), "ü".to_owned())];
    spec.directory = "/var/task".into();
    // Python itself adds LC_CTYPE when it finds the C locale.
    let found = output(spec).await.replace(", ('LC_CTYPE', 'C.UTF-8')", "");
    assert_eq!(found, "[('A', 'ü'), ('B', 'x=y')] /var/task 18");
}

async fn identity_can_be_looked_up() {
    let spec = python(
        "import os, pwd, grp, socket, time\n\
         me = pwd.getpwuid(os.getuid())\n\
         print(os.getresuid() == (me.pw_uid,) * 3, me.pw_name, grp.getgrgid(os.getgid()).gr_name, os.getgroups(),\n\
               socket.gethostname(), socket.gethostbyname('localhost'), time.tzname[0], os.getpid() > 1, os.getsid(0) == os.getpid())",
    );
    assert_eq!(output(spec).await, "True sandbox sandbox [] sandbox 127.0.0.1 UTC True True");
}

async fn ends_are_told() {
    for (program, expected) in [
        ("exit 3", End::Code(3)),
        ("kill -TERM $$", End::Signal(15)),
        ("kill -ABRT $$", End::Signal(6)),
        ("kill -KILL $$", End::Signal(9)),
        // What is left behind does not keep the instance.
        ("sleep 1000 & exit 0", End::Code(0)),
    ] {
        let instance = spawn(shell(program)).await;
        let exit = instance.exited().await;
        assert_eq!((exit.end, exit.oom_killed), (expected, false), "{program}");
        assert!(exit.memory_peak_bytes > 0 && exit.cpu_micros > 0, "{exit:?}");
        assert_eq!(instance.exited().await, exit, "asked again");
    }
}

async fn programs_can_live_beside() {
    let code = tempfile::tempdir().unwrap();
    std::fs::set_permissions(code.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let beside = |work: &str, name: &str| {
        let path = code.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{work}\n")).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let mut spec = shell("while [ ! -e /tmp/done ]; do sleep 0.01; done; cat /tmp/done; exit 5");
        spec.limits.cpu_millis = 1000;
        let source = Source::Path(code.path().to_owned());
        spec.binds = vec![Bind { source, guest: "/var/task".into() }];
        spec.beside.programs = vec![format!("/var/task/{name}").into()];
        spec.beside.environment = vec![("WORD".to_owned(), "said".to_owned())];
        spec
    };
    let told = "sleep 0.05; echo $WORD by $(id -u) under $PPID >/tmp/part; mv /tmp/part /tmp/done";
    let spec = beside(told, "well");
    let ids = spec.ids.uid;
    let (stdout, _, exit) = outcome(spec).await;
    assert_eq!((stdout, exit.end), (format!("said by {ids} under 1\n"), End::Code(5)));
    let (_, _, exit) = outcome(beside("exit 1", "bad")).await;
    assert_eq!(exit.end, End::Beside);
    let (stdout, _, exit) = outcome(beside("echo over >/tmp/done", "over")).await;
    assert_eq!((stdout.as_str(), exit.end), ("over\n", End::Code(5)), "whoever ends well ends nothing else");
    let mut spec = beside("", "gone");
    spec.beside.programs = vec!["/var/task/nothing".into()];
    let error = spawner().spawn(spec).await.unwrap_err().to_string();
    assert_eq!(error, "executing /var/task/nothing: No such file or directory (os error 2)");
}

async fn outputs_can_be_opened_by_name() {
    let (stdout, stderr, _) = outcome(shell("echo out > /dev/stdout; echo err > /dev/stderr; cat")).await;
    assert_eq!((stdout.as_str(), stderr.as_str()), ("out\n", "err\n"));
}

async fn binds_show_their_directory() {
    let (code, layer) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(code.path().join("word"), "code").unwrap();
    std::fs::write(layer.path().join("word"), "layer").unwrap();
    let open = std::fs::File::open(layer.path()).unwrap();
    let mut spec = shell("cat /var/task/word /opt/word");
    spec.binds = vec![
        Bind { source: Source::Path(code.path().to_owned()), guest: "/var/task".into() },
        Bind { source: Source::Directory(std::sync::Arc::new(open.into())), guest: "/opt".into() },
    ];
    // Temporary directories are for their owner; the guest is someone else.
    for directory in [&code, &layer] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(directory.path(), mode).unwrap();
    }
    assert_eq!(output(spec).await, "codelayer");
}

async fn trees_show_only_themselves() {
    let spec = python("import os; print(os.listdir('/root'), os.listdir('/root/inner'))");
    assert_eq!(output(spec).await, "['inner'] ['tree']");
}

async fn what_cannot_start_says_why() {
    let mut elsewhere = shell("true");
    elsewhere.directory = "/nowhere".into();
    for (spec, expected) in [
        (
            Spec::exec("/var/task/bootstrap", &[], ids()),
            "executing /var/task/bootstrap: No such file or directory",
        ),
        (Spec::exec("/etc/hosts", &[], ids()), "executing /etc/hosts: Permission denied"),
        (elsewhere, "entering /nowhere: No such file or directory"),
    ] {
        let error = spawner().spawn(spec).await.expect_err("no instance").to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

async fn specifications_are_checked() {
    let change = |change: fn(&mut Spec)| {
        let mut spec = shell("true");
        change(&mut spec);
        spec
    };
    let bind = |guest: &str| Bind { source: Source::Path("/usr".into()), guest: guest.into() };
    let mut twice = shell("true");
    twice.binds = vec![bind("/opt"), bind("/opt")];
    let mut elsewhere = shell("true");
    elsewhere.binds = vec![bind("/etc")];
    for (spec, expected) in [
        (change(|spec| spec.ids.uid = 0), "ids"),
        (change(|spec| spec.ids.gid = 0), "ids"),
        (change(|spec| spec.listen = vec![0]), "listen"),
        (change(|spec| spec.listen = (1..=17).collect()), "listen"),
        (change(|spec| spec.directory = "tmp".into()), "directory"),
        (change(|spec| spec.environment = vec![("A=B".to_owned(), String::new())]), "environment"),
        (change(|spec| spec.environment = vec![("A".to_owned(), "\0".to_owned())]), "NUL"),
        (change(|spec| spec.environment = vec![("A".to_owned(), "x".repeat(100_000))]), "at most"),
        (change(|spec| spec.limits.memory_bytes = 1), "memory_bytes"),
        (change(|spec| spec.limits.cpu_millis = 0), "cpu_millis"),
        (change(|spec| spec.limits.pids = 0), "pids"),
        (twice, "twice"),
        (elsewhere, "mount point"),
    ] {
        match spawner().spawn(spec).await {
            Err(Error::Spec(reason)) => assert!(reason.contains(expected), "{reason}"),
            other => panic!("{expected}: {other:?}"),
        }
    }
}

async fn hundred_at_once() {
    let tasks: Vec<_> =
        (0..100).map(|number| tokio::spawn(output(shell(&format!("echo {number}"))))).collect();
    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), number.to_string());
    }
}
