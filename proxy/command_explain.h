/* proxy/command_explain.h - what explain knows of a request, for the two ways to say it: for people
 * (command_explain.c) and for machines (command_explain_json.c). */
#ifndef PROXY_COMMAND_EXPLAIN_H
#define PROXY_COMMAND_EXPLAIN_H

#include "config/settings.h"
#include "policy/explain.h"
#include "proxy/token/identity.h"

enum { EXPLAIN_REASON_MAX = 2048 };

/* All that is said of one request. Borrows settings, policy, method and URL. */
struct explain_answer {
    const struct settings *settings;
    const struct policy *policy;
    struct text method, url;
    struct destination where;
    struct explanation explanation;
    char reason[EXPLAIN_REASON_MAX], *vrn;
    enum realm realm;
    bool app_token; /* for a request without credentials */
};

/* Words that both use; static. */
const char *explain_word_of_inject(enum inject inject);
const char *explain_header_of(enum realm realm);
const char *explain_scheme_of(const struct destination *where);
const char *explain_why_there(const struct explain_answer *answer);

/* All of it as JSON, for `explain --json` and the admin listener's /explain. Borrows only while it runs. */
struct json_t *explain_json(const struct settings *settings, const struct policy *policy,
                            const struct destination_rules *rules, struct text method,
                            struct text url);

struct json_t *explain_json_of(const struct explain_answer *answer);
/* What never gets as far as a policy. */
struct json_t *explain_json_of_refusal(struct text method, struct text url, const char *why);

#endif
