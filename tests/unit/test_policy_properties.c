/* What holds for many rules and for any request. */
#include <ctype.h>
#include <strings.h>

#include "tests/unit/policy_fixture.h"

/* Rule `i` opens /p{i} on a host that it shares with a few others; some hosts are wildcards. */
static char *many_rules(int n)
{
    char *json = NULL;
    size_t size;
    FILE *out = open_memstream(&json, &size);

    fputs("{\"policies\":[", out);
    for (int i = 0; i < n; i++)
        fprintf(out,
                "%s{\"name\":\"outbound-access\",\"attrs\":{\"host\":\"%s%d.test\","
                "\"path\":\"/p%d%s\"}}",
                i ? "," : "", i % 3 ? "h" : "*.w", i / 4, i, i % 2 ? "/*" : "");
    fputs("]}", out);
    fclose(out);
    return json;
}

static enum verdict_kind judge_rule(const struct policy *policy, int i, int host)
{
    struct destination where;
    char target[80];

    snprintf(target, sizeof target, "https://%s%d.test/p%d%s", i % 3 ? "h" : "x.w", host, i,
             i % 2 ? "/a" : "");
    return judge(policy, target, &where).kind;
}

static void many_rules_are_found(void **state)
{
    enum { RULES = 2000 };
    struct settings settings = settings_of(true);
    char *json = many_rules(RULES);
    struct diags diags = { 0 };
    struct policy *policy = compile_json(json, &settings, &diags);

    (void)state;
    assert_int_equal(policy_n_rules(policy), RULES);
    for (int i = 0; i < RULES; i++) {
        assert_int_equal(judge_rule(policy, i, i / 4), VERDICT_ALLOW);
        assert_int_equal(judge_rule(policy, i, i / 4 + 1), VERDICT_DENY);
    }
    policy_unref(policy);
    diags_fini(&diags);
    free(json);
}

static uint32_t dice = 2463534242u;

static uint32_t roll(uint32_t sides)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % sides;
}

static const char property_rows[] =
    "a.test\t/v1/*|b.a.test\t/v1|*.w.test\t*|c.test\t/*.xml|c.test\t/x/*/y|p*q.v.test\t/v1/*";

/* Twice out of three times it begins where something is open. */
static void random_target(char out[200])
{
    static const char *const hosts[] = { "a.test",     "a.test", "b.a.test", "x.w.test",
                                         "pxq.v.test", "c.test", "d.test" };
    static const char *const starts[] = { "v1/", "x/", "v1/", "x/1/y", "a.xml", "" };
    static const char *const pieces[] = {
        "v1",  "x",   "y",     "/",     "/", "/",    "..", "..",  "../../", ".",          ".xml",
        "%2e", "%2f", "%252e", "%252f", ";", ";a=1", "\\", "%5c", "%2e%2e", "%252e%252e",
    };
    size_t used = (size_t)snprintf(out, 200, "https://%s/%s", hosts[roll(7)], starts[roll(6)]);

    for (uint32_t n = roll(7); n > 0; n--)
        used += (size_t)snprintf(out + used, 200 - used, "%s",
                                 pieces[roll(sizeof pieces / sizeof *pieces)]);
}

/* ---- an origin of our own, written without looking at ours ---- */

/* `*` is any run. Slow and plain. */
static bool globs(const char *pattern, const char *text)
{
    if (*pattern == '*')
        return globs(pattern + 1, text) || (*text && globs(pattern, text + 1));
    return *pattern ? *pattern == *text && globs(pattern + 1, text + 1) : *text == '\0';
}

static int digit_of(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, tolower(c)) : NULL;

    return at ? (int)(at - digits) : -1;
}

static void decode_once(char *path)
{
    char *out = path;

    for (const char *at = path; *at; at++) {
        int high = *at == '%' ? digit_of(at[1]) : -1, low = high >= 0 ? digit_of(at[2]) : -1;

        *out++ = low >= 0 ? (char)(high * 16 + low) : *at;
        at += low >= 0 ? 2 : 0;
    }
    *out = '\0';
}

static void drop_behind_semicolons(char *path)
{
    char *out = path;

    for (const char *at = path; *at; at++) {
        while (*at == ';')
            at += strcspn(at, "/");
        if (!*at)
            break;
        *out++ = *at;
    }
    *out = '\0';
}

static void merge_slashes(char *path)
{
    char *twice;

    while ((twice = strstr(path, "//")))
        memmove(twice, twice + 1, strlen(twice));
}

/* Segment by segment onto a pile. */
static void pile_segments(char *path)
{
    char copy[600], out[600] = "", *rest = copy + 1, *segment;
    size_t starts[300], n = 0;

    snprintf(copy, sizeof copy, "%s", path);
    while ((segment = strsep(&rest, "/"))) {
        bool up = strcmp(segment, "..") == 0, last = !rest;

        if (up && n > 0)
            out[starts[--n]] = '\0';
        if (up || strcmp(segment, ".") == 0) {
            if (last)
                strcat(out, "/");
            continue;
        }
        starts[n++] = strlen(out);
        strcat(strcat(out, "/"), segment);
    }
    snprintf(path, 600, "%s", *out ? out : "/");
}

/* What one origin, of many that there may be, takes the path for. */
static void read_somehow(char *path)
{
    unsigned decodings = 0;

    for (uint32_t n = roll(8); n > 0 && path[0] == '/'; n--) {
        switch (roll(5)) {
        case 0:
            if (decodings++ < 2)
                decode_once(path);
            break;
        case 1:
            for (char *at = path; (at = strchr(at, '\\'));)
                *at = '/';
            break;
        case 2:
            drop_behind_semicolons(path);
            break;
        case 3:
            merge_slashes(path);
            break;
        default:
            pile_segments(path);
            break;
        }
    }
}

/* By the rows as text: host TAB path|… */
static bool rows_open(const char *rows, const char *host, const char *path)
{
    char copy[300], *rest = copy, *row;

    snprintf(copy, sizeof copy, "%s", rows);
    while ((row = strsep(&rest, "|"))) {
        const char *row_host = strsep(&row, "\t");

        if (globs(row_host, host) && globs(row, path))
            return true;
    }
    return false;
}

/* Whatever an origin reads in a path that is allowed, some rule opens. */
static void readings_never_widen(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile(property_rows, &settings, &diags);
    int allowed = 0, twisted = 0;

    (void)state;
    for (int i = 0; i < 60000; i++) {
        struct destination where;
        char target[200], path[600];

        random_target(target);
        if (judge(policy, target, &where).kind != VERDICT_ALLOW)
            continue;
        allowed++;
        snprintf(path, sizeof path, "%.*s", (int)where.path.len, where.path.at);
        read_somehow(path);
        twisted += !text_eq(text_of(path), where.path);
        if (!rows_open(property_rows, where.host, path))
            fail_msg("%s is allowed, and may be read as %s", target, path);
    }
    assert_true(allowed > 3000 && twisted > 300);
    policy_unref(policy);
    diags_fini(&diags);
}

/* ---- hosts ---- */

static const char glue_bytes[] = "abcxyz019-_.";

static void random_glue(char out[12])
{
    size_t n = 1 + roll(8);

    for (size_t i = 0; i < n; i++)
        out[i] = glue_bytes[roll(sizeof glue_bytes - 1)];
    out[n] = '\0';
}

/* What is not a host at all is refused, which is a denial too. */
static bool is_allowed(const struct policy *policy, const char *host, const char *path)
{
    struct destination_rules rules = { .default_host = "acme.vtexcommercestable.com.br" };
    struct destination where;
    const char *why;
    char target[300];

    snprintf(target, sizeof target, "https://%s%s", host, path);
    struct destination_request request = { .method = TEXT("GET"), .target = text_of(target) };
    return destination_of(&rules, &request, &where, &why) == DESTINATION_OK &&
           policy_judge(policy, request.method, &where).kind == VERDICT_ALLOW;
}

/* Letters before or behind a host never open it, but for a name under a wildcard of the rows, and for
 * the one dot behind a name that means nothing. */
static void gluing_opens_nothing(void **state)
{
    static const char *const hosts[] = { "a.test", "b.a.test",   "x.w.test", "w.test",
                                         "c.test", "pxq.v.test", "pq.v.test" };
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile(property_rows, &settings, &diags);
    size_t n_open = 0;

    (void)state;
    for (int i = 0; i < 40000; i++) {
        const char *host = hosts[roll(7)];
        char glue[12], glued[64];
        bool before = roll(2);
        size_t len;

        random_glue(glue);
        snprintf(glued, sizeof glued, "%s%s", before ? glue : host, before ? host : glue);
        len = strlen(glued);
        if (!is_allowed(policy, glued, "/v1/a.xml"))
            continue;
        n_open++;
        if (glued[len - 1] == '.')
            glued[len - 1] = '\0';
        if (!rows_open(property_rows, glued, "/v1/a.xml") || strcmp(glued, "pq.v.test") == 0)
            fail_msg("%s is open", glued);
        if (strcmp(glued, host) != 0 && !strstr(glued, ".w.test") && !strstr(glued, ".v.test"))
            fail_msg("%s is open, and no wildcard was meant", glued);
    }
    assert_true(n_open > 400);
    policy_unref(policy);
    diags_fini(&diags);
}

/* ---- literals ---- */

/* One byte put in, taken out or changed, of a host or of a path. */
static void edit(char *text, size_t from, const char *bytes)
{
    size_t len = strlen(text), at = from + roll((uint32_t)(len - from + 1));
    char byte = bytes[roll((uint32_t)strlen(bytes))];

    switch (roll(3)) {
    case 0:
        memmove(text + at + 1, text + at, len - at + 1);
        text[at] = byte;
        break;
    case 1:
        if (at < len)
            memmove(text + at, text + at + 1, len - at);
        break;
    default:
        if (at < len)
            text[at] = byte;
    }
}

/* A pattern without a star matches only itself: no other path, and no host but in other letters. */
static void a_literal_opens_itself_alone(void **state)
{
    static const char own_host[] = "api.a-b.test", own_path[] = "/v1/x.y/Z~1";
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile("api.a-b.test\t/v1/x.y/Z~1", &settings, &diags);
    int n_open = 0;

    (void)state;
    assert_true(is_allowed(policy, own_host, own_path));
    for (int i = 0; i < 40000; i++) {
        char host[40], path[40];
        size_t len;

        snprintf(host, sizeof host, "%s", own_host);
        snprintf(path, sizeof path, "%s", own_path);
        if (roll(2))
            edit(host, 0, "abtAPI.-_019");
        else
            for (uint32_t n = 1 + roll(2); n > 0; n--)
                edit(path, 1, "vxyzZ1~./%2e;\\A");
        if (!is_allowed(policy, host, path))
            continue;
        n_open++;
        len = strlen(host);
        if (len > 0 && host[len - 1] == '.')
            host[len - 1] = '\0';
        if (strcasecmp(host, own_host) != 0 || strcmp(path, own_path) != 0)
            fail_msg("%s%s is open", host, path);
    }
    assert_true(n_open > 100);
    policy_unref(policy);
    diags_fini(&diags);
}

/* ---- more rules ---- */

/* An allow more never takes one away, wherever it stands. */
static void an_allow_more_takes_none_away(void **state)
{
    static const char *const rows[] = { "a.test\t/v1/*", "a.test\t/v1/x", "*\t/x",
                                        "*.test\t*",     "a.test\t*",     "w.test\t/y",
                                        "*.w.test\t*",   "*t\t/*/v1" };
    enum { ROWS = sizeof rows / sizeof *rows };
    struct settings settings = settings_of(true);

    (void)state;
    for (int i = 0; i < 150; i++) {
        char less[300] = "", more[700];
        const char *extra = rows[roll(ROWS)];
        struct diags diags = { 0 };
        struct policy *before, *after;

        for (uint32_t n = 1 + roll(4); n > 0; n--)
            snprintf(less + strlen(less), sizeof less - strlen(less), "%s%s", *less ? "|" : "",
                     rows[roll(ROWS)]);
        snprintf(more, sizeof more, "%s%s%s", i % 2 ? less : extra, "|", i % 2 ? extra : less);
        before = compile(less, &settings, &diags);
        after = compile(more, &settings, &diags);
        for (int k = 0; k < 100; k++) {
            struct destination where;
            char target[200];

            random_target(target);
            if (judge(before, target, &where).kind == VERDICT_ALLOW &&
                judge(after, target, &where).kind != VERDICT_ALLOW)
                fail_msg("%s was open to %s, and is not to %s", target, less, more);
        }
        policy_unref(before);
        policy_unref(after);
        diags_fini(&diags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_rules_are_found),
        cmocka_unit_test(gluing_opens_nothing),
        cmocka_unit_test(a_literal_opens_itself_alone),
        cmocka_unit_test(an_allow_more_takes_none_away),
        cmocka_unit_test(readings_never_widen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
