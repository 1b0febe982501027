/* proxy/sidecar_sandbox.h - which rights the settings leave to the sidecar (sandbox.h), and its helper (helper.h). */
#ifndef PROXY_SIDECAR_SANDBOX_H
#define PROXY_SIDECAR_SANDBOX_H

#include <sys/types.h>

#include "config/diag.h"
#include "config/settings.h"
#include "proxy/helper.h"
#include "proxy/sandbox.h"

struct log;

/* NULL under --sandbox off. `own`: our listeners. Both, and `settings`, are looked at by the helper as they are now. */
struct helper *sidecar_helper_new(const struct settings *settings,
                                  const struct sockaddr_storage *own, size_t n_own,
                                  struct diags *diags);

/* The last step before serving. `app`: that exec runs; 0: none. False: --sandbox require, and not all of it is in
 * force. `out` is for the start line. */
bool sidecar_sandbox_enter(const struct settings *settings, pid_t app, struct log *log,
                           char out[SANDBOX_TEXT_MAX]);

#endif
