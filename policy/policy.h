/* policy/policy.h - the compiled allowlist: immutable, counted, pure.
 *
 * Same policy and same request, same verdict. A request pins the policy it began with
 * (policy_ref), so a reload never splits one. Its count is one thread's; another thread gets a handle of its
 * own (policy_share), so that no request touches a count that others touch too. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "config/diag.h"
#include "config/manifest.h"
#include "config/provider.h"
#include "config/settings.h"
#include "policy/destination.h"

struct policy;

/* Reads the providers' folder that the settings name, and compiles `manifest` for the account, workspace, region, kinds and aliases in `settings`.
 * Copies all it needs, the manifest's file name included. A policy that cannot be read safely opens
 * nothing and becomes an error finding; the result is never NULL. */
struct policy *policy_new(const struct manifest *manifest, const struct settings *settings,
                          struct diags *diags);
/* The same with providers that were read already; those that cannot be used become broken. */
struct policy *policy_compile(const struct manifest *manifest, struct providers *providers,
                              const struct settings *settings, struct diags *diags);
/* What a row of "policies" is, by its name. */
enum policy_kind policy_kind_of(const struct manifest_policy *row);
struct policy *policy_ref(struct policy *policy);
void policy_unref(struct policy *policy);
/* The same rules, once more, counted by itself: for another thread, which unrefs it. */
struct policy *policy_share(struct policy *policy);

enum verdict_kind {
    VERDICT_ALLOW,
    VERDICT_DENY,   /* 403: no rule opens it, or a rule closes it */
    VERDICT_REFUSE, /* 400: the path cannot be judged safely */
};

enum verdict_reason {
    REASON_RULE,          /* allowed by `rule` */
    REASON_NO_RULE_HOST,  /* no rule names this host */
    REASON_NO_RULE_PATH,  /* the host is named, the path as sent is not */
    REASON_READING,       /* another reading of the path is not allowed */
    REASON_OTHER_ACCOUNT, /* an= or an IO path names another account */
    REASON_OTHER_WORKSPACE,
    REASON_ADDRESS_CLASS, /* the host is an address, or localhost, that no --allow-address covers */
    REASON_BAD_ESCAPE,    /* % without two hex digits, NUL or a control byte: refused */
    REASON_TOO_LONG,      /* the path has more than PATH_MAX_BYTES: refused */
    REASON_DENIED_BY_RULE,    /* the owner of the app closes it; `rule` is the deny statement */
    REASON_NO_RULE_METHOD,    /* host and path are open, for other methods only */
    REASON_TOO_MANY_READINGS, /* a path so twisted that it has more than READINGS_MAX: refused */
};

struct verdict {
    enum verdict_kind kind;
    enum verdict_reason reason;
    struct place rule;     /* the deciding rule's place in its file; line 0 when there is none */
    struct text rule_host; /* as written in the manifest; borrowed from the policy */
    struct text rule_path;
    struct text rule_name;      /* "outbound-access", a key, VENDOR.APP:POLICY, a dependency */
    enum policy_kind rule_kind; /* means nothing while rule.line is 0 */
};

/* Judges one request. Never allocates on the way of an ordinary path. */
struct verdict policy_judge(const struct policy *policy, struct text method,
                            const struct destination *destination);

/* One sentence for a person: what decided, and what to do. Cuts at `size`; returns the length. */
size_t verdict_sentence(const struct policy *policy, const struct verdict *verdict,
                        const struct destination *destination, char *out, size_t size);

/* "vrn:proxy:{region}:{account}:{workspace}:{host}{path}" (VTEX: Vtex Resource Name). Cuts at
 * `size`. */
size_t policy_vrn(const struct policy *policy, const struct destination *destination, char *out,
                  size_t size);

/* "link:vendor.app@1.0.0 in account/workspace" needs these. */
struct text policy_app_id(const struct policy *policy);
struct text policy_account(const struct policy *policy);
struct text policy_workspace(const struct policy *policy);
size_t policy_n_rules(const struct policy *policy);

#endif
