/* A policy that is not as it should be opens nothing, and what is said of it names the fix. */
#include "tests/unit/policy_fixture.h"

static const struct {
    const char *name, *row;
    enum diag_level level;
    const char *says;
} findings[] = {
    { "scheme", "https://a.test/x?y\t*", DIAG_ERROR, "write host \"a.test\" and path \"/x\"" },
    { "scheme without a path", "https://a.test\t/x", DIAG_ERROR, "write host \"a.test\"" },
    { "scheme-relative", "//a.test\t*", DIAG_ERROR, "scheme" },
    { "only a path", "/api/io\t*", DIAG_ERROR, "is only a path" },
    { "empty host", "\t*", DIAG_ERROR, "missing or empty" },
    { "blank host", "  \t*", DIAG_ERROR, "missing or empty" },
    { "leading dot", ".a.test\t*", DIAG_ERROR, "write \"*\" in front" },
    { "blank inside", "a.test b.test\t*", DIAG_ERROR, "blank" },
    { "line break inside", "a.test\\nb.test\t*", DIAG_ERROR, "blank" },
    { "two hosts", "a.test,b.test\t*", DIAG_ERROR, "no host name has" },
    { "what is said twice", "a.test,b.test\t*", DIAG_ERROR, "\"a.test,b.test\" holds a char" },
    { "what is said twice of a wildcard", "*..test\t*", DIAG_ERROR, "\"*..test\" has an empty" },
    { "userinfo", "u@a.test\t*", DIAG_ERROR, "user" },
    { "percent", "a%2etest\t*", DIAG_ERROR, "percent" },
    { "query", "a.test?x\t*", DIAG_ERROR, "no host name has" },
    { "NUL", "a\\u0001b\t*", DIAG_ERROR, "control" },
    { "two dots", "a..test\t*", DIAG_ERROR, "empty label" },
    { "two dots under a wildcard", "*..test\t*", DIAG_ERROR, "empty label" },
    { "octal address", "010.0.0.1\t*", DIAG_ERROR, "IPv4" },
    { "decimal address", "2130706433\t*", DIAG_ERROR, "IPv4" },
    { "wildcard over addresses", "10.0.*\t*", DIAG_ERROR, "each address in full" },
    { "letter that looks like ASCII", "te\xc5\xbft.test\t*", DIAG_ERROR, "international" },
    { "Unicode beside a star", "*\xc3\xbc.test\t*", DIAG_ERROR, "no host name has" },
    { "port that is none", "a.test:x\t*", DIAG_ERROR, "port" },
    { "empty port", "a.test:\t*", DIAG_ERROR, "port" },
    { "bare IPv6", "2606::1:\t*", DIAG_ERROR, "port" },
    { "unknown template", "{{vendor}}.test\t*", DIAG_ERROR, "has no value here" },
    { "process.env", "{{process.env.X}}\t*", DIAG_ERROR, "has no value here" },
    { "broken template", "{{account}.test\t*", DIAG_ERROR, "broken template" },
    { "shell template", "${account}.test\t*", DIAG_ERROR, "broken template" },
    { "unknown template in the path", "a.test\t/{{store}}/*", DIAG_ERROR, "path holds \"" },
    { "an id in two braces", "a.test\t/orders/{{id}}", DIAG_ERROR, "varies write \"*\"" },
    { "an id in one brace", "a.test\t/orders/{id}", DIAG_ERROR, "varies write \"*\"" },
    { "broken template in the path", "a.test\t/{{account/*", DIAG_ERROR, "broken template" },
    { "unknown template in the host's path", "a.test/{{store}}\t*", DIAG_ERROR,
      "has no value here" },
    { "a host in the path", "*\t*.a.test/x", DIAG_ERROR,
      "write host \"*.a.test\" and path \"/x\"" },
    { "a host in the path, no path", "*\t*.a.test", DIAG_ERROR, "begins with a host" },
    { "a plain host in the path", "*\ta.test/x", DIAG_ERROR, "begins with a host" },
    { "a URL in the path", "a.test\thttps://a.test/x", DIAG_ERROR, "whole URL" },
    { "fragment in the path", "a.test\t/x#y", DIAG_ERROR, "fragment" },
    { "control in the path", "a.test\t/x\\u0001", DIAG_ERROR, "control" },
    { "query in the host's path", "a.test/x?y\t/z", DIAG_ERROR, "query" },
    { "blanks around the host", " a.test\t*", DIAG_WARNING, "blanks around" },
    { "blanks around the path", "a.test\t* ", DIAG_WARNING, "blanks around" },
    { "host with a path", "a.test/x\t/y", DIAG_WARNING,
      "holds a path; it is taken as host \"a.test\" and path \"/x/y\"; better write them apart" },
    { "host with a path that is said twice", "a.test/v1/\t/v1/*", DIAG_WARNING,
      "path \"/v1/v1/*\"" },
    { "host with a path and a template", "{{account}}.test/{{account}}\t*", DIAG_WARNING,
      "as host \"acme.test\" and path \"/acme/*\"" },
    { "port", "a.test:8080\t*", DIAG_WARNING, "names a port" },
    { "any host", "*\t/x", DIAG_WARNING, "every host in the world" },
    { "any host with more stars", "**\t/x", DIAG_WARNING, "every host in the world" },
    { "no path", "a.test", DIAG_WARNING, "there is no path" },
    { "empty path", "a.test\t", DIAG_WARNING, "no leading '/'" },
    { "no slash", "a.test\tx/*", DIAG_WARNING, "no leading '/'" },
    { "query in the path", "a.test\t/x?y", DIAG_WARNING, "query" },
    { "escape in the path", "a.test\t/a%20b", DIAG_WARNING, "plain form" },
    { "blank in the path", "a.test\t/a b", DIAG_WARNING, "plain form" },
    { "letter beyond ASCII in the path",
      "a.test\t/cal\xc3\xa7\xc3\xb5"
      "es/*",
      DIAG_WARNING, "write \"*\" in its place" },
    { "blank beyond ASCII", "a.test\t/x\xc2\xa0", DIAG_WARNING, "beyond ASCII" },
    { "a router's parameter", "a.test\t/orders/:id/items", DIAG_WARNING,
      "only \"*\" is a wildcard" },
    { "a parameter of the documentation", "a.test\t/orders/<id>", DIAG_WARNING, "as it stands" },
    { "a regular expression", "a.test\t/^v1/x", DIAG_WARNING, "as it stands" },
    { "a regular expression's star", "a.test\t/x/.*", DIAG_WARNING, "as it stands" },
    { "dot segments in the path", "a.test\t/a/../b", DIAG_WARNING, "plain form" },
};

static void findings_name_the_fix(void **state)
{
    struct settings settings = settings_of(true);

    (void)state;
    for (size_t i = 0; i < sizeof findings / sizeof *findings; i++) {
        struct diags diags = { 0 };
        struct policy *policy = compile(findings[i].row, &settings, &diags);
        bool error = findings[i].level == DIAG_ERROR, told = false;

        for (size_t j = 0; j < diags.n; j++)
            told = told || (diags.items[j].level == findings[i].level &&
                            strstr(diags.items[j].what, findings[i].says) &&
                            strncmp(diags.items[j].where, "manifest.json:1:", 16) == 0);
        if (!told || diags.fatal > 0)
            fail_msg("%s: said %s", findings[i].name, diags.n ? diags.items[0].what : "nothing");
        if (policy_n_rules(policy) != (error ? 0 : 1) || (diags.errors > 0) != error)
            fail_msg("%s: %zu rules", findings[i].name, policy_n_rules(policy));
        policy_unref(policy);
        diags_fini(&diags);
    }
}

static void good_policies_are_not_talked_about(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile("a.test\t*|*.b.test\t/*|{{account}}.c.test\t/x/*.xml|d.test\t*/"
                                    "x|e.test\t/v1/x:batch|e.test\t/$metadata",
                                    &settings, &diags);

    (void)state;
    assert_int_equal(policy_n_rules(policy), 6);
    assert_int_equal(diags.n, 0);
    policy_unref(policy);
    diags_fini(&diags);
}

static void unknown_keys_open_nothing(void **state)
{
    static const char json[] = "{\"policies\":[{\"name\":\"POWER_USER_DS\"},{\"name\":\"a:b\"},"
                               "{\"name\":\"OMSViewer\"},{\"name\":\"Outbound-Access\",\"attrs\":"
                               "{\"host\":\"a.test\",\"path\":\"*\"}}]}";
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile_json(json, &settings, &diags);

    (void)state;
    assert_int_equal(policy_n_rules(policy), 0);
    assert_int_equal(diags.n, 4);
    assert_int_equal(diags.warnings, 4);
    for (size_t i = 0; i < diags.n; i++)
        assert_non_null(strstr(diags.items[i].what, "opens nothing here"));
    policy_unref(policy);
    diags_fini(&diags);

    settings.policy_kinds = POLICY_OUTBOUND_ACCESS;
    diags = (struct diags){ 0 };
    policy = compile_json(json, &settings, &diags);
    assert_int_equal(diags.n, 1); /* the misspelt one names a host, and is never passed over */
    assert_non_null(
        strstr(diags.items[0].what, "\"Outbound-Access\" opens nothing here, although"));
    policy_unref(policy);
    diags_fini(&diags);
}

static void without_outbound_access_nothing_is_open(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy;

    (void)state;
    settings.policy_kinds = POLICY_LICENSE;
    policy = compile("*\t*", &settings, &diags);
    assert_int_equal(policy_n_rules(policy), 0);
    policy_unref(policy);
    diags_fini(&diags);
}

static void a_value_is_never_a_pattern(void **state)
{
    static const char *const accounts[] = { "*", "a*", "a/b", "a b", "", "{{account}}", "a:1" };

    (void)state;
    for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++) {
        struct settings settings = settings_of(true);
        struct diags diags = { 0 };
        struct policy *policy;

        settings.account = text_dup(text_of(accounts[i]));
        policy = compile("{{account}}.test\t*|a.test\t/{{account}}/*", &settings, &diags);
        assert_int_equal(policy_n_rules(policy), 0);
        assert_int_equal(diags.errors, 2);
        policy_unref(policy);
        diags_fini(&diags);
        free(settings.account);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_name_the_fix),
        cmocka_unit_test(good_policies_are_not_talked_about),
        cmocka_unit_test(unknown_keys_open_nothing),
        cmocka_unit_test(without_outbound_access_nothing_is_open),
        cmocka_unit_test(a_value_is_never_a_pattern),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
