#include "proxy/socket_unix.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/memory.h"

enum { GROUP_BYTES_MAX = 1024 * 1024 };

static bool fail(char why[UNIX_WHY_MAX], const char *what)
{
    snprintf(why, UNIX_WHY_MAX, "%s: %s", what, strerror(errno));
    return false;
}

static bool refuse(char why[UNIX_WHY_MAX], const char *reason)
{
    snprintf(why, UNIX_WHY_MAX, "%s", reason);
    return false;
}

/* ---- what stands there already ---- */

/* ECONNREFUSED is the kernel's word for a socket file that nobody listens behind. */
static bool is_stale(const struct sockaddr_un *at, char why[UNIX_WHY_MAX])
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool connected, stale;

    if (fd < 0)
        return fail(why, "no socket can be had");
    connected = connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 || errno == EAGAIN;
    stale = !connected && errno == ECONNREFUSED;
    if (connected)
        refuse(why, "somebody listens there already");
    else if (!stale)
        fail(why, "whether somebody listens there cannot be told");
    close(fd);
    return stale;
}

static bool make_room(const struct sockaddr_un *at, char why[UNIX_WHY_MAX])
{
    struct stat before, now;

    if (lstat(at->sun_path, &before) != 0)
        return errno == ENOENT || fail(why, "the path cannot be looked at");
    if (!S_ISSOCK(before.st_mode))
        return refuse(why, "what stands there is no socket; it was not touched");
    if (before.st_uid != geteuid() && geteuid() != 0)
        return refuse(why, "the socket that stands there is another user's; it was not touched");
    if (!is_stale(at, why))
        return false;
    if (lstat(at->sun_path, &now) != 0 || now.st_ino != before.st_ino ||
        now.st_dev != before.st_dev)
        return refuse(why, "somebody else is starting there");
    return unlink(at->sun_path) == 0 || fail(why, "the socket of a sidecar that died stays there");
}

/* ---- group and mode ---- */

static bool find_group(const char *name, gid_t *gid, char why[UNIX_WHY_MAX])
{
    unsigned long long number;
    struct group group, *found = NULL;
    size_t size = 1024;
    char *bytes = NULL;
    int error;

    if (text_to_uint(text_of(name), UINT32_MAX - 1, &number)) {
        *gid = (gid_t)number;
        return true;
    }
    do {
        free(bytes);
        size *= 2;
        bytes = mem_alloc(size, 1);
        error = getgrnam_r(name, &group, bytes, size, &found);
    } while (error == ERANGE && size < GROUP_BYTES_MAX);
    if (found)
        *gid = found->gr_gid;
    free(bytes);
    return found || refuse(why, "there is no such group");
}

/* By the descriptor: whatever stands at the path by then, it is our file that is opened up. The group
 * goes first, because the mode is meant for it. */
static bool open_up(const struct listen_address *address, int file, char why[UNIX_WHY_MAX])
{
    char self[64];
    gid_t gid = (gid_t)-1;

    if (address->group[0]) {
        if (!find_group(address->group, &gid, why))
            return false;
        if (fchownat(file, "", (uid_t)-1, gid, AT_EMPTY_PATH) != 0)
            return fail(why, "the group cannot be set");
    }
    snprintf(self, sizeof(self), "/proc/self/fd/%d", file);
    return chmod(self, address->mode) == 0 || fail(why, "the mode cannot be set");
}

/* ---- listening ---- */

static int take_hold(const struct sockaddr_un *at)
{
    struct stat made;
    int fd = open(at->sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &made) == 0 && S_ISSOCK(made.st_mode) && made.st_uid == geteuid())
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool bind_tightly(int fd, const struct sockaddr_un *at, char why[UNIX_WHY_MAX])
{
    mode_t before = umask(0177);
    bool bound = bind(fd, (const struct sockaddr *)at, sizeof(*at)) == 0;
    int error = errno;

    umask(before);
    errno = error;
    return bound || fail(why, "it cannot be made");
}

static bool publish(int fd, const struct listen_address *address, int backlog,
                    struct unix_file *file, char why[UNIX_WHY_MAX])
{
    file->fd = take_hold(&file->at);
    if (file->fd < 0)
        return refuse(why, "what was made there is gone again");
    return open_up(address, file->fd, why) &&
           (listen(fd, backlog) == 0 || fail(why, "it cannot be listened on"));
}

int unix_listen(const struct listen_address *address, int backlog, struct unix_file *file,
                char why[UNIX_WHY_MAX])
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    file->fd = -1;
    memcpy(&file->at, &address->socket, sizeof(file->at));
    if (fd < 0) {
        fail(why, "no socket can be had");
        return -1;
    }
    if (make_room(&file->at, why) && bind_tightly(fd, &file->at, why) &&
        publish(fd, address, backlog, file, why))
        return fd;
    unix_file_remove(file);
    close(fd);
    return -1;
}

void unix_adopt(const struct listen_address *address, struct unix_file *file)
{
    memcpy(&file->at, &address->socket, sizeof(file->at));
    file->fd = take_hold(&file->at);
}

void unix_file_let_go(struct unix_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

void unix_file_remove(struct unix_file *file)
{
    struct stat ours, there;

    if (file->fd < 0)
        return;
    if (fstat(file->fd, &ours) == 0 && lstat(file->at.sun_path, &there) == 0 &&
        ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
        unlink(file->at.sun_path);
    close(file->fd);
    file->fd = -1;
}

/* ---- the other end ---- */

bool unix_peer_of(int fd, struct unix_peer *peer)
{
    struct ucred known;
    socklen_t len = sizeof(known);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &known, &len) != 0 || known.uid == (uid_t)-1)
        return false;
    *peer = (struct unix_peer){ known.uid, known.gid };
    return true;
}

bool unix_peer_has_closed(int fd)
{
    struct pollfd end = { .fd = fd };

    return poll(&end, 1, 0) == 1 && (end.revents & (POLLHUP | POLLERR));
}
