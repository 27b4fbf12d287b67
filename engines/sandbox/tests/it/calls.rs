//! System calls that a guest must not be able to make, made by one.

use libtest_mimic::Trial;

use crate::guest::{both, output, python};

pub(crate) fn trials() -> Vec<Trial> {
    [
        both("calls::dangerous_ones_are_refused", dangerous_ones_are_refused),
        both("calls::unknown_ones_do_not_exist", unknown_ones_do_not_exist),
        both("calls::namespaces_cannot_be_made_by_clone", namespaces_cannot_be_made_by_clone),
        both("calls::terminals_cannot_be_typed_into", terminals_cannot_be_typed_into),
        both("calls::socket_families_are_few", socket_families_are_few),
        both("calls::set_user_id_programs_gain_nothing", set_user_id_programs_gain_nothing),
        both("calls::threads_and_children_work", threads_and_children_work),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The error number that each `(name, number, arguments)` gets, as "name errno" lines.
fn errors(calls: &[(&str, libc::c_long, &str)]) -> String {
    let calls: Vec<String> = calls
        .iter()
        .map(|(name, number, arguments)| format!("({name:?}, {number}, ({arguments}))"))
        .collect();
    format!(
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nbuffer = ctypes.create_string_buffer(4096)\n\
         for name, number, arguments in [{}]:\n  ctypes.set_errno(0)\n  \
         answer = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])\n  \
         print(name, answer, ctypes.get_errno())",
        calls.join(", ")
    )
}

async fn check(calls: &[(&str, libc::c_long, &str)], errno: i32) {
    let expected: Vec<String> = calls.iter().map(|(name, ..)| format!("{name} -1 {errno}")).collect();
    assert_eq!(output(python(&errors(calls))).await, expected.join("\n"));
}

async fn dangerous_ones_are_refused() {
    let calls = [
        ("mount", libc::SYS_mount, "b'none', b'/tmp', b'tmpfs', 0, 0,"),
        ("umount2", libc::SYS_umount2, "b'/tmp', 2,"),
        ("pivot_root", libc::SYS_pivot_root, "b'/tmp', b'/tmp',"),
        ("chroot", libc::SYS_chroot, "b'/tmp',"),
        ("open_tree", libc::SYS_open_tree, "-100, b'/', 1,"),
        ("fsopen", libc::SYS_fsopen, "b'tmpfs', 0,"),
        ("move_mount", libc::SYS_move_mount, "0, b'', 0, b'/tmp', 4,"),
        ("mount_setattr", libc::SYS_mount_setattr, "-100, b'/', 0, buffer, 32,"),
        ("unshare", libc::SYS_unshare, "0x10000000,"),
        ("setns", libc::SYS_setns, "0, 0,"),
        ("ptrace", libc::SYS_ptrace, "0, 0, 0, 0,"),
        ("process_vm_readv", libc::SYS_process_vm_readv, "1, buffer, 1, buffer, 1, 0,"),
        ("process_vm_writev", libc::SYS_process_vm_writev, "1, buffer, 1, buffer, 1, 0,"),
        ("pidfd_getfd", libc::SYS_pidfd_getfd, "0, 0, 0,"),
        ("bpf", libc::SYS_bpf, "5, buffer, 64,"),
        ("perf_event_open", libc::SYS_perf_event_open, "buffer, 0, -1, -1, 0,"),
        ("userfaultfd", libc::SYS_userfaultfd, "0,"),
        ("add_key", libc::SYS_add_key, "b'user', b'a', b'b', 1, -3,"),
        ("request_key", libc::SYS_request_key, "b'user', b'a', 0, -3,"),
        ("keyctl", libc::SYS_keyctl, "0, -3, 0,"),
        ("open_by_handle_at", libc::SYS_open_by_handle_at, "-100, buffer, 0,"),
        ("init_module", libc::SYS_init_module, "buffer, 4096, b'',"),
        ("finit_module", libc::SYS_finit_module, "0, b'', 0,"),
        ("delete_module", libc::SYS_delete_module, "b'x', 0,"),
        ("kexec_load", libc::SYS_kexec_load, "0, 0, 0, 0,"),
        ("reboot", libc::SYS_reboot, "0xfee1dead, 672274793, 0, 0,"),
        ("swapon", libc::SYS_swapon, "b'/tmp/x', 0,"),
        ("acct", libc::SYS_acct, "b'/tmp/x',"),
        ("settimeofday", libc::SYS_settimeofday, "buffer, 0,"),
        ("clock_settime", libc::SYS_clock_settime, "0, buffer,"),
        ("sethostname", libc::SYS_sethostname, "b'x', 1,"),
        ("syslog", libc::SYS_syslog, "2, buffer, 100,"),
        ("fanotify_init", libc::SYS_fanotify_init, "0, 0,"),
        ("personality", libc::SYS_personality, "0x0040000,"),
    ];
    check(&calls, libc::EPERM).await;
}

async fn unknown_ones_do_not_exist() {
    let calls = [
        ("clone3", libc::SYS_clone3, "buffer, 88,"),
        ("io_uring_setup", libc::SYS_io_uring_setup, "1, buffer,"),
        ("io_uring_enter", libc::SYS_io_uring_enter, "0, 0, 0, 0, 0, 0,"),
        ("io_uring_register", libc::SYS_io_uring_register, "0, 0, 0, 0,"),
        ("memfd_secret", libc::SYS_memfd_secret, "0,"),
        ("one of the future", 900, "0,"),
    ];
    check(&calls, libc::ENOSYS).await;
}

async fn namespaces_cannot_be_made_by_clone() {
    let flags = [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWNET, libc::CLONE_NEWPID];
    for flag in flags {
        let arguments = format!("{}, 0, 0, 0, 0,", flag | libc::SIGCHLD);
        check(&[("clone", libc::SYS_clone, &arguments)], libc::EPERM).await;
    }
}

async fn terminals_cannot_be_typed_into() {
    let type_into = format!(
        "import fcntl\nfor request in [{}, {} | 1 << 32, {}]:\n  try: fcntl.ioctl(0, request & 0xffffffff, b'x'); print('typed')\n  except OSError as error: print(error.errno)",
        libc::TIOCSTI,
        libc::TIOCSTI,
        libc::TIOCLINUX
    );
    assert_eq!(output(python(&type_into)).await, ["1"; 3].join("\n"));
    let high = format!("0, {} | 1 << 32, b'x',", libc::TIOCSTI);
    check(&[("ioctl with high bits", libc::SYS_ioctl, &high)], libc::EPERM).await;
    let terminal = "try: open('/dev/tty'); print('opened')\nexcept OSError: print('none')";
    assert_eq!(output(python(terminal)).await, "none");
}

async fn socket_families_are_few() {
    let open = |family: i32, kind: i32, protocol: i32| {
        format!(
            "import socket\ntry: socket.socket({family}, {kind}, {protocol}); print(0)\nexcept OSError as error: print(error.errno)"
        )
    };
    for (family, kind, protocol, expected) in [
        (libc::AF_UNIX, libc::SOCK_STREAM, 0, 0),
        (libc::AF_INET, libc::SOCK_STREAM, 0, 0),
        (libc::AF_INET6, libc::SOCK_DGRAM, 0, 0),
        (libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE, 0),
        (libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP, libc::EPERM),
        (libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_NETFILTER, libc::EAFNOSUPPORT),
        (libc::AF_PACKET, libc::SOCK_RAW, 0, libc::EAFNOSUPPORT),
        (libc::AF_VSOCK, libc::SOCK_STREAM, 0, libc::EAFNOSUPPORT),
        (libc::AF_ALG, libc::SOCK_SEQPACKET, 0, libc::EAFNOSUPPORT),
    ] {
        let found = output(python(&open(family, kind, protocol))).await;
        assert_eq!(found, expected.to_string(), "{family} {kind} {protocol}");
    }
}

async fn set_user_id_programs_gain_nothing() {
    let run = "import os, subprocess\nprint(os.stat('/usr/bin/su').st_mode & 0o4000 != 0, subprocess.run(['/usr/bin/su', '-c', 'id'], capture_output=True).returncode != 0)";
    assert_eq!(output(python(run)).await, "True True");
}

async fn threads_and_children_work() {
    let work = "import subprocess, threading\nfound = []\nthreads = [threading.Thread(target=found.append, args=(n,)) for n in range(8)]\n[t.start() for t in threads]; [t.join() for t in threads]\nprint(sorted(found), subprocess.check_output(['/bin/echo', 'child']))";
    assert_eq!(output(python(work)).await, "[0, 1, 2, 3, 4, 5, 6, 7] b'child\\n'");
}
