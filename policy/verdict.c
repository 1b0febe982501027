/* Verdicts for people. Whatever came from outside is printed in a printable form, and never the
 * query: it may hold a token. */
#include <stdarg.h>
#include <stdio.h>

#include "policy/address_class.h"
#include "policy/compiled.h"
#include "policy/readings.h"

enum { PATH_SHOWN_MAX = 200, NAME_MAX_BYTES = 120 };

/* A sentence in the making; what does not fit is cut. */
struct sentence {
    char *at;
    size_t size, used;
};

static void add(struct sentence *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct sentence *out, const char *format, ...)
{
    va_list arguments;
    int len;

    if (out->used + 1 >= out->size)
        return;
    va_start(arguments, format);
    len = vsnprintf(out->at + out->used, out->size - out->used, format, arguments);
    va_end(arguments);
    if (len > 0)
        out->used += (size_t)len < out->size - out->used ? (size_t)len : out->size - out->used - 1;
}

static void add_text(struct sentence *out, struct text value)
{
    if (out->used + 1 >= out->size)
        return;
    text_printable(value, out->at + out->used, out->size - out->used);
    out->used += strlen(out->at + out->used);
}

static void add_path(struct sentence *out, struct text path)
{
    bool cut = path.len > PATH_SHOWN_MAX;

    add_text(out, (struct text){ path.at, cut ? PATH_SHOWN_MAX : path.len });
    if (cut)
        add(out, "...");
}

static void say_rule(struct sentence *out, const struct verdict *verdict)
{
    bool closed = verdict->kind != VERDICT_ALLOW;

    add(out,
        closed ? "closed by the owner of the app, by the deny statement" : "opened by the policy");
    if (verdict->rule_kind != POLICY_OUTBOUND_ACCESS) {
        add(out, closed ? " in " : " ");
        add_text(out, verdict->rule_name);
    }
    add(out, " at ");
    add_text(out, text_of(verdict->rule.file));
    if (verdict->rule.line > 0)
        add(out, ":%u:%u", verdict->rule.line, verdict->rule.column);
    add(out, " (host ");
    add_text(out, verdict->rule_host);
    if (verdict->rule_path.at) {
        add(out, ", path ");
        add_path(out, verdict->rule_path);
    }
    add(out, ")");
}

/* The readings are not kept with the verdict; denials are rare enough to make them again. */
static void say_reading(struct sentence *out, const struct policy *policy,
                        const struct destination *where)
{
    struct readings readings;
    char name[NAME_MAX_BYTES];
    bool host_named;
    size_t i = 0;

    if (readings_of(where->path, &readings) == READINGS_OK)
        while (i < readings.n && judge_reading(policy, where, readings.at[i].path, &host_named))
            i++;
    add(out, "an origin may read the path ");
    add_path(out, where->path);
    if (i < readings.n) {
        add(out, " as ");
        add_path(out, readings.at[i].path);
        add(out, " (%s)", reading_name(&readings, i, name, sizeof name));
    }
    add(out, ", which no policy opens; send the path in its plain form");
    readings_fini(&readings);
}

static void say_address(struct sentence *out, const struct destination *where)
{
    struct sockaddr_storage address;
    const char *name = "loopback";

    if (where->host_is_address && address_of_literal(where->host, &address))
        name = address_class_name(address_classify((const struct sockaddr *)&address));
    add(out, "%s is a %s address, which is closed unless --allow-address covers it", where->host,
        name);
}

static void say_other(struct sentence *out, const char *what, const char *ours)
{
    add(out, "the request names another %s than ", what);
    add_text(out, text_of(ours));
    add(out, " (an= or the path); call only your own");
}

size_t verdict_sentence(const struct policy *policy, const struct verdict *verdict,
                        const struct destination *destination, char *out, size_t size)
{
    struct sentence sentence = { out, size, 0 };

    if (size > 0)
        out[0] = '\0';
    switch (verdict->reason) {
    case REASON_RULE:
        say_rule(&sentence, verdict);
        break;
    case REASON_NO_RULE_HOST:
        add(&sentence,
            "no policy names the host %s; declare outbound-access for it in the manifest",
            destination->host);
        break;
    case REASON_NO_RULE_PATH:
        add(&sentence, "the policies for %s do not open the path ", destination->host);
        add_path(&sentence, destination->path);
        add(&sentence, "; declare outbound-access for it in the manifest");
        break;
    case REASON_READING:
        say_reading(&sentence, policy, destination);
        break;
    case REASON_DENIED_BY_RULE:
        say_rule(&sentence, verdict);
        break;
    case REASON_NO_RULE_METHOD:
        add(&sentence, "the policies for ");
        add_text(&sentence, text_of(destination->host));
        add_path(&sentence, destination->path);
        add(&sentence, " open it for other methods only");
        break;
    case REASON_OTHER_ACCOUNT:
        say_other(&sentence, "account", policy->account);
        break;
    case REASON_OTHER_WORKSPACE:
        say_other(&sentence, "workspace", policy->workspace);
        break;
    case REASON_ADDRESS_CLASS:
        say_address(&sentence, destination);
        break;
    case REASON_BAD_ESCAPE:
        add(&sentence,
            "the path holds a malformed escape, or one that decodes to a control character");
        break;
    case REASON_TOO_LONG:
        add(&sentence, "the path has more than %d bytes", PATH_MAX_BYTES);
        break;
    case REASON_TOO_MANY_READINGS:
        add(&sentence, "the path can be read in more than %d ways; send it in its plain form",
            READINGS_MAX);
        break;
    }
    return sentence.used;
}

size_t policy_vrn(const struct policy *policy, const struct destination *destination, char *out,
                  size_t size)
{
    struct sentence vrn = { out, size, 0 };

    if (size > 0)
        out[0] = '\0';
    add(&vrn, "vrn:proxy:");
    add_text(&vrn, text_of(policy->region));
    add(&vrn, ":");
    add_text(&vrn, policy_account(policy));
    add(&vrn, ":");
    add_text(&vrn, policy_workspace(policy));
    add(&vrn, ":");
    add_text(&vrn, (struct text){ destination->host, destination->host_len });
    add_text(&vrn, destination->path);
    return vrn.used;
}
