#include "proxy/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/limits.h"

/* RFC 3164, 4.1.1: facility * 8 + severity; facility 3 is "system daemons". */
enum { SYSLOG_DAEMON = 3 * 8, FILE_MODE = 0640, PREFIX_MAX = 48, N_LEVELS = LOG_DEBUG + 1 };

struct log_sink {
    struct log_target target;
    int fd;      /* -1: the daemon's socket is not there now */
    bool owned;  /* fd is ours */
    bool asks;   /* it may block: it is asked before each piece */
    bool shared; /* others write there, from other threads */
    char prefixes[N_LEVELS][PREFIX_MAX];
};

/* ---- a descriptor of somebody else ---- */

/* A pipe or a terminal gets a description of our own, so that O_NONBLOCK does not reach the others that
 * share it. What cannot be opened again (a socket) is asked before each piece. A file keeps its offset, because
 * whoever else writes to it must not overwrite us; it never blocks. */
struct log_sink *log_sink_to(int fd, bool waits)
{
    struct log_sink *sink = mem_alloc(1, sizeof(*sink));
    char path[40];
    struct stat status;
    int own;

    sink->fd = fd;
    if (waits || (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)))
        return sink;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    own = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    sink->owned = own >= 0;
    sink->asks = own < 0;
    if (own >= 0)
        sink->fd = own;
    return sink;
}

static bool would_block(const struct log_sink *sink)
{
    struct pollfd ready = { .fd = sink->fd, .events = POLLOUT };

    return sink->asks && poll(&ready, 1, 0) <= 0;
}

_Static_assert((int)LIMIT_LOG_LINE_BYTES <= PIPE_BUF, "a line that a pipe would take in pieces");

/* As many whole lines as a pipe takes at once; a line is no longer than that. */
static size_t whole_lines(const char *bytes, size_t len)
{
    const char *end = len > PIPE_BUF ? memrchr(bytes, '\n', PIPE_BUF) : NULL;

    return end ? (size_t)(end - bytes) + 1 : len;
}

static struct log_sunk write_stream(const struct log_sink *sink, const char *bytes, size_t len)
{
    struct log_sunk sunk = { 0 };

    while (sunk.bytes < len) {
        size_t piece = len - sunk.bytes;
        if (would_block(sink)) {
            sunk.blocked = true;
            break;
        }
        if (sink->shared)
            piece = whole_lines(bytes + sunk.bytes, piece);
        else if (sink->asks && piece > PIPE_BUF)
            piece = PIPE_BUF; /* what poll() promises */
        ssize_t n = write(sink->fd, bytes + sunk.bytes, piece);
        if (n < 0 && errno == EINTR)
            continue;
        sunk.blocked = n < 0 && errno == EAGAIN;
        if (n <= 0)
            break;
        sunk.bytes += (size_t)n;
    }
    return sunk;
}

/* ---- a file ---- */

/* Never through a link, and never anything but a file: a name in a folder that others may write to could be
 * made to lead elsewhere, and a FIFO would block. */
static int open_file(const char *path, const char **why)
{
    int fd =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
             FILE_MODE);
    struct stat status;

    *why = errno == ELOOP ? "it is a symbolic link, which is not followed" : strerror(errno);
    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
        *why = "it is not a regular file";
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- the system's log ---- */

static int open_socket(const char *path, const char **why)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    memcpy(to.sun_path, path, strlen(path) + 1);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    *why = strerror(errno);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The daemon may have been started anew meanwhile. */
static bool connect_again(struct log_sink *sink)
{
    const char *why;

    if (sink->fd >= 0)
        close(sink->fd);
    sink->fd = open_socket(sink->target.path, &why);
    return sink->fd >= 0;
}

static bool send_line(struct log_sink *sink, const char *line, size_t len)
{
    if (sink->fd >= 0 && send(sink->fd, line, len, MSG_NOSIGNAL) >= 0)
        return true;
    if (sink->fd >= 0 &&
        (errno == EAGAIN || errno == EINTR || errno == EMSGSIZE || errno == ENOBUFS))
        return false;
    return connect_again(sink) && send(sink->fd, line, len, MSG_NOSIGNAL) >= 0;
}

/* A line is a datagram, without its end. */
static struct log_sunk write_datagrams(struct log_sink *sink, const char *bytes, size_t len)
{
    struct log_sunk sunk = { 0 };
    const char *end;

    while ((end = memchr(bytes + sunk.bytes, '\n', len - sunk.bytes))) {
        const char *line = bytes + sunk.bytes;
        bool sent = send_line(sink, line, (size_t)(end - line));
        if (!sent && errno == EINTR)
            continue;
        if (!sent && errno != EMSGSIZE) {
            sunk.blocked = sink->fd >= 0 && errno == EAGAIN;
            break;
        }
        sunk.lost += !sent;
        sunk.bytes += (size_t)(end - line) + 1;
    }
    return sunk;
}

static void write_prefixes(struct log_sink *sink)
{
    static const int severities[N_LEVELS] = {
        [LOG_ERROR] = 3, [LOG_WARNING] = 4, [LOG_INFO] = 6, [LOG_DEBUG] = 7
    };

    for (int i = 0; i < N_LEVELS; i++)
        snprintf(sink->prefixes[i], PREFIX_MAX,
                 "<%d>janus-sidecar[%d]: ", SYSLOG_DAEMON + severities[i], (int)getpid());
}

/* ---- all of them ---- */

static int open_target(const struct log_target *target, const char **why)
{
    return target->kind == LOG_TO_FILE ? open_file(target->path, why)
                                       : open_socket(target->path, why);
}

struct log_sink *log_sink_open(const struct log_target *target, struct diags *diags)
{
    struct log_sink *sink;
    const char *why;
    int fd;

    if (target->kind == LOG_TO_STDERR)
        return log_sink_to(STDERR_FILENO, false);
    fd = open_target(target, &why);
    if (fd < 0) {
        diag_fatal(diags, (struct place){ .file = "--log" }, "%s cannot be opened: %s",
                   target->path, why);
        return NULL;
    }
    sink = mem_alloc(1, sizeof(*sink));
    sink->target = *target;
    sink->fd = fd;
    sink->owned = true;
    if (target->kind == LOG_TO_SYSLOG)
        write_prefixes(sink);
    return sink;
}

/* The same description, which is appended to, or never blocks; a daemon gets one more socket. */
static int descriptor_beside(const struct log_sink *sink)
{
    const char *why;

    return sink->target.kind == LOG_TO_SYSLOG ? open_socket(sink->target.path, &why)
                                              : fcntl(sink->fd, F_DUPFD_CLOEXEC, 0);
}

struct log_sink *log_sink_beside(struct log_sink *sink)
{
    struct log_sink *other = mem_alloc(1, sizeof(*other));
    int fd = sink->owned ? descriptor_beside(sink) : sink->fd;

    *other = *sink;
    sink->shared = other->shared = true;
    other->fd = fd;
    if (fd < 0 && sink->target.kind != LOG_TO_SYSLOG)
        abort(); /* no descriptor is left, and nothing has begun yet */
    return other;
}

void log_sink_free(struct log_sink *sink)
{
    if (!sink)
        return;
    if (sink->owned && sink->fd >= 0)
        close(sink->fd);
    free(sink);
}

bool log_sink_reopen(struct log_sink *sink, struct diags *diags)
{
    const char *why;
    int fd;

    if (sink->target.kind != LOG_TO_FILE)
        return true;
    fd = open_file(sink->target.path, &why);
    if (fd < 0) {
        diag_warning(diags, (struct place){ .file = "--log" },
                     "%s cannot be opened anew: %s; the old one is written to", sink->target.path,
                     why);
        return false;
    }
    close(sink->fd);
    sink->fd = fd;
    return true;
}

const char *log_sink_prefix(const struct log_sink *sink, enum log_level level)
{
    return sink->prefixes[level];
}

struct log_sunk log_sink_write(struct log_sink *sink, const char *bytes, size_t len)
{
    return sink->target.kind == LOG_TO_SYSLOG ? write_datagrams(sink, bytes, len)
                                              : write_stream(sink, bytes, len);
}

int log_sink_descriptor(const struct log_sink *sink)
{
    return sink->fd;
}
