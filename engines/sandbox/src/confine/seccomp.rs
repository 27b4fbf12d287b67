//! Which system calls a guest can make.
//!
//! Named calls are allowed; calls that reach for the host or for other processes answer `EPERM`; everything
//! else (calls newer than this list among them) answers `ENOSYS`, which C libraries take as "fall back".
//! `clone3` is among those: its flags lie in memory, where a filter can't see them, and an answer of `EPERM`
//! would break thread creation.

use std::collections::BTreeMap;

use libc::{c_long, sock_filter, sock_fprog};

use super::bpf::{Rule, Test, assemble};
use crate::message::Fault;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e; // AUDIT_ARCH_X86_64
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7; // AUDIT_ARCH_AARCH64

// Not in `libc` for every architecture.
#[cfg(target_arch = "x86_64")]
const IO_PGETEVENTS: c_long = 333;
#[cfg(target_arch = "aarch64")]
const IO_PGETEVENTS: c_long = 292;

const NAMESPACES: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWCGROUP) as u32;

/// Typing into a terminal on someone's behalf, and swapping its line discipline.
const TERMINAL: &[u32] = &[libc::TIOCSTI as u32, libc::TIOCLINUX as u32, 0x5423 /* TIOCSETD */];

const FAMILIES: &[u32] = &[libc::AF_UNIX as u32, libc::AF_INET as u32, libc::AF_INET6 as u32];

const ALLOW: Rule = Rule::Allow;
const PERM: Rule = Rule::Deny(libc::EPERM);
const FAMILY: Rule = Rule::Deny(libc::EAFNOSUPPORT);

/// Interface lists (`getifaddrs`, Node's `os.networkInterfaces`) need route netlink; no other netlink.
const NETLINK: Rule = Rule::When {
    argument: 0,
    is: Test::OneOf(&[libc::AF_NETLINK as u32]),
    then: &Rule::When {
        argument: 2,
        is: Test::OneOf(&[libc::NETLINK_ROUTE as u32]),
        then: &ALLOW,
        otherwise: &FAMILY,
    },
    otherwise: &FAMILY,
};

const CONDITIONAL: &[(c_long, Rule)] = &[
    (
        libc::SYS_clone,
        Rule::When { argument: 0, is: Test::HasAnyBit(NAMESPACES), then: &PERM, otherwise: &ALLOW },
    ),
    (libc::SYS_ioctl, Rule::When { argument: 1, is: Test::OneOf(TERMINAL), then: &PERM, otherwise: &ALLOW }),
    (
        libc::SYS_socket,
        Rule::When { argument: 0, is: Test::OneOf(FAMILIES), then: &ALLOW, otherwise: &NETLINK },
    ),
    (
        libc::SYS_socketpair,
        Rule::When {
            argument: 0,
            is: Test::OneOf(&[libc::AF_UNIX as u32]),
            then: &ALLOW,
            otherwise: &FAMILY,
        },
    ),
    (
        // Linux, UNAME26 and the query; not the bits that weaken address-space randomisation.
        libc::SYS_personality,
        Rule::When {
            argument: 0,
            is: Test::OneOf(&[0, 0x0002_0000, 0xffff_ffff]),
            then: &ALLOW,
            otherwise: &PERM,
        },
    ),
];

/// Whoever asks for these is told that it may not.
#[rustfmt::skip]
const DENIED: &[c_long] = &[
    // The file-system tree.
    libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot, libc::SYS_open_tree,
    libc::SYS_move_mount, libc::SYS_fsopen, libc::SYS_fsconfig, libc::SYS_fsmount, libc::SYS_fspick,
    libc::SYS_mount_setattr, libc::SYS_open_by_handle_at, libc::SYS_name_to_handle_at, libc::SYS_quotactl,
    libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_fanotify_init, libc::SYS_fanotify_mark,
    // Other processes and namespaces.
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd, libc::SYS_kcmp, libc::SYS_unshare, libc::SYS_setns,
    // Parts of the kernel with a large surface.
    libc::SYS_bpf, libc::SYS_perf_event_open, libc::SYS_userfaultfd, libc::SYS_add_key,
    libc::SYS_request_key, libc::SYS_keyctl, libc::SYS_mbind, libc::SYS_get_mempolicy,
    libc::SYS_set_mempolicy, libc::SYS_migrate_pages, libc::SYS_move_pages,
    // The machine.
    libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_kexec_load,
    libc::SYS_kexec_file_load, libc::SYS_reboot, libc::SYS_acct, libc::SYS_settimeofday,
    libc::SYS_clock_settime, libc::SYS_clock_adjtime, libc::SYS_adjtimex, libc::SYS_syslog,
    libc::SYS_sethostname, libc::SYS_setdomainname, libc::SYS_vhangup, libc::SYS_nfsservctl,
];

#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const DENIED_HERE: &[c_long] = &[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[c_long] = &[];

#[rustfmt::skip]
const ALLOWED: &[c_long] = &[
    // Files.
    libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev, libc::SYS_pread64,
    libc::SYS_pwrite64, libc::SYS_preadv, libc::SYS_pwritev, libc::SYS_preadv2, libc::SYS_pwritev2,
    libc::SYS_openat, libc::SYS_openat2, libc::SYS_close, libc::SYS_close_range, libc::SYS_fstat,
    libc::SYS_newfstatat, libc::SYS_statx, libc::SYS_statfs, libc::SYS_fstatfs, libc::SYS_lseek,
    libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_dup, libc::SYS_dup3, libc::SYS_pipe2,
    libc::SYS_fcntl, libc::SYS_flock, libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_sync,
    libc::SYS_syncfs, libc::SYS_sync_file_range, libc::SYS_truncate, libc::SYS_ftruncate,
    libc::SYS_fallocate, libc::SYS_fadvise64, libc::SYS_readahead, libc::SYS_getdents64,
    libc::SYS_getcwd, libc::SYS_chdir, libc::SYS_fchdir, libc::SYS_mkdirat, libc::SYS_unlinkat,
    libc::SYS_renameat, libc::SYS_renameat2, libc::SYS_linkat, libc::SYS_symlinkat, libc::SYS_readlinkat,
    libc::SYS_mknodat, libc::SYS_fchmod, libc::SYS_fchmodat, libc::SYS_fchmodat2, libc::SYS_fchown,
    libc::SYS_fchownat, libc::SYS_umask, libc::SYS_utimensat, libc::SYS_copy_file_range,
    libc::SYS_sendfile, libc::SYS_splice, libc::SYS_tee, libc::SYS_vmsplice,
    libc::SYS_inotify_init1, libc::SYS_inotify_add_watch, libc::SYS_inotify_rm_watch,
    libc::SYS_getxattr, libc::SYS_lgetxattr, libc::SYS_fgetxattr, libc::SYS_listxattr,
    libc::SYS_llistxattr, libc::SYS_flistxattr, libc::SYS_setxattr, libc::SYS_lsetxattr,
    libc::SYS_fsetxattr, libc::SYS_removexattr, libc::SYS_lremovexattr, libc::SYS_fremovexattr,
    libc::SYS_io_setup, libc::SYS_io_destroy, libc::SYS_io_submit, libc::SYS_io_cancel,
    libc::SYS_io_getevents, IO_PGETEVENTS,
    // Memory.
    libc::SYS_brk, libc::SYS_mmap, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_mprotect,
    libc::SYS_pkey_mprotect, libc::SYS_pkey_alloc, libc::SYS_pkey_free, libc::SYS_madvise,
    libc::SYS_mincore, libc::SYS_msync, libc::SYS_mlock, libc::SYS_mlock2, libc::SYS_munlock,
    libc::SYS_mlockall, libc::SYS_munlockall, libc::SYS_memfd_create, libc::SYS_membarrier,
    // Processes, threads and signals.
    libc::SYS_execve, libc::SYS_execveat, libc::SYS_exit, libc::SYS_exit_group, libc::SYS_wait4,
    libc::SYS_waitid, libc::SYS_kill, libc::SYS_tkill, libc::SYS_tgkill, libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal, libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn, libc::SYS_rt_sigpending, libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_sigaltstack, libc::SYS_restart_syscall, libc::SYS_signalfd4, libc::SYS_futex,
    libc::SYS_futex_waitv, libc::SYS_set_robust_list, libc::SYS_get_robust_list,
    libc::SYS_set_tid_address, libc::SYS_rseq, libc::SYS_prctl, libc::SYS_seccomp,
    libc::SYS_landlock_create_ruleset, libc::SYS_landlock_add_rule, libc::SYS_landlock_restrict_self,
    libc::SYS_getpid, libc::SYS_getppid, libc::SYS_gettid, libc::SYS_getpgid, libc::SYS_setpgid,
    libc::SYS_getsid, libc::SYS_setsid, libc::SYS_getpriority, libc::SYS_setpriority,
    libc::SYS_ioprio_get, libc::SYS_ioprio_set, libc::SYS_sched_yield, libc::SYS_sched_getaffinity,
    libc::SYS_sched_setaffinity, libc::SYS_sched_getparam, libc::SYS_sched_setparam,
    libc::SYS_sched_getscheduler, libc::SYS_sched_setscheduler, libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min, libc::SYS_sched_rr_get_interval, libc::SYS_sched_getattr,
    libc::SYS_sched_setattr, libc::SYS_getcpu, libc::SYS_getrlimit, libc::SYS_setrlimit,
    libc::SYS_prlimit64, libc::SYS_getrusage, libc::SYS_times,
    // Identity (no capability is left to change it with).
    libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid, libc::SYS_getegid, libc::SYS_getresuid,
    libc::SYS_getresgid, libc::SYS_getgroups, libc::SYS_setuid, libc::SYS_setgid, libc::SYS_setreuid,
    libc::SYS_setregid, libc::SYS_setresuid, libc::SYS_setresgid, libc::SYS_setgroups,
    libc::SYS_setfsuid, libc::SYS_setfsgid, libc::SYS_capget, libc::SYS_capset,
    // Time.
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_clock_nanosleep, libc::SYS_nanosleep,
    libc::SYS_gettimeofday, libc::SYS_getitimer, libc::SYS_setitimer, libc::SYS_timer_create,
    libc::SYS_timer_settime, libc::SYS_timer_gettime, libc::SYS_timer_getoverrun,
    libc::SYS_timer_delete, libc::SYS_timerfd_create, libc::SYS_timerfd_settime,
    libc::SYS_timerfd_gettime,
    // Waiting.
    libc::SYS_ppoll, libc::SYS_pselect6, libc::SYS_epoll_create1, libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2, libc::SYS_eventfd2,
    // Sockets (`socket` and `socketpair` are conditional).
    libc::SYS_bind, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4, libc::SYS_connect,
    libc::SYS_getsockname, libc::SYS_getpeername, libc::SYS_getsockopt, libc::SYS_setsockopt,
    libc::SYS_shutdown, libc::SYS_sendto, libc::SYS_sendmsg, libc::SYS_sendmmsg, libc::SYS_recvfrom,
    libc::SYS_recvmsg, libc::SYS_recvmmsg,
    // System V and POSIX objects of the instance's own namespace.
    libc::SYS_shmget, libc::SYS_shmat, libc::SYS_shmdt, libc::SYS_shmctl, libc::SYS_semget,
    libc::SYS_semop, libc::SYS_semtimedop, libc::SYS_semctl, libc::SYS_msgget, libc::SYS_msgsnd,
    libc::SYS_msgrcv, libc::SYS_msgctl, libc::SYS_mq_open, libc::SYS_mq_unlink,
    libc::SYS_mq_timedsend, libc::SYS_mq_timedreceive, libc::SYS_mq_notify, libc::SYS_mq_getsetattr,
    // The rest.
    libc::SYS_uname, libc::SYS_sysinfo, libc::SYS_getrandom,
];

/// Calls that only the older architecture has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const ALLOWED_HERE: &[c_long] = &[
    libc::SYS_open, libc::SYS_creat, libc::SYS_stat, libc::SYS_lstat, libc::SYS_access,
    libc::SYS_dup2, libc::SYS_pipe, libc::SYS_mkdir, libc::SYS_rmdir, libc::SYS_unlink,
    libc::SYS_rename, libc::SYS_link, libc::SYS_symlink, libc::SYS_readlink, libc::SYS_mknod,
    libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown, libc::SYS_utime, libc::SYS_utimes,
    libc::SYS_futimesat, libc::SYS_getdents, libc::SYS_inotify_init, libc::SYS_fork, libc::SYS_vfork,
    libc::SYS_getpgrp, libc::SYS_alarm, libc::SYS_pause, libc::SYS_time, libc::SYS_poll,
    libc::SYS_select, libc::SYS_epoll_create, libc::SYS_epoll_wait, libc::SYS_eventfd,
    libc::SYS_signalfd, libc::SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: &[c_long] = &[];

/// The filter, made once in the spawner and inherited by every instance.
pub(crate) fn filter() -> Vec<sock_filter> {
    assemble(ARCHITECTURE, &rules(), Rule::Deny(libc::ENOSYS))
}

fn rules() -> BTreeMap<u32, Rule> {
    let allowed = ALLOWED.iter().chain(ALLOWED_HERE).map(|&number| (number, ALLOW));
    let denied = DENIED.iter().chain(DENIED_HERE).map(|&number| (number, PERM));
    let all = allowed.chain(denied).chain(CONDITIONAL.iter().copied());
    // Call numbers are small and never negative.
    all.filter_map(|(number, rule)| Some((u32::try_from(number).ok()?, rule))).collect()
}

/// Installs `filter` for this process and all that come from it, for good.
///
/// Needs `no_new_privs`, or `CAP_SYS_ADMIN`.
pub(crate) fn install(filter: &[sock_filter]) -> Result<(), Fault> {
    let length = u16::try_from(filter.len()).map_err(|_| Fault::new("sizing seccomp", libc::E2BIG))?;
    let program = sock_fprog { len: length, filter: filter.as_ptr().cast_mut() };
    // SAFETY: `program` points to `len` instructions that outlive the call; the kernel copies and checks them.
    let answer = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &program) };
    if answer == 0 { Ok(()) } else { Err(Fault::last("installing seccomp")) }
}

/// Whether this kernel has seccomp filters.
pub(crate) fn available() -> bool {
    let action: u32 = libc::SECCOMP_RET_ERRNO;
    // SAFETY: the call reads one `u32` and changes nothing.
    unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the filter answers, computed as the kernel would: the error number, or 0 for allowed.
    fn verdict(architecture: u32, number: u32, arguments: [u64; 6]) -> i32 {
        let program = filter();
        let (mut at, mut accumulator) = (0, 0_u32);
        for _ in 0..program.len() {
            let instruction = program[at];
            at += 1;
            let (k, code) = (instruction.k, u32::from(instruction.code));
            let jump = |yes: bool| usize::from(if yes { instruction.jt } else { instruction.jf });
            match code & 0x07 {
                libc::BPF_RET if k == libc::SECCOMP_RET_ALLOW => return 0,
                libc::BPF_RET => return (k & 0xffff) as i32,
                libc::BPF_LD => {
                    accumulator = match k {
                        0 => number,
                        4 => architecture,
                        _ => arguments[(k as usize - 16) / 8] as u32,
                    }
                }
                _ => {
                    at += match code & 0xf0 {
                        libc::BPF_JA => k as usize,
                        libc::BPF_JEQ => jump(accumulator == k),
                        libc::BPF_JGE => jump(accumulator >= k),
                        _ => jump(accumulator & k != 0),
                    }
                }
            }
        }
        panic!("the program does not end");
    }

    fn check(call: c_long, arguments: &[u64], expected: i32) {
        let mut all = [0; 6];
        all[..arguments.len()].copy_from_slice(arguments);
        assert_eq!(verdict(ARCHITECTURE, call as u32, all), expected, "call {call} {arguments:?}");
    }

    #[test]
    fn each_listed_call_gets_its_answer() {
        for &call in ALLOWED.iter().chain(ALLOWED_HERE) {
            check(call, &[], 0);
        }
        for &call in DENIED.iter().chain(DENIED_HERE) {
            check(call, &[], libc::EPERM);
        }
    }

    #[test]
    fn no_call_is_listed_twice() {
        let lists = ALLOWED.len() + ALLOWED_HERE.len() + DENIED.len() + DENIED_HERE.len() + CONDITIONAL.len();
        assert_eq!(rules().len(), lists);
    }

    #[test]
    fn unlisted_calls_do_not_exist() {
        for call in [libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, 9_999, 0x4000_0000]
        {
            check(call, &[], libc::ENOSYS);
        }
        assert_eq!(verdict(0x4000_0003, libc::SYS_read as u32, [0; 6]), libc::ENOSYS, "another architecture");
    }

    #[test]
    fn arguments_decide() {
        let high = 1_u64 << 32;
        check(libc::SYS_clone, &[libc::CLONE_VM as u64 | libc::CLONE_THREAD as u64], 0);
        check(libc::SYS_clone, &[libc::CLONE_NEWUSER as u64], libc::EPERM);
        check(libc::SYS_clone, &[libc::CLONE_NEWNET as u64 | 17], libc::EPERM);
        check(libc::SYS_ioctl, &[0, libc::TCGETS], 0);
        check(libc::SYS_ioctl, &[0, libc::TIOCSTI], libc::EPERM);
        check(libc::SYS_ioctl, &[0, libc::TIOCSTI | high], libc::EPERM);
        check(libc::SYS_socket, &[libc::AF_INET as u64, 1, 0], 0);
        check(libc::SYS_socket, &[libc::AF_INET6 as u64, 1, 6], 0);
        check(libc::SYS_socket, &[libc::AF_UNIX as u64, 1, 0], 0);
        check(libc::SYS_socket, &[libc::AF_NETLINK as u64, 3, libc::NETLINK_ROUTE as u64], 0);
        check(
            libc::SYS_socket,
            &[libc::AF_NETLINK as u64, 3, libc::NETLINK_NETFILTER as u64],
            libc::EAFNOSUPPORT,
        );
        for family in [libc::AF_VSOCK, libc::AF_PACKET, libc::AF_ALG, libc::AF_CAN, libc::AF_TIPC] {
            check(libc::SYS_socket, &[family as u64, 1, 0], libc::EAFNOSUPPORT);
        }
        check(libc::SYS_personality, &[0xffff_ffff], 0);
        check(libc::SYS_personality, &[0x0040_0000], libc::EPERM);
    }
}
