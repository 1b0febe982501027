#include "proxy/command_admin.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "proxy/http/head.h"
#include "proxy/socket.h"

static int connect_to(const struct listen_address *address)
{
    struct timeval timeout = { ADMIN_ANSWER_TIMEOUT_MS / 1000, 0 };
    const struct sockaddr *to = (const struct sockaddr *)&address->socket;
    int fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    if (connect(fd, to, address->socket_len) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool send_request(int fd, const struct listen_address *address, const char *method,
                         const char *path)
{
    char host[ADDRESS_TEXT_MAX], request[512];

    address_text((const struct sockaddr *)&address->socket, host);
    int len =
        snprintf(request, sizeof(request),
                 "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                 method, path, host);
    return send(fd, request, (size_t)len, MSG_NOSIGNAL) == len;
}

/* To the end of the connection: it is asked to close. */
static size_t receive_all(int fd, char answer[ADMIN_ANSWER_MAX])
{
    size_t len = 0;
    ssize_t n;

    while (len < ADMIN_ANSWER_MAX - 1 &&
           (n = recv(fd, answer + len, ADMIN_ANSWER_MAX - 1 - len, 0)) > 0)
        len += (size_t)n;
    answer[len] = '\0';
    return len;
}

static unsigned take_head_off(char answer[ADMIN_ANSWER_MAX], size_t len)
{
    struct head_scan scan = { 0 };
    const char *why;
    struct head head;
    size_t end;

    if (head_end(&scan, (struct text){ answer, len }, &end, &why) != HEAD_OK ||
        head_parse_response((struct text){ answer, end }, &head, &why) != HEAD_OK)
        return 0;
    memmove(answer, answer + end, len - end + 1);
    return head.status;
}

unsigned command_ask_admin(const struct listen_address *address, const char *method,
                           const char *path, char answer[ADMIN_ANSWER_MAX])
{
    int fd = connect_to(address);
    unsigned status = 0;

    answer[0] = '\0';
    if (fd < 0)
        return 0;
    if (send_request(fd, address, method, path))
        status = take_head_off(answer, receive_all(fd, answer));
    close(fd);
    return status;
}
