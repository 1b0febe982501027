/* proxy/command_admin.h - asks a running sidecar's admin listener, and waits for the answer.
 *
 * For commands only: it blocks. */
#ifndef PROXY_COMMAND_ADMIN_H
#define PROXY_COMMAND_ADMIN_H

#include "config/address.h"
#include "config/text.h"

enum { ADMIN_ANSWER_MAX = 64 * 1024, ADMIN_ANSWER_TIMEOUT_MS = 3000 };

/* The answer's body stands in `answer`, ended by NUL; its status is returned. 0: nobody answers
 * there, or not in HTTP. */
unsigned command_ask_admin(const struct listen_address *address, const char *method,
                           const char *path, char answer[ADMIN_ANSWER_MAX]);

#endif
