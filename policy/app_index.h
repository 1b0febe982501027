/* policy/app_index.h - finds the rules for a route of a service; other services' rules cost nothing.
 *
 * What opens is read strictly, what denies is read in every way that an origin might:
 *
 *              opens                                     denies
 *   path       /{app}/v{major}/{account}/{workspace}/…   empty segments and the version do not count
 *   letters    as written                                in any case
 *   end        as written                                with and without a '/' behind
 *   method     as written                                in any case; GET is HEAD too
 *
 * Both are asked for each reading of the path. */
#ifndef POLICY_APP_INDEX_H
#define POLICY_APP_INDEX_H

#include "policy/rule.h"
#include "policy/tenant.h"

struct app_index;

struct app_query {
    struct text host;   /* canonical */
    struct text path;   /* one reading */
    struct text method; /* at == NULL: any */
    struct tenant ours;
};

/* Borrows the rules, which must neither move nor change while the index lives. */
struct app_index *app_index_new(const struct rule *rules, size_t n_rules);
void app_index_free(struct app_index *index);

/* A rule that opens the query, or NULL. Sets `*host_named` if any rule is for the host. */
const struct rule *app_index_find(const struct app_index *index, const struct app_query *query,
                                  bool *host_named);
/* Does this rule for routes open the query? */
bool app_rule_opens(const struct rule *rule, const struct app_query *query);
/* Is there any rule that denies something? */
bool app_index_has_denials(const struct app_index *index);
/* A rule that denies it, or NULL. The path has at most PATH_MAX_BYTES. */
const struct rule *app_index_denies(const struct app_index *index, const struct app_query *query);

#endif
