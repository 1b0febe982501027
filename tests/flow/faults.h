/* tests/flow/faults.h - the page that a test shares with the shim inside a program (shim_faults.c).
 *
 * The test maps the file that JANUS_FAULTS names, arms one call, and sees what became of it. Both
 * sides look at it with atomic operations; the program may run, and call, at any moment. */
#ifndef TESTS_FLOW_FAULTS_H
#define TESTS_FLOW_FAULTS_H

#include <stdatomic.h>

/* Calls that can be made to fail. The names of tests come from here. */
#define FAULT_CALLS(X)                                                                             \
    X(accept4)                                                                                     \
    X(recv)                                                                                        \
    X(sendmsg)                                                                                     \
    X(send)                                                                                        \
    X(socket)                                                                                      \
    X(connect)                                                                                     \
    X(getsockopt)                                                                                  \
    X(setsockopt)                                                                                  \
    X(shutdown)                                                                                    \
    X(close)                                                                                       \
    X(epoll_wait)                                                                                  \
    X(epoll_ctl)                                                                                   \
    X(open)                                                                                        \
    X(read)                                                                                        \
    X(write)                                                                                       \
    X(fstat)                                                                                       \
    X(SSL_do_handshake)                                                                            \
    X(SSL_read_ex)                                                                                 \
    X(SSL_write_ex)                                                                                \
    X(calloc)                                                                                      \
    X(reallocarray)

#define FAULT_ENUM(name) FAULT_##name,
enum fault_call { FAULT_CALLS(FAULT_ENUM) FAULT_CALLS_N };

/* Not an errno: the call moves one byte, or says that there is no more to come. */
enum { FAULT_SHORT = -1, FAULT_END = -2 };

struct faults {
    _Atomic int armed;         /* 1 + enum fault_call; 0: none */
    _Atomic int error;         /* an errno, or one of the two above */
    _Atomic unsigned after;    /* so many calls still succeed */
    _Atomic unsigned times;    /* so many fail then */
    _Atomic unsigned happened; /* have failed */
    _Atomic unsigned calls[FAULT_CALLS_N];
    _Atomic long long wall_ms, boot_ms; /* added to CLOCK_REALTIME and CLOCK_BOOTTIME */
};

#endif
