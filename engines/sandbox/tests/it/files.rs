//! Where a guest can write, and what links and changed names lead to.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use libtest_mimic::Trial;
use pagoda_sandbox::{Bind, Source, Spec};
use tempfile::TempDir;

use crate::guest::{both, output, python, spawn};

pub(crate) fn trials() -> Vec<Trial> {
    [
        both("files::only_temporary_places_are_writable", only_temporary_places_are_writable),
        both("files::temporary_space_ends", temporary_space_ends),
        both("files::temporary_files_are_the_instances_own", temporary_files_are_the_instances_own),
        both("files::links_lead_nowhere_outside", links_lead_nowhere_outside),
        both("files::own_program_cannot_be_overwritten", own_program_cannot_be_overwritten),
        both("files::an_open_directory_is_what_is_bound", an_open_directory_is_what_is_bound),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn with_code(mut spec: Spec, code: &Path) -> Spec {
    spec.binds = vec![Bind { source: Source::Path(code.to_owned()), guest: "/var/task".into() }];
    spec
}

fn public_directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    // As open as can be, so that only the sandbox is in the way.
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    directory
}

async fn only_temporary_places_are_writable() {
    let code = public_directory();
    let write = "for place in ['/', '/usr', '/etc', '/var', '/var/task', '/var/empty', '/opt', '/dev', '/run', '/proc', '/tmp', '/dev/shm']:\n  try: open(place + '/new', 'w').write('x'); print(place)\n  except OSError as error: assert error.errno in (1, 2, 13, 30), error\nfor name in ['null', 'zero']: open('/dev/' + name, 'w').write('x')";
    assert_eq!(output(with_code(python(write), code.path())).await, "/tmp\n/dev/shm");
    assert_eq!(fs::read_dir(code.path()).unwrap().count(), 0);
}

async fn temporary_space_ends() {
    let mut spec = python(
        "import os\ntry:\n  with open('/tmp/file', 'wb') as file:\n    while True: file.write(bytes(65536))\nexcept OSError as error: print(error.errno)\nprint(os.path.getsize('/tmp/file'))",
    );
    spec.limits.tmp_bytes = 4 << 20;
    assert_eq!(output(spec).await, format!("{}\n{}", libc::ENOSPC, 4 << 20));
    let mut spec = python(
        "import os\nmade = 0\ntry:\n  while True: open(f'/tmp/{made}', 'w'); made += 1\nexcept OSError as error: print(error.errno, made < 2000)",
    );
    spec.limits.tmp_bytes = 4 << 20;
    assert_eq!(output(spec).await, format!("{} True", libc::ENOSPC));
}

async fn temporary_files_are_the_instances_own() {
    let mut first =
        spawn(python("open('/tmp/mark', 'w').write('x'); print('made'); import time; time.sleep(1000)"))
            .await;
    assert_eq!(crate::guest::line(first.stdout.as_mut().unwrap()).await, "made");
    assert_eq!(output(python("import os; print(os.listdir('/tmp'))")).await, "[]");
    assert!(!Path::new("/tmp/mark").exists());
}

async fn links_lead_nowhere_outside() {
    let (code, secret) = (public_directory(), public_directory());
    fs::write(secret.path().join("key"), "secret").unwrap();
    symlink(secret.path().join("key"), code.path().join("file")).unwrap();
    symlink(secret.path(), code.path().join("directory")).unwrap();
    symlink("../../../../../../../../etc/shadow", code.path().join("up")).unwrap();
    symlink("/proc/1/root/etc/shadow", code.path().join("through")).unwrap();
    let read = "for name in ['file', 'directory/key', 'up', 'through']:\n  try: print(open('/var/task/' + name).read())\n  except OSError as error: print(error.errno in (2, 13))";
    assert_eq!(output(with_code(python(read), code.path())).await, ["True"; 4].join("\n"));
}

async fn own_program_cannot_be_overwritten() {
    let write = "import os\nfor path in ['/proc/self/exe', '/usr/bin/python3', '/proc/1/exe', '/proc/self/root/usr/bin/env']:\n  try: os.open(path, os.O_RDWR); print('opened', path)\n  except OSError as error: print(error.errno in (1, 2, 13, 26, 30))";
    assert_eq!(output(python(write)).await, ["True"; 4].join("\n"));
}

async fn an_open_directory_is_what_is_bound() {
    let place = public_directory();
    let (named, moved) = (place.path().join("code"), place.path().join("old"));
    fs::create_dir(&named).unwrap();
    fs::write(named.join("word"), "meant").unwrap();
    let open = std::sync::Arc::new(fs::File::open(&named).unwrap().into());
    fs::rename(&named, &moved).unwrap();
    symlink("/etc", &named).unwrap();
    let mut spec = python("print(open('/var/task/word').read())");
    spec.binds = vec![Bind { source: Source::Directory(open), guest: "/var/task".into() }];
    assert_eq!(output(spec).await, "meant");
}
