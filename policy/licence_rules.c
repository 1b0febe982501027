#include "policy/licence_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/app_rules.h"
#include "policy/compile.h"

static const char *const janus_hosts[] = { "{{account}}.vtexcommercestable.com.br",
                                           "{{account}}.vtexcommercebeta.com.br" };

/* ---- hosts and paths ---- */

/* A documented template stands for one segment that is not empty: an id, and nothing below it. */
static struct pattern *template_pattern(const char *path)
{
    const char *start = strstr(path, "{{"), *end = strstr(path, "}}");
    char *source = NULL;
    struct pattern *made;

    if (asprintf(&source, "%.*s*%s", (int)(start - path), path, end + strlen("}}")) < 0)
        abort();
    made = pattern_new(PATTERN_SEGMENT, text_of(source));
    free(source);
    return made;
}

static void open_on_host(struct licence_rules *rules, const struct manifest_policy *row,
                         const struct licence_resource *resource, const char *host)
{
    bool templated = strstr(resource->path, "{{") != NULL;
    struct manifest_policy made = *row;
    struct rule rule;

    made.host = text_of(host);
    made.path = templated ? TEXT("/*") : text_of(resource->path);
    made.host_place = made.path_place = row->place;
    if (!rule_compile(&made, rules->values, &rule, rules->diags))
        return;
    rule.kind = POLICY_LICENSE;
    if (templated) {
        pattern_free(rule.path);
        rule.path = template_pattern(resource->path);
        free(rule.written_path);
        rule.written_path = text_dup(text_of(resource->path));
    }
    rules->add(rules->context, &rule);
}

/* ---- vbase ---- */

static unsigned methods_of(const struct licence_resource *resource)
{
    return resource->methods ? method_bit(TEXT("GET")) | method_bit(TEXT("HEAD")) : METHODS_ALL;
}

static bool is_bucket(struct text bucket)
{
    for (size_t i = 0; i < bucket.len; i++)
        if ((unsigned char)bucket.at[i] <= 0x20 || strchr("/*%?#\\;{}\x7f", bucket.at[i]))
            return false;
    return bucket.len > 0 && bucket.at[0] != '.';
}

/* Only the app's own buckets: that is where the client goes, and what the key means for other apps'
 * is unknown. attrs.bucket narrows it to one. */
static void open_vbase(struct licence_rules *rules, const struct manifest_policy *row,
                       const struct licence_resource *resource)
{
    struct rule_route route = { "infra.io.vtex.com", TEXT("vbase"), TEXT_NONE, MAJOR_ANY };
    struct text app = rules->values->partial_id;
    char *source = NULL;
    struct rule rule;

    if (!app.at || !rules->values->account.at || !rules->values->workspace.at ||
        (row->bucket.at && !is_bucket(row->bucket))) {
        diag_error(rules->diags, row->place,
                   "\"%s\" opens nothing: it needs the app's \"vendor\" and \"name\", and a "
                   "\"bucket\", if there is one, that is a plain name",
                   resource->key);
        return;
    }
    if (asprintf(&source, "/buckets/%.*s/%.*s%s*", TEXT_ARG(app), (int)row->bucket.len,
                 row->bucket.at ? row->bucket.at : "", row->bucket.at ? "/" : "") < 0)
        abort();
    route.route = text_of(source);
    rule = rule_for_route(&route, rules->values);
    rule.kind = POLICY_LICENSE;
    rule.place = row->place;
    rule.name = text_dup(row->name);
    rule.methods = methods_of(resource);
    rules->add(rules->context, &rule);
    free(source);
}

/* ---- keys ---- */

static void open_resource(struct licence_rules *rules, const struct manifest_policy *row,
                          const struct licence_resource *resource)
{
    switch (resource->on) {
    case LICENCE_STABLE:
        open_on_host(rules, row, resource, janus_hosts[0]);
        break;
    case LICENCE_JANUS:
        for (size_t i = 0; i < sizeof janus_hosts / sizeof *janus_hosts; i++)
            open_on_host(rules, row, resource, janus_hosts[i]);
        break;
    case LICENCE_VBASE:
        open_vbase(rules, row, resource);
        break;
    }
}

static void note_unknown(struct licence_rules *rules, const struct manifest_policy *row)
{
    if (licence_is_inner(row->name)) {
        rules->first_inner = rules->n_inner++ ? rules->first_inner : row;
        return;
    }
    diag_warning(
        rules->diags, row->place,
        "\"%s\" opens nothing here: it is none of the License Manager keys whose resources "
        "are documented; declare outbound-access for what the app calls",
        show(row->name).text);
}

void licence_rules_open(struct licence_rules *rules, const struct manifest_policy *row)
{
    const struct licence_resource *resource = licence_find(row->name);
    const struct licence_resource *end = licence_resources + licence_n_resources;

    if (!resource)
        note_unknown(rules, row);
    for (const char *key = resource ? resource->key : NULL;
         key && resource < end && strcmp(resource->key, key) == 0; resource++) {
        bool *opened = &rules->opened[resource - licence_resources];

        if (!*opened || row->bucket.at) /* a bucket more is for lint to remark on */
            open_resource(rules, row, resource);
        *opened = *opened || !row->bucket.at;
    }
}

void licence_rules_end(struct licence_rules *rules)
{
    if (rules->n_inner > 0)
        diag_warning(rules->diags, rules->first_inner->place,
                     "\"%s\"%s about the platform itself, not about outbound requests, and "
                     "open nothing here",
                     show(rules->first_inner->name).text,
                     rules->n_inner > 1 ? " and other policies are" : " and its like are");
}
