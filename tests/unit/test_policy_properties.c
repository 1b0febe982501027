/* What holds for many rules and for any request. */
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
    "a.test\t/v1/*|b.a.test\t/v1|*.w.test\t*|c.test\t/*.xml|c.test\t/x/*/y";

static void random_target(char out[200])
{
    static const char *const hosts[] = { "a.test", "b.a.test", "x.w.test",
                                         "w.test", "c.test",   "d.test" };
    static const char *const pieces[] = { "v1",   "x",   "y",   "/",     "/", "..", ".",
                                          ".xml", "%2e", "%2f", "%252e", ";", "\\" };
    size_t used = (size_t)snprintf(out, 200, "https://%s/", hosts[roll(6)]);

    for (uint32_t n = roll(8); n > 0; n--)
        used += (size_t)snprintf(out + used, 200 - used, "%s", pieces[roll(13)]);
}

/* A host that is denied stays so with letters glued to it, unless a wildcard was meant. */
static void gluing_opens_nothing(void **state)
{
    static const char *const glued[] = { "evila.test",  "a.test.evil", "xw.test",
                                         "a-.test",     "evilw.test",  "a.testx",
                                         "x.w.test.io", "a.test-evil", "evilb.a.test",
                                         "c.test.c.io" };
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile(property_rows, &settings, &diags);
    char target[200];
    struct destination where;

    (void)state;
    for (size_t i = 0; i < sizeof glued / sizeof *glued; i++) {
        snprintf(target, sizeof target, "https://%s/v1/a.xml", glued[i]);
        assert_int_equal(judge(policy, target, &where).reason, REASON_NO_RULE_HOST);
    }
    policy_unref(policy);
    diags_fini(&diags);
}

/* What an origin that resolves the path sees has been allowed itself. */
static void readings_never_widen(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile(property_rows, &settings, &diags);
    int allowed = 0;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        struct destination where, resolved;
        char target[200], plain[600];

        random_target(target);
        if (judge(policy, target, &where).kind != VERDICT_ALLOW)
            continue;
        allowed++;
        if (!memmem(where.path.at, where.path.len, "/../", 4))
            continue;
        /* by hand: the first "x/../" taken out */
        const char *climb = memmem(where.path.at, where.path.len, "/../", 4);
        const char *from = climb;

        while (from > where.path.at && from[-1] != '/')
            from--;
        snprintf(plain, sizeof plain, "https://%s%.*s%s", where.host,
                 (int)(from > where.path.at ? from - where.path.at : 1), where.path.at, climb + 4);
        if (judge(policy, plain, &resolved).kind != VERDICT_ALLOW)
            fail_msg("%s is allowed, %s is not", target, plain);
    }
    assert_true(allowed > 1000);
    policy_unref(policy);
    diags_fini(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_rules_are_found),
        cmocka_unit_test(gluing_opens_nothing),
        cmocka_unit_test(readings_never_widen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
