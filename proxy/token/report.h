/* proxy/token/report.h - what may be said of the current token: everything but its value.
 *
 * One JSON object, for /token and for `janus-sidecar token`. Pure. */
#ifndef PROXY_TOKEN_REPORT_H
#define PROXY_TOKEN_REPORT_H

#include "config/settings.h"
#include "proxy/token/keeper.h"

struct json_t;

/* {"live", "source", "generation", "fingerprint", "claims", "expiresInMs", "renewalInMs",
 * "warnings", ...}; what is not known is null. The caller drops the reference. */
struct json_t *token_report(const struct token_facts *facts, const struct settings *settings);

/* The same as text, ended by a line end; the caller frees. */
char *token_report_text(const struct token_facts *facts, const struct settings *settings);

#endif
