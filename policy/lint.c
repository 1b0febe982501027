#include "policy/lint.h"

#include "policy/address_class.h"
#include "policy/compile.h"
#include "policy/host.h"
#include "policy/lint_parts.h"
#include "policy/readings.h"

static struct text host_of(const struct rule *rule)
{
    return text_of(rule->host);
}

static bool is_wild(struct text pattern)
{
    return pattern.len > 0 && memchr(pattern.at, '*', pattern.len);
}

/* ---- too much ---- */

/* "com" in "com.br": what countries call the names under which they sell names. There are more; a list of all of
 * them would be a dependency for a warning. */
static bool is_sold_under(struct text label)
{
    static const char *const names[] = { "ac",  "co",  "com", "edu", "go", "gob", "gov",
                                         "gub", "mil", "ne",  "net", "or", "org" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_eq(label, text_of(names[i])))
            return true;
    return false;
}

/* Cuts the last label and the dot before it off `host`. False: there is no dot, so a star is in that label. */
static bool cut_label(struct text *host, struct text *label)
{
    const char *dot = host->len ? memrchr(host->at, '.', host->len) : NULL;

    if (!dot)
        return false;
    *label = text_span(dot + 1, host->at + host->len);
    *host = text_span(host->at, dot);
    return true;
}

/* "*.com", "*.com.br", "*shop.com", "shop.*": no whole label behind the last star is one that somebody owns. */
static bool is_half_the_world(struct text host)
{
    const char *last = host.len ? memrchr(host.at, '*', host.len) : NULL;
    struct text rest, top, second;

    if (!last || host.len == 1)
        return false;
    rest = text_span(last + 1, host.at + host.len);
    if (!cut_label(&rest, &top) || !cut_label(&rest, &second))
        return true;
    return top.len == 2 && is_sold_under(second) && !cut_label(&rest, &second);
}

/* ADMIN_DS: the documentation gives it every path of the account's host. A key may stand for many
 * rules, all at its place; the first broad one says it. */
static void lint_key(const struct rule *rule, const struct rule *before, struct diags *diags)
{
    struct text path = pattern_source(rule->path);
    bool said = before && before->place.line == rule->place.line &&
                before->place.column == rule->place.column;

    if (!said && (text_eq(path, TEXT("/*")) || text_eq(path, TEXT("*"))))
        diag_warning(diags, rule->place,
                     "the key \"%s\" opens every path of %s; declare outbound-access for what the "
                     "app calls",
                     show(text_of(rule->name)).text, show(host_of(rule)).text);
}

static void lint_breadth(const struct rule *rule, struct diags *diags)
{
    if (is_half_the_world(host_of(rule)))
        diag_warning(diags, rule->place,
                     "the host \"%s\" opens hosts that strangers can register; name the hosts that "
                     "the app calls, or at least the name that they are all under",
                     show(text_of(rule->written_host)).text);
}

/* ---- never ---- */

static bool literal_allowed(const struct policy *policy, const char *literal,
                            enum address_class *class)
{
    struct sockaddr_storage storage;
    const struct sockaddr *address = (const struct sockaddr *)&storage;

    if (!address_of_literal(literal, &storage))
        return true;
    *class = address_classify(address);
    return address_allowed(address, policy->allow_address, policy->n_allow_address);
}

/* "my-bucket": the beginning of a name, or one that only a cluster knows. */
static void lint_bare_name(const struct rule *rule, struct diags *diags)
{
    struct text host = host_of(rule);

    if (host.len > 0 && !is_wild(host) && !memchr(host.at, '.', host.len) &&
        !memchr(host.at, ':', host.len) && !host_is_localhost(host))
        diag_warning(diags, rule->place,
                     "the host \"%s\" has no dot, as every public name has; write the name in full",
                     show(text_of(rule->written_host)).text);
}

static void lint_address(const struct policy *policy, const struct rule *rule, struct diags *diags)
{
    enum address_class class = ADDRESS_LOOPBACK;
    bool open = literal_allowed(policy, rule->host, &class);

    if (host_is_localhost(host_of(rule)))
        open =
            literal_allowed(policy, "127.0.0.1", &class) || literal_allowed(policy, "::1", &class);
    if (!open)
        diag_warning(diags, rule->place,
                     "this policy never matches: %s is a %s address, which is closed unless "
                     "--allow-address covers it",
                     show(host_of(rule)).text, address_class_name(class));
}

/* What stands before the first star, without the segment that the star is in. */
static struct text fixed_segments(struct text path)
{
    const char *star = path.len ? memchr(path.at, '*', path.len) : NULL;

    if (!star)
        return path;
    while (star > path.at && star[-1] != '/')
        star--;
    return text_span(path.at, star);
}

static void lint_tenant(const struct policy *policy, const struct rule *rule, struct diags *diags)
{
    struct tenant ours = policy->tenant;
    enum tenant_named named =
        tenant_in_path(host_of(rule), fixed_segments(pattern_source(rule->path)), &ours);

    if (named == TENANT_OTHER_ACCOUNT || named == TENANT_OTHER_WORKSPACE)
        diag_warning(diags, rule->place,
                     "this policy never matches in %s/%s: its path names another %s; write "
                     "{{account}} and {{workspace}}",
                     show(ours.account).text, show(ours.workspace).text,
                     named == TENANT_OTHER_ACCOUNT ? "account" : "workspace");
}

static bool is_hex(char c)
{
    char low = ascii_lower(c);

    return (c >= '0' && c <= '9') || (low >= 'a' && low <= 'f');
}

/* A '%' that no request can bring: what is sent has two hex digits behind each. A star behind it
 * may stand for them. */
static bool has_bad_escape(struct text path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] != '%')
            continue;
        for (size_t j = i + 1; j < i + 3 && (j >= path.len || path.at[j] != '*'); j++)
            if (j >= path.len || !is_hex(path.at[j]))
                return true;
    }
    return false;
}

/* Patterns also stand for decoded readings, but those can only come from a path as sent that other
 * rules open. */
static void lint_path(const struct rule *rule, struct diags *diags)
{
    struct text path = pattern_source(rule->path);
    const char *why = NULL;

    if (has_bad_escape(path))
        why = "its path holds a '%' without two hex digits, which no client may send";
    else if (path.len > PATH_MAX_BYTES + (size_t)is_wild(path))
        why = "its path is longer than any path that is judged";
    if (why)
        diag_warning(diags, rule->place, "this policy alone never matches: %s", why);
}

void policy_lint(const struct policy *policy, struct diags *diags)
{
    for (size_t i = 0; i < policy->n_rules; i++) {
        const struct rule *rule = &policy->rules[i];

        if (rule->kind == POLICY_LICENSE)
            lint_key(rule, i > 0 ? rule - 1 : NULL, diags);
        if (rule->kind != POLICY_OUTBOUND_ACCESS)
            continue;
        lint_breadth(rule, diags);
        lint_bare_name(rule, diags);
        lint_address(policy, rule, diags);
        lint_tenant(policy, rule, diags);
        lint_path(rule, diags);
    }
    lint_closed(policy, diags);
    lint_overlaps(policy, diags);
}
