/* The system calls that may be made: the 48 that the flow tests were seen to make after "ready" (strace on the release
 * build), and what other kernels and libraries take in their place, threads included. Anything else answers ENOSYS, for which libraries have a second way; none of
 * it starts a program or a process, opens a TCP connection or listens, or loads code.
 *
 * Rows without conditions cost nothing: the kernel keeps them in a bitmap (5.11 and newer). */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/sandbox_parts.h"

/* clang-format off */
static const int always[] = {
    /* the path of a request, the most frequent first */
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt), SCMP_SYS(epoll_ctl), SCMP_SYS(accept4), SCMP_SYS(close), SCMP_SYS(shutdown),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(poll), SCMP_SYS(ppoll),
    /* UDP for names, and is this address ours? TCP is Landlock's to refuse, and has no socket here */
    SCMP_SYS(connect), SCMP_SYS(bind),
    /* time */
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    /* files: Landlock says which */
    SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
    SCMP_SYS(statx), SCMP_SYS(lseek), SCMP_SYS(pread64), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(getdents64), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(dup3), SCMP_SYS(pipe2), SCMP_SYS(eventfd2), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
    SCMP_SYS(epoll_create1), SCMP_SYS(inotify_init1), SCMP_SYS(inotify_add_watch), SCMP_SYS(inotify_rm_watch),
    SCMP_SYS(socketpair),
    /* memory */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock), SCMP_SYS(munlock),
    SCMP_SYS(membarrier),
    /* threads and signals of our own */
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
    /* who we are, how much we use */
    SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
    SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo),
    SCMP_SYS(getrusage), SCMP_SYS(getrlimit), SCMP_SYS(getcpu),
#if SANDBOX_SANITIZED
    SCMP_SYS(clone), SCMP_SYS(ptrace), SCMP_SYS(wait4), SCMP_SYS(prctl), SCMP_SYS(kill), SCMP_SYS(tgkill),
    SCMP_SYS(prlimit64), SCMP_SYS(process_vm_readv), SCMP_SYS(getdents), SCMP_SYS(mincore),
#endif
};

/* Argument 0 to 5 is a value; these of its bits are a value. */
#define IS(argument, value)         { argument, SCMP_CMP_EQ, value, 0 }
#define HAS(argument, mask, value) { argument, SCMP_CMP_MASKED_EQ, mask, value }

/* Only with arguments that satisfy every condition of a row. Conditions of rows for one call are alternatives. */
static const struct row {
    int call;
    unsigned n;
    struct scmp_arg_cmp conditions[2];
} conditional[] = {
    { SCMP_SYS(socket), 2, { IS(0, AF_INET), HAS(1, 0xf, SOCK_DGRAM) } },
    { SCMP_SYS(socket), 2, { IS(0, AF_INET6), HAS(1, 0xf, SOCK_DGRAM) } },
    { SCMP_SYS(socket), 2, { IS(0, AF_NETLINK), IS(2, NETLINK_SOCK_DIAG) } },
    { SCMP_SYS(socket), 2, { IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE) } },
    { SCMP_SYS(ioctl), 1, { IS(1, SIOCOUTQ) } },
    { SCMP_SYS(ioctl), 1, { IS(1, FIONREAD) } },
    { SCMP_SYS(ioctl), 1, { IS(1, FIONBIO) } },
    { SCMP_SYS(ioctl), 1, { IS(1, TCGETS) } },
    /* no code but what is there */
    { SCMP_SYS(mmap), 1, { HAS(2, PROT_EXEC, 0) } },
    { SCMP_SYS(mprotect), 1, { HAS(2, PROT_EXEC, 0) } },
    /* limits are read */
    { SCMP_SYS(prlimit64), 1, { IS(2, 0) } },
    { SCMP_SYS(prctl), 1, { IS(0, PR_SET_NAME) } },
    { SCMP_SYS(prctl), 1, { IS(0, PR_GET_NAME) } },
    /* threads, not processes. The flags of clone3 stand in memory, where nobody can look: libraries take clone */
    { SCMP_SYS(clone), 1, { HAS(0, CLONE_THREAD, CLONE_THREAD) } },
},
  connecting[] = {
    { SCMP_SYS(socket), 2, { IS(0, AF_INET), HAS(1, 0xf, SOCK_STREAM) } },
    { SCMP_SYS(socket), 2, { IS(0, AF_INET6), HAS(1, 0xf, SOCK_STREAM) } },
},
  logging[] = {
    { SCMP_SYS(socket), 2, { IS(0, AF_UNIX), HAS(1, 0xf, SOCK_DGRAM) } },
},
  parents[] = {
    { SCMP_SYS(wait4), 0, { { 0 } } },
    { SCMP_SYS(waitid), 0, { { 0 } } },
};
/* clang-format on */

/* A call that this machine does not have has a number below zero, and needs no row. */
static bool add(scmp_filter_ctx filter, const struct row *row)
{
    return row->call < 0 ||
           seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, row->call, row->n, row->conditions) == 0;
}

static bool add_rows(scmp_filter_ctx filter, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool open = SANDBOX_SANITIZED &&
                    (rows[i].call == SCMP_SYS(clone) || rows[i].call == SCMP_SYS(prctl) ||
                     rows[i].call == SCMP_SYS(prlimit64));

        if (!open && !add(filter, &rows[i]))
            return false;
    }
    return true;
}

static bool add_always(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
        struct row row = { .call = always[i] };

        if (!add(filter, &row))
            return false;
    }
    return true;
}

/* abort() signals ourselves; an app is told of signals and its end is taken. */
static bool add_signals(scmp_filter_ctx filter, pid_t child)
{
    struct row ourselves = { SCMP_SYS(tgkill), 1, { IS(0, (scmp_datum_t)getpid()) } };
    struct row app = { SCMP_SYS(kill), 1, { IS(0, (scmp_datum_t)child) } };

    if (!SANDBOX_SANITIZED && !add(filter, &ourselves))
        return false;
    return !child || ((SANDBOX_SANITIZED || add(filter, &app)) &&
                      add_rows(filter, parents, sizeof(parents) / sizeof(parents[0])));
}

static bool fill(scmp_filter_ctx filter, const struct sandbox_needs *needs)
{
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);      /* what is refused can be audited */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, not a line */
    return add_always(filter) &&
           add_rows(filter, conditional, sizeof(conditional) / sizeof(conditional[0])) &&
           (!needs->connects ||
            add_rows(filter, connecting, sizeof(connecting) / sizeof(connecting[0]))) &&
           (!needs->syslog || add_rows(filter, logging, sizeof(logging) / sizeof(logging[0]))) &&
           add_signals(filter, needs->signals);
}

bool sandbox_restrict_calls(const struct sandbox *sandbox)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    bool loaded = filter && fill(filter, &sandbox->needs) && seccomp_load(filter) == 0;

    seccomp_release(filter);
    return loaded;
}
