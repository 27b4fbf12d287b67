//! What a guest can see: its own world and nothing of the host.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use libtest_mimic::Trial;

use crate::guest::{both, output, python};

pub(crate) fn trials() -> Vec<Trial> {
    [
        both("sees::no_host_directories", no_host_directories),
        both("sees::no_descriptors", no_descriptors),
        both("sees::no_other_processes", no_other_processes),
        both("sees::no_host_loopback", no_host_loopback),
        both("sees::no_host_abstract_sockets", no_host_abstract_sockets),
        both("sees::no_kernel_internals", no_kernel_internals),
        both("sees::no_host_names_in_mounts", no_host_names_in_mounts),
        both("sees::no_capabilities", no_capabilities),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn no_host_directories() {
    let top = "import os; print(*sorted(os.listdir('/')))";
    let expected: Vec<&str> = "bin dev etc lib lib32 lib64 libx32 opt proc root run sbin tmp usr var"
        .split(' ')
        .filter(|name| {
            !name.starts_with("lib") && *name != "bin" && *name != "sbin"
                || std::path::Path::new("/").join(name).exists()
        })
        .collect();
    assert_eq!(output(python(top)).await, expected.join(" "));
    for (path, expected) in [
        ("/var", "['empty', 'runtime', 'task']"),
        ("/tmp", "[]"),
        ("/run", "['group', 'passwd']"),
        ("/dev", "['fd', 'full', 'null', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'urandom', 'zero']"),
        ("/var/empty", "[]"),
    ] {
        let list = format!("import os; print(sorted(os.listdir({path:?})))");
        assert_eq!(output(python(&list)).await, expected, "{path}");
    }
    // Names that are secret wherever they are, and places of this very repository.
    let here = env!("CARGO_MANIFEST_DIR");
    for path in [
        "/home",
        "/work",
        "/sys/kernel",
        "/etc/shadow",
        "/etc/ssl/private",
        "/etc/machine-id",
        "/root/.ssh",
        "/root/.bashrc",
        "/var/lib",
        "/var/log",
        "/boot",
        "/mnt",
        here,
    ] {
        let look = format!("import os; print(os.path.lexists({path:?}))");
        assert_eq!(output(python(&look)).await, "False", "{path}");
    }
    // Ways up and around.
    let up = "import os\nfor path in ['..', '/..', '/proc/self/cwd/..', '/proc/self/root/..', '/proc/1/root', '/proc/1/cwd']:\n  try: print('home' in os.listdir(path))\n  except OSError: print(False)";
    assert_eq!(output(python(up)).await, ["False"; 6].join("\n"));
}

async fn no_descriptors() {
    // The listing itself takes descriptor 3.
    let list = "import os; print(os.listdir('/proc/self/fd'), os.readlink('/proc/self/fd/0'), os.readlink('/proc/self/cwd'))";
    assert_eq!(output(python(list)).await, "['0', '1', '2', '3'] /dev/null /");
}

async fn no_other_processes() {
    let list =
        "import os; print([name for name in os.listdir('/proc') if name.isdigit()] == [str(os.getpid())])";
    assert_eq!(output(python(list)).await, "True");
    let reach = "import os\nfor name in ['environ', 'maps', 'exe', 'fd', 'mem', 'cmdline', 'ns/net']:\n  try: open('/proc/1/' + name); print('opened', name)\n  except OSError as error: print(error.errno in (1, 2, 13))";
    assert_eq!(output(python(reach)).await, ["True"; 7].join("\n"));
    let signal = "import os\nfor pid in [1, -1]:\n  try: os.kill(pid, 0 if pid == 1 else 15); print('reached')\n  except OSError as error: print(error.errno)";
    assert_eq!(output(python(signal)).await, "1\n3", "EPERM for the first process; nobody else exists");
}

async fn no_host_loopback() {
    let host = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = host.local_addr().unwrap().port();
    let connect = format!(
        "import socket\nfor host in ['127.0.0.1', '127.1.2.3', '10.0.0.1', '169.254.169.254', '192.0.2.1']:\n  try: socket.create_connection((host, {port}), 2); print('connected')\n  except OSError as error: print(error.errno)"
    );
    let (refused, unreachable) = (libc::ECONNREFUSED, libc::ENETUNREACH);
    let expected = [refused, refused, unreachable, unreachable, unreachable].map(|errno| errno.to_string());
    assert_eq!(output(python(&connect)).await, expected.join("\n"));
}

async fn no_host_abstract_sockets() {
    let name = format!("pagoda-test-{}", std::process::id());
    let _host = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let connect = format!(
        "import socket\ntry: socket.socket(socket.AF_UNIX).connect('\\0{name}'); print('connected')\nexcept OSError as error: print(error.errno)"
    );
    assert_eq!(output(python(&connect)).await, libc::ECONNREFUSED.to_string());
}

async fn no_kernel_internals() {
    for name in ["cmdline", "kallsyms", "kcore", "keys", "kmsg", "modules", "sysrq-trigger", "timer_list"] {
        let read = format!("try: print(len(open('/proc/{name}').read()))\nexcept OSError: print(0)");
        assert_eq!(output(python(&read)).await, "0", "{name}");
    }
    let write = "import os\nfor name in ['sys/kernel/core_pattern', 'sys/kernel/hostname', 'sysrq-trigger', 'self/uid_map', 'sys/net/ipv4/ip_forward']:\n  try: open('/proc/' + name, 'w').write('x'); print('written', name)\n  except OSError: print('refused')";
    assert_eq!(output(python(write)).await, ["refused"; 5].join("\n"));
}

async fn no_host_names_in_mounts() {
    let mounts = output(python("print(open('/proc/self/mountinfo').read())")).await;
    for word in ["cgroup", "/home", "sysfs", "devtmpfs", "devpts"] {
        assert!(!mounts.contains(word), "{word} in\n{mounts}");
    }
}

async fn no_capabilities() {
    let status = "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith(('Cap', 'NoNewPrivs', 'Seccomp:'))])";
    let none = ["0000000000000000"; 5].join(" ");
    assert_eq!(output(python(status)).await, format!("{none} 1 2"));
}
