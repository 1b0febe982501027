/* proxy/sidecar_findings.h - findings of a reload, in the log. */
#ifndef PROXY_SIDECAR_FINDINGS_H
#define PROXY_SIDECAR_FINDINGS_H

#include "config/diag.h"
#include "proxy/log.h"

/* Those from the `from`-th on, errors first. */
void findings_log(struct log *log, const struct diags *diags, size_t from);

#endif
