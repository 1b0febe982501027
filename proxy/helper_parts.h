/* proxy/helper_parts.h - what the two ends of the channel share; nobody else includes it.
 *
 *   helper.c           the sidecar's end
 *   helper_message.c   what both say
 *   helper_process.c   the helper itself */
#ifndef PROXY_HELPER_PARTS_H
#define PROXY_HELPER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "proxy/helper.h"

/* A message is one of these, whole (SOCK_SEQPACKET). */
struct helper_request {
    enum { HELPER_CONNECT, HELPER_RUN } what; /* with no descriptor; with three: out, err, status */
    socklen_t len;
    struct sockaddr_storage address;
};

struct helper_reply {
    int error; /* 0: it is done; with the descriptor of a connection */
};

/* Written to a status descriptor, once. */
struct helper_end {
    int code, number;
};

enum { HELPER_FDS_MAX = 3 };

/* With up to HELPER_FDS_MAX descriptors; those received are close-on-exec. */
bool helper_send(int channel, const void *bytes, size_t len, const int *fds, size_t n_fds);
/* The whole message of `len` bytes, or false: the other end has gone, or sent something else. */
bool helper_receive(int channel, void *bytes, size_t len, int fds[HELPER_FDS_MAX], size_t *n_fds);

/* Never returns. */
_Noreturn void helper_serve(int channel, const struct helper_rules *rules);

#endif
