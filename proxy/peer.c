#include "proxy/peer.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/socket_unix.h"

struct question {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
};

union answer {
    struct nlmsghdr header; /* aligns the bytes */
    char bytes[4096];
};

static bool set_end(const struct sockaddr_storage *address, __be32 host[4], __be16 *port)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;

    if (address->ss_family == AF_INET) {
        memcpy(host, &four->sin_addr, sizeof(four->sin_addr));
        *port = four->sin_port;
    } else if (address->ss_family == AF_INET6) {
        memcpy(host, &six->sin6_addr, sizeof(six->sin6_addr));
        *port = six->sin6_port;
    } else {
        return false;
    }
    return true;
}

/* Asks for the socket whose own end is our peer and whose peer is our own end. */
static bool set_question(int fd, struct question *question)
{
    struct sockaddr_storage ours = { 0 }, theirs = { 0 };
    socklen_t ours_len = sizeof(ours), theirs_len = sizeof(theirs);
    struct inet_diag_req_v2 *request = &question->request;

    *question = (struct question){ .header = { .nlmsg_len = sizeof(*question),
                                               .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                                               .nlmsg_flags = NLM_F_REQUEST } };
    if (getsockname(fd, (struct sockaddr *)&ours, &ours_len) != 0 ||
        getpeername(fd, (struct sockaddr *)&theirs, &theirs_len) != 0)
        return false;
    request->sdiag_family = (__u8)theirs.ss_family;
    request->sdiag_protocol = IPPROTO_TCP;
    request->idiag_states = ~0u;
    request->id.idiag_cookie[0] = request->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return set_end(&theirs, request->id.idiag_src, &request->id.idiag_sport) &&
           set_end(&ours, request->id.idiag_dst, &request->id.idiag_dport);
}

/* A socket that no process holds any more has no inode. */
static bool says_held(const union answer *answer, ssize_t len)
{
    const struct inet_diag_msg *message = (const void *)(answer->bytes + NLMSG_HDRLEN);

    return len >= (ssize_t)NLMSG_LENGTH(sizeof(*message)) &&
           answer->header.nlmsg_type == SOCK_DIAG_BY_FAMILY && message->idiag_inode != 0;
}

static bool tcp_peer_holds_its_end(int fd)
{
    struct question question;
    union answer answer;
    int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    bool held = false;

    if (netlink < 0)
        return false;
    if (set_question(fd, &question) &&
        send(netlink, &question, sizeof(question), 0) == (ssize_t)sizeof(question))
        held = says_held(&answer, recv(netlink, &answer, sizeof(answer), MSG_DONTWAIT));
    close(netlink);
    return held;
}

static bool is_unix(int fd)
{
    int domain = AF_UNSPEC;
    socklen_t len = sizeof(domain);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

bool peer_holds_its_end(int fd)
{
    if (is_unix(fd))
        return !unix_peer_has_closed(fd);
    return tcp_peer_holds_its_end(fd);
}
