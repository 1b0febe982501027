/* Preloaded into a program under test: makes the call that a test has armed (faults.h) fail, or come
 * short, and moves its clocks.
 *
 * The sidecar's sockets are edge-triggered: a real short count, or EAGAIN, is always followed by an
 * edge once there are bytes or room again. A made-up one must be too, so the descriptor is armed anew
 * in its epoll, which is how the kernel looks at it once more. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "tests/flow/faults.h"

enum { WATCHED_MAX = 65536 };

static struct faults *faults;

/* What is watched, by descriptor: its epoll (plus one; 0: none) and its event. */
static struct {
    int epoll;
    struct epoll_event event;
} watched[WATCHED_MAX];

__attribute__((constructor)) static void map_faults(void)
{
    const char *path = getenv("JANUS_FAULTS");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    void *page = mmap(NULL, sizeof(struct faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (page != MAP_FAILED)
        faults = page;
}

/* The error of this call, or 0: it shall go on as ever. */
static int fault_of(enum fault_call call)
{
    if (!faults)
        return 0;
    atomic_fetch_add(&faults->calls[call], 1);
    if (atomic_load(&faults->armed) != (int)call + 1)
        return 0;
    if (atomic_load(&faults->after) > 0) {
        atomic_fetch_sub(&faults->after, 1);
        return 0;
    }
    if (atomic_fetch_sub(&faults->times, 1) == 1)
        atomic_store(&faults->armed, 0);
    atomic_fetch_add(&faults->happened, 1);
    return atomic_load(&faults->error);
}

#define REAL(name)   ((__typeof__(&name))find(&real_##name, #name))
#define FIND(name)   static void *real_##name
#define FAILED(call) (error = fault_of(FAULT_##call)) > 0

static void *find(void **real, const char *name)
{
    if (!*real)
        *real = dlsym(RTLD_NEXT, name);
    return *real;
}

static int failed(int error)
{
    errno = error;
    return -1;
}

static void look_again(int fd)
{
    if (fd >= 0 && fd < WATCHED_MAX && watched[fd].epoll)
        syscall(SYS_epoll_ctl, watched[fd].epoll - 1, EPOLL_CTL_MOD, fd, &watched[fd].event);
}

/* ---- sockets ---- */

FIND(accept4);
int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    int error;

    return FAILED(accept4) ? failed(error) : REAL(accept4)(fd, address, len, flags);
}

FIND(recv);
ssize_t recv(int fd, void *bytes, size_t n, int flags)
{
    int error = fault_of(FAULT_recv);

    if (error == FAULT_END)
        return 0;
    if (error == EAGAIN || error == FAULT_SHORT)
        look_again(fd);
    if (error > 0)
        return failed(error);
    return REAL(recv)(fd, bytes, error == FAULT_SHORT && n > 1 ? 1 : n, flags);
}

FIND(sendmsg);
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    int error = fault_of(FAULT_sendmsg);
    struct msghdr less = *message;
    struct iovec one;

    if (error == FAULT_SHORT) {
        one = (struct iovec){ message->msg_iov[0].iov_base, 1 };
        less.msg_iov = &one;
        less.msg_iovlen = 1;
    }
    ssize_t n = error > 0 ? failed(error) : REAL(sendmsg)(fd, &less, flags);
    if (error == EAGAIN || error == FAULT_SHORT) {
        int saved = errno;
        look_again(fd);
        errno = saved;
    }
    return n;
}

FIND(send);
ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    int error;

    return FAILED(send) ? failed(error) : REAL(send)(fd, bytes, n, flags);
}

FIND(socket);
int socket(int domain, int type, int protocol)
{
    int error;

    return FAILED(socket) ? failed(error) : REAL(socket)(domain, type, protocol);
}

FIND(connect);
int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    int error;

    return FAILED(connect) ? failed(error) : REAL(connect)(fd, address, len);
}

FIND(getsockopt);
int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
    int error;

    return FAILED(getsockopt) ? failed(error) : REAL(getsockopt)(fd, level, name, value, len);
}

FIND(setsockopt);
int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    int error;

    return FAILED(setsockopt) ? failed(error) : REAL(setsockopt)(fd, level, name, value, len);
}

FIND(shutdown);
int shutdown(int fd, int how)
{
    int error;

    return FAILED(shutdown) ? failed(error) : REAL(shutdown)(fd, how);
}

/* Linux closes whatever it says. */
FIND(close);
int close(int fd)
{
    int error = fault_of(FAULT_close);

    if (fd >= 0 && fd < WATCHED_MAX)
        watched[fd].epoll = 0;
    int result = REAL(close)(fd);
    return error > 0 ? failed(error) : result;
}

/* ---- waiting ---- */

FIND(epoll_wait);
int epoll_wait(int epoll, struct epoll_event *events, int n, int timeout)
{
    int error;

    return FAILED(epoll_wait) ? failed(error) : REAL(epoll_wait)(epoll, events, n, timeout);
}

FIND(epoll_ctl);
int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    /* Taking out does not fail for want of anything. */
    int error = what == EPOLL_CTL_DEL ? 0 : fault_of(FAULT_epoll_ctl);

    if (error > 0)
        return failed(error);
    int result = REAL(epoll_ctl)(epoll, what, fd, event);
    if (result == 0 && fd < WATCHED_MAX) {
        watched[fd].epoll = what == EPOLL_CTL_DEL ? 0 : epoll + 1;
        if (event)
            watched[fd].event = *event;
    }
    return result;
}

/* ---- files ---- */

FIND(open);
int open(const char *path, int flags, ...)
{
    int error = fault_of(FAULT_open);
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return error > 0 ? failed(error) : REAL(open)(path, flags, mode);
}

FIND(read);
ssize_t read(int fd, void *bytes, size_t n)
{
    int error = fault_of(FAULT_read);

    if (error > 0)
        return failed(error);
    return REAL(read)(fd, bytes, error == FAULT_SHORT && n > 1 ? 1 : n);
}

FIND(write);
ssize_t write(int fd, const void *bytes, size_t n)
{
    int error = fault_of(FAULT_write);

    if (error > 0)
        return failed(error);
    return REAL(write)(fd, bytes, error == FAULT_SHORT && n > 1 ? 1 : n);
}

FIND(fstat);
int fstat(int fd, struct stat *status)
{
    int error;

    return FAILED(fstat) ? failed(error) : REAL(fstat)(fd, status);
}

/* ---- TLS: the library says no, for a reason of its own ---- */

void ERR_new(void);
void ERR_set_error(int library, int reason, const char *format, ...);

/* Without an entry in the queue, SSL_get_error() would say what was true of the call before. */
static int fail_in_ssl(void)
{
    enum { LIBRARY_SSL = 20, REASON_INTERNAL = 259 | 3 << 18 };

    ERR_new();
    ERR_set_error(LIBRARY_SSL, REASON_INTERNAL, NULL);
    return 0;
}

struct ssl_st;
int SSL_do_handshake(struct ssl_st *ssl);
int SSL_read_ex(struct ssl_st *ssl, void *bytes, size_t n, size_t *moved);
int SSL_write_ex(struct ssl_st *ssl, const void *bytes, size_t n, size_t *moved);

FIND(SSL_do_handshake);
int SSL_do_handshake(struct ssl_st *ssl)
{
    int error;

    return FAILED(SSL_do_handshake) ? fail_in_ssl() - 1 : REAL(SSL_do_handshake)(ssl);
}

FIND(SSL_read_ex);
int SSL_read_ex(struct ssl_st *ssl, void *bytes, size_t n, size_t *moved)
{
    int error;

    return FAILED(SSL_read_ex) ? fail_in_ssl() : REAL(SSL_read_ex)(ssl, bytes, n, moved);
}

FIND(SSL_write_ex);
int SSL_write_ex(struct ssl_st *ssl, const void *bytes, size_t n, size_t *moved)
{
    int error;

    return FAILED(SSL_write_ex) ? fail_in_ssl() : REAL(SSL_write_ex)(ssl, bytes, n, moved);
}

/* ---- memory: dlsym() itself may ask for some ---- */

static void *early(size_t n)
{
    static _Alignas(16) char bytes[4096];
    static size_t used;

    used += (n + 15) / 16 * 16;
    return used <= sizeof(bytes) ? bytes + used - (n + 15) / 16 * 16 : NULL;
}

FIND(calloc);
void *calloc(size_t n, size_t size)
{
    static int finding;
    int error = fault_of(FAULT_calloc);

    if (error > 0) {
        errno = error;
        return NULL;
    }
    if (!real_calloc && finding)
        return early(n * size);
    finding = 1;
    return REAL(calloc)(n, size);
}

FIND(reallocarray);
void *reallocarray(void *memory, size_t n, size_t size)
{
    int error = fault_of(FAULT_reallocarray);

    if (error > 0) {
        errno = error;
        return NULL;
    }
    return REAL(reallocarray)(memory, n, size);
}

/* ---- clocks ---- */

static void add_ms(struct timespec *time, long long ms)
{
    long long ns = time->tv_nsec + ms % 1000 * 1000000;

    time->tv_sec += ms / 1000 + (ns >= 1000000000) - (ns < 0);
    time->tv_nsec = ns >= 1000000000 ? ns - 1000000000 : ns < 0 ? ns + 1000000000 : ns;
}

FIND(clock_gettime);
int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = REAL(clock_gettime)(clock, time);

    if (result == 0 && faults && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        add_ms(time, atomic_load(&faults->wall_ms));
    else if (result == 0 && faults && clock == CLOCK_BOOTTIME)
        add_ms(time, atomic_load(&faults->boot_ms));
    return result;
}
