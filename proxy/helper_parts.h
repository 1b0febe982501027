/* proxy/helper_parts.h - what the two ends of the channel share; nobody else includes it.
 *
 *   helper.c           the sidecar's end
 *   helper_process.c   the helper itself */
#ifndef PROXY_HELPER_PARTS_H
#define PROXY_HELPER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "proxy/fd_message.h"
#include "proxy/helper.h"

/* That go with a question; none with HELPER_CONNECT. */
enum { HELPER_RUN_FDS = 3 /* out, err, status */, HELPER_CHANNEL_FDS = 1 };

/* A message is one of these, whole (SOCK_SEQPACKET). */
struct helper_request {
    enum { HELPER_CONNECT, HELPER_RUN, HELPER_CHANNEL } what;
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

/* Never returns. */
_Noreturn void helper_serve(int channel, const struct helper_rules *rules);

#endif
