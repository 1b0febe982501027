#include "proxy/fd_message.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

bool fd_message_send(int channel, const void *bytes, size_t len, const int *fds, size_t n_fds)
{
    union {
        char room[CMSG_SPACE(FD_MESSAGE_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec piece = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
    struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

    if (n_fds) {
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(header), fds, n_fds * sizeof(int));
    }
    return sendmsg(channel, &message, MSG_NOSIGNAL) == (ssize_t)len;
}

bool fd_message_receive(int channel, void *bytes, size_t len, int fds[FD_MESSAGE_MAX],
                        size_t *n_fds)
{
    union {
        char room[CMSG_SPACE(FD_MESSAGE_MAX * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec piece = { .iov_base = bytes, .iov_len = len };
    struct msghdr message = { .msg_iov = &piece,
                              .msg_iovlen = 1,
                              .msg_control = control.room,
                              .msg_controllen = sizeof(control.room) };
    ssize_t n;

    *n_fds = 0;
    do
        n = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        *n_fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(header), *n_fds * sizeof(int));
    }
    return n == (ssize_t)len;
}
