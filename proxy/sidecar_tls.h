/* proxy/sidecar_tls.h - the files of TLS, read again while the process lives. */
#ifndef PROXY_SIDECAR_TLS_H
#define PROXY_SIDECAR_TLS_H

#include "proxy/origin/tls.h"

struct log;

/* The system's trust, --ca-file and --client-cert, if any of their files has changed. Findings go to the log; if one is fatal, what was
 * loaded before stays in force. True if something else is in force now. */
bool sidecar_tls_reload(struct tls *tls, const struct settings *settings, struct log *log);

#endif
