#include "policy/vrn.h"

#include <stdlib.h>

#include "config/memory.h"
#include "policy/pattern.h"
#include "policy/readings.h"

/* `{{*}}` (seen in public apps) and `{{ * }}` become `*`; other templates are left to be filled. */
static char *stars_out(struct text written)
{
    char *out = mem_alloc(written.len + 1, 1);
    size_t used = 0;

    for (size_t i = 0; i < written.len; i++) {
        struct text rest = { written.at + i, written.len - i };
        const char *close =
            text_starts(rest, TEXT("{{")) ? memmem(rest.at, rest.len, "}}", 2) : NULL;

        if (close && text_eq(text_trim(text_span(rest.at + 2, close)), TEXT("*"))) {
            out[used++] = '*';
            i += (size_t)(close - rest.at) + 1;
        } else {
            out[used++] = written.at[i];
        }
    }
    return out;
}

static bool split(struct text whole, struct text field[N_VRN_FIELDS])
{
    const char *at = whole.at + strlen("vrn:"), *end = whole.at + whole.len;

    if (whole.len < strlen("vrn:") || !text_eq_nocase((struct text){ whole.at, 4 }, TEXT("vrn:")))
        return false;
    for (int i = 0; i < VRN_PATH; i++) {
        const char *colon = memchr(at, ':', (size_t)(end - at));

        if (!colon || colon == at)
            return false;
        field[i] = text_span(at, colon);
        at = colon + 1;
    }
    field[VRN_PATH] = text_span(at, end);
    return at < end;
}

static bool is_plain_field(struct text field)
{
    for (size_t i = 0; i < field.len; i++) {
        char low = ascii_lower(field.at[i]);

        if (!(low >= 'a' && low <= 'z') && !(low >= '0' && low <= '9') && !memchr("._-*", low, 4))
            return false;
    }
    return true;
}

/* One way to read it: what a request may spell in two ways, a denial must not. */
static bool check_path(struct text path, const char **why)
{
    *why = "the path must begin with '/' or '*'";
    if (path.at[0] != '/' && path.at[0] != '*')
        return false;
    *why =
        "the path holds a blank, an escape, a query, '\\', ';', '//' or a dot segment, so it does "
        "not read one way only";
    if (!path_is_plain(path) || memchr(path.at, ' ', path.len) || memchr(path.at, '?', path.len) ||
        memchr(path.at, '#', path.len))
        return false;
    *why =
        "the path holds a parameter such as \":id\", which routes have and resources do not; write "
        "'*'";
    return !memmem(path.at, path.len, "/:", 2);
}

bool vrn_parse(struct text written, const struct template_values *values, struct vrn *out,
               const char **why)
{
    char *plain = stars_out(written);
    struct text culprit;
    enum template_result result;

    *out = (struct vrn){ 0 };
    result = template_fill((struct text){ plain, strlen(plain) }, values, &out->filled, &culprit);
    if (strlen(plain) != written.len && memchr(written.at, '\0', written.len))
        result = TEMPLATE_BROKEN;
    free(plain);
    *why = "it holds a template that has no value here; known are {{account}}, {{workspace}}, "
           "{{region}}, {{appId}} and {{partialId}}, and '*' for any value";
    if (result != TEMPLATE_OK)
        return false;
    *why = "a resource is vrn:{vendor}.{app}:{region}:{account}:{workspace}:{path}, none of them "
           "empty";
    if (!split(text_of(out->filled), out->field))
        return false;
    for (int i = 0; i < VRN_PATH; i++)
        if (!is_plain_field(out->field[i]))
            return false;
    return check_path(out->field[VRN_PATH], why);
}

void vrn_fini(struct vrn *vrn)
{
    free(vrn->filled);
    *vrn = (struct vrn){ 0 };
}

static char *lower_copy(struct text value)
{
    char *out = text_dup(value);

    for (char *at = out; *at; at++)
        *at = ascii_lower(*at);
    return out;
}

bool vrn_covers(struct text field, struct text value)
{
    char *low_field = lower_copy(field), *low_value = lower_copy(value);
    struct pattern *pattern = pattern_new(PATTERN_PATH, text_of(low_field));
    bool covers = pattern_matches(pattern, text_of(low_value));

    pattern_free(pattern);
    free(low_field);
    free(low_value);
    return covers;
}
