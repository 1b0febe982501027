/* proxy/sidecar_pages.h - bodies of the admin listener's pages about policies. The caller frees them. */
#ifndef PROXY_SIDECAR_PAGES_H
#define PROXY_SIDECAR_PAGES_H

#include "config/diag.h"
#include "proxy/sidecar_ready.h"

/* /policy: what is in force. */
char *page_policy(const struct readiness_facts *facts);
/* /reload: what came of it. 200, or 409 when the policy of before stays in force. */
char *page_reload(const struct readiness_facts *facts, const struct diags *told, unsigned *status);
/* /explain?method=&url=: what `explain --json` says, by the policy in force. 400 without a url. */
char *page_explain(const struct settings *settings, const struct policy *policy,
                   const struct destination_rules *rules, const char *query, unsigned *status);

#endif
