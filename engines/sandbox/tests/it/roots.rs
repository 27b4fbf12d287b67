//! Guests with a file system of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use libtest_mimic::Trial;
use pagoda_sandbox::{End, Error, Isolation, Source, Spec};

use crate::guest::{ids, outcome, shell, spawner, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("roots::a_guest_sees_its_own_tree_only", a_guest_sees_its_own_tree_only),
        trial("roots::a_root_must_have_its_places", a_root_must_have_its_places),
        trial("roots::a_root_stands_alone", a_root_stands_alone),
    ]
}

/// A tree with a shell, what that needs, and a word.
fn tree(directories: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), PermissionsExt::from_mode(0o755)).unwrap();
    for name in directories {
        fs::create_dir_all(root.path().join(name)).unwrap();
    }
    let maps = std::process::Command::new("ldd").arg("/bin/sh").output().unwrap().stdout;
    let maps = String::from_utf8(maps).unwrap();
    let libraries = maps.split_whitespace().filter(|word| word.starts_with('/'));
    for file in libraries.chain(["/bin/sh"]) {
        let place = root.path().join(file.trim_start_matches('/'));
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(file, place).unwrap();
    }
    fs::write(root.path().join("word"), "own").unwrap();
    root
}

fn spec(root: &Path, program: &str) -> Spec {
    let mut spec = Spec::exec("/bin/sh", &["-c", program], ids());
    spec.root = Some(Source::Path(root.to_owned()));
    spec.limits.cpu_millis = 1000;
    spec
}

async fn a_guest_sees_its_own_tree_only() {
    if spawner().isolation() == Isolation::None {
        println!("skipped: nothing confines here");
        return;
    }
    let root = tree(&["dev", "proc", "tmp"]);
    let program =
        "read word < /word; echo $word; echo /*; echo $$ /proc/[0-9]*; echo x > /tmp/x && echo /tmp/*
        (echo x > /y) 2>/dev/null || echo no
        while read -r a b c d place options rest; do
            if [ $place = / ]; then echo $options; fi
        done < /proc/self/mountinfo";
    let (stdout, stderr, exit) = outcome(spec(root.path(), program)).await;
    assert_eq!((stderr.as_str(), exit.end), ("", End::Code(0)), "{stdout}");
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!((lines[0], lines[3], lines[4]), ("own", "/tmp/x", "no"), "{stdout}");
    let names: Vec<&str> = lines[1].split(' ').collect();
    let shown = ["/bin", "/dev", "/lib", "/lib64", "/proc", "/tmp", "/word"];
    assert!(names.iter().all(|name| shown.contains(name)), "{names:?}");
    assert_eq!(lines[2], "2 /proc/2", "its own processes only");
    assert!(lines.len() == 6 && lines[5].starts_with("ro,nosuid,nodev"), "{stdout}");
    assert_eq!(fs::read_dir(root.path().join("tmp")).unwrap().count(), 0);
}

async fn a_root_must_have_its_places() {
    if spawner().isolation() == Isolation::None {
        return;
    }
    let root = tree(&["dev", "tmp"]);
    let error = spawner().spawn(spec(root.path(), "exit 0")).await.unwrap_err();
    let Error::Spawn { step, .. } = error else { panic!("{error}") };
    assert_eq!(step, "moving /proc to /var/empty/proc");
}

async fn a_root_stands_alone() {
    let root = tempfile::tempdir().unwrap();
    let mut spec = spec(root.path(), "exit 0");
    spec.binds = vec![pagoda_sandbox::Bind {
        source: Source::Path(root.path().to_owned()),
        guest: "/var/task".into(),
    }];
    assert!(matches!(spawner().spawn(spec).await, Err(Error::Spec(_))));
    assert_eq!(outcome(shell("test -e /usr && echo shared")).await.0, "shared\n");
}
