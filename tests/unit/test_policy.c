/* The verdict: contract section 4, outbound-access. */
#include "tests/unit/policy_fixture.h"

struct story {
    const char *name, *rows, *target;
    enum verdict_reason want;
};

#define SITE "api.test\t/v1/*"

static const struct story stories[] = {
    { "exact path", "api.test\t/v1", "https://api.test/v1", REASON_RULE },
    { "exact path with a query", "api.test\t/v1", "https://api.test/v1?x=/../", REASON_RULE },
    { "wildcard path", SITE, "https://api.test/v1/a/b", REASON_RULE },
    { "wildcard covers the empty rest", SITE, "https://api.test/v1/", REASON_RULE },
    { "host is case-blind", "API.Test\t*", "https://aPI.tEST/", REASON_RULE },
    { "trailing dot in the request", SITE, "https://api.test./v1/a", REASON_RULE },
    { "trailing dot in the policy", "api.test.\t*", "https://api.test/", REASON_RULE },
    { "missing path", "api.test", "https://api.test/any", REASON_RULE },
    { "path without a slash", "api.test\tv1/*", "https://api.test/v1/a", REASON_RULE },
    { "path that begins with a star", "api.test\t*/items", "https://api.test/a/items",
      REASON_RULE },
    { "host with a path", "api.test/maps\t/v1/*", "https://api.test/maps/v1/a", REASON_RULE },
    { "host with a slash", "api.test/\t*", "https://api.test/x", REASON_RULE },
    { "host with a path, and a star", "api.test/maps\t*", "https://api.test/maps/x", REASON_RULE },
    { "query in the policy is dropped", "api.test\t/x.asmx?WSDL", "https://api.test/x.asmx",
      REASON_RULE },
    { "blanks around", " api.test \t /v1 ", "https://api.test/v1", REASON_RULE },
    { "account in the host", "{{account}}.test\t*", "https://acme.test/", REASON_RULE },
    { "workspace and account", "{{workspace}}--{{account}}.test\t*", "https://dev1--acme.test/",
      REASON_RULE },
    { "account in the path", "api.test\t/{{account}}/*", "https://api.test/acme/x", REASON_RULE },
    { "appId in the path", "api.test\t/{{appId}}/*", "https://api.test/v.a@1.0.0/x", REASON_RULE },
    { "wildcard host", "*.test\t*", "https://a.b.test/", REASON_RULE },
    { "wildcard in the middle", "a-*.b.test\t*", "https://a-1.b.test/", REASON_RULE },
    { "wildcard at the end", "api.*\t*", "https://api.test.example/", REASON_RULE },
    { "two wildcards", "a*.b*.test\t/x", "https://a1.b2.test/x", REASON_RULE },
    { "any host", "*\t*", "https://any.test/", REASON_RULE },
    { "any host, an address", "*\t*", "https://93.184.216.34/", REASON_RULE },
    { "an address by name", "93.184.216.34\t*", "https://93.184.216.34/", REASON_RULE },
    { "an IPv6 address by name", "[2606:2800:0::1]\t*", "https://[2606:2800::1]/", REASON_RULE },
    { "Unicode host",
      "b\xc3\xbc"
      "cher.test\t*",
      "https://xn--bcher-kva.test/", REASON_RULE },
    { "Unicode under a wildcard",
      "*.b\xc3\xbc"
      "cher.test\t*",
      "https://a.xn--bcher-kva.test/", REASON_RULE },
    { "underscore host", "_a.test\t*", "https://_a.test/", REASON_RULE },
    { "the second of two rules", "api.test\t/a|api.test\t/b/*", "https://api.test/b/c",
      REASON_RULE },
    { "the wildcard host when the literal one has not the path", "api.test\t/a|*.test\t/b",
      "https://api.test/b", REASON_RULE },
    { "any port", SITE, "https://api.test:8443/v1/a", REASON_RULE },
    { "port 80 in the policy is the default", "api.test:80\t*", "http://api.test/", REASON_RULE },
    { "port in the policy", "api.test:8443\t*", "https://api.test:8443/", REASON_RULE },
    { "dots that stay inside", SITE, "https://api.test/v1/a/../b", REASON_RULE },
    { "an escape under the prefix", SITE, "https://api.test/v1/a%20b%2Fc", REASON_RULE },
    { "8-bit path", SITE, "https://api.test/v1/\xe7", REASON_RULE },

    { "no policy at all", "", "https://api.test/v1/a", REASON_NO_RULE_HOST },
    { "another host", SITE, "https://b.test/v1/a", REASON_NO_RULE_HOST },
    { "a label in front", SITE, "https://x.api.test/v1/a", REASON_NO_RULE_HOST },
    { "a label behind", SITE, "https://api.test.evil/v1/a", REASON_NO_RULE_HOST },
    { "glued in front", SITE, "https://evilapi.test/v1/a", REASON_NO_RULE_HOST },
    { "a dot is no wildcard", SITE, "https://apixtest/v1/a", REASON_NO_RULE_HOST },
    { "the host in the path", SITE, "https://evil.test/api.test/v1/a", REASON_NO_RULE_HOST },
    { "the host in the query", SITE, "https://evil.test/?api.test/v1/a", REASON_NO_RULE_HOST },
    { "a homograph", SITE, "https://\xd0\xb0pi.test/v1/a", REASON_NO_RULE_HOST },
    { "the template as sent", "xaccountx.test\t*", "https://account.test/", REASON_NO_RULE_HOST },
    { "wildcard: bare domain", "*.api.test\t*", "https://api.test/", REASON_NO_RULE_HOST },
    { "wildcard: glued", "*.api.test\t*", "https://evilapi.test/", REASON_NO_RULE_HOST },
    { "wildcard: suffix in the middle", "*.api.test\t*", "https://a.api.test.evil/",
      REASON_NO_RULE_HOST },
    { "wildcard: never an address", "*.34\t*|*4\t*|9*\t*", "https://93.184.216.34/",
      REASON_NO_RULE_HOST },
    { "any host is no IPv6 address", "*\t*", "https://[2606:2800::1]/", REASON_NO_RULE_HOST },
    { "another port than the policy's", "api.test:8443\t*", "https://api.test/",
      REASON_NO_RULE_PATH },
    { "another port than the default one", "api.test:80\t*", "https://api.test:8080/",
      REASON_NO_RULE_PATH },
    { "another account", "{{account}}.test\t*", "https://acme2.test/", REASON_NO_RULE_HOST },
    { "another account in the path", "api.test\t/{{account}}/*", "https://api.test/acme2/x",
      REASON_NO_RULE_PATH },

    { "path: case", SITE, "https://api.test/V1/a", REASON_NO_RULE_PATH },
    { "path: no boundary", SITE, "https://api.test/v1a", REASON_NO_RULE_PATH },
    { "path: the prefix itself", SITE, "https://api.test/v1", REASON_NO_RULE_PATH },
    { "path: a child of an exact one", "api.test\t/v1", "https://api.test/v1/a",
      REASON_NO_RULE_PATH },
    { "path: a slash behind an exact one", "api.test\t/v1", "https://api.test/v1/",
      REASON_NO_RULE_PATH },
    { "path: not anchored", SITE, "https://api.test/x/v1/a", REASON_NO_RULE_PATH },
    { "path: only in the query", SITE, "https://api.test/x?/v1/a", REASON_NO_RULE_PATH },
    { "path: the query ends the glob", "api.test\t/*.xml", "https://api.test/a?b.xml",
      REASON_NO_RULE_PATH },
    { "path: a child of /", "api.test\t/", "https://api.test/a", REASON_NO_RULE_PATH },
    { "path: empty means /", "api.test\t", "https://api.test/a", REASON_NO_RULE_PATH },
    { "path: double slash in front", SITE, "https://api.test//v1/a", REASON_NO_RULE_PATH },
    { "path: encoded prefix", SITE, "https://api.test/%761/a", REASON_NO_RULE_PATH },
    { "path: encoded slash in the prefix", SITE, "https://api.test/v1%2fa", REASON_NO_RULE_PATH },
    { "path: the host's path has a boundary", "api.test/maps\t*", "https://api.test/mapsx",
      REASON_NO_RULE_PATH },
    { "path: another host's rule", "a.test\t/a|b.test\t/b", "https://a.test/b",
      REASON_NO_RULE_PATH },

    { "reading: dot-dot", SITE, "https://api.test/v1/../x", REASON_READING },
    { "reading: encoded dot-dot", SITE, "https://api.test/v1/%2e%2e/x", REASON_READING },
    { "reading: encoded slash", SITE, "https://api.test/v1/..%2fx", REASON_READING },
    { "reading: backslash", SITE, "https://api.test/v1/..\\x", REASON_READING },
    { "reading: encoded backslash", SITE, "https://api.test/v1/..%5cx", REASON_READING },
    { "reading: double encoding", SITE, "https://api.test/v1/%252e%252e%252fx", REASON_READING },
    { "reading: parameters", SITE, "https://api.test/v1/..;/x", REASON_READING },
    { "reading: an encoded slash that stays", "api.test\t/p/*",
      "https://api.test/p/a%2fb/%2e%2e/%2e%2e/x", REASON_READING },
    { "reading: encoded question mark", "api.test\t/*.xml", "https://api.test/secret%3f.xml",
      REASON_READING },
    { "reading: one rule a reading is enough", "api.test\t/a%20b|api.test\t/a b",
      "https://api.test/a%20b", REASON_RULE },
    { "reading: one of two is not", "api.test\t/a%20b", "https://api.test/a%20b", REASON_READING },

    { "NUL", "*\t*", "https://api.test/%00", REASON_BAD_ESCAPE },
    { "encoded NUL", "*\t*", "https://api.test/%2500", REASON_BAD_ESCAPE },
    { "bad escape", "*\t*", "https://api.test/%zz", REASON_BAD_ESCAPE },
    { "half an escape", "*\t*", "https://api.test/%2", REASON_BAD_ESCAPE },
    { "a bad escape on an unknown host is refused too", "", "https://api.test/%2",
      REASON_BAD_ESCAPE },
    { "too many readings", "*\t*",
      "https://api.test/a/;/..\\.%2f;b//..%5c%252e%252e%253b/..%3f/x%2f%2f..%253bc/%5c/../"
      "y;%252f%255c..",
      REASON_TOO_MANY_READINGS },

    { "loopback under any host", "*\t*", "http://127.0.0.1:9229/json", REASON_ADDRESS_CLASS },
    { "loopback by name", "127.0.0.1\t*", "http://127.0.0.1/", REASON_ADDRESS_CLASS },
    { "metadata", "*\t*", "http://169.254.169.254/latest/", REASON_ADDRESS_CLASS },
    { "private", "10.0.0.1\t*", "http://10.0.0.1/", REASON_ADDRESS_CLASS },
    { "IPv6 loopback", "[::1]\t*", "http://[::1]/", REASON_ADDRESS_CLASS },
    { "mapped", "*\t*", "http://[::ffff:93.184.216.34]/", REASON_ADDRESS_CLASS },
    { "localhost", "*\t*", "http://localhost/", REASON_ADDRESS_CLASS },
    { "localhost with a dot", "*\t*", "http://localhost./", REASON_ADDRESS_CLASS },
    { "under localhost", "*\t*", "http://a.localhost/", REASON_ADDRESS_CLASS },
    { "not under localhost", "*\t*", "http://alocalhost/", REASON_RULE },

    { "an= of ours", "*\t*", "http://portal.vtexcommercestable.com.br/?an=acme", REASON_RULE },
    { "an= of ours, escaped", "*\t*", "http://api.vtex.com/?a%6e=%61cme&x", REASON_RULE },
    { "an= of ours, twice", "*\t*", "http://api.vtex.com/?an=acme&an=ACME", REASON_RULE },
    { "an= empty", "*\t*", "http://api.vtex.com/?an=&an", REASON_RULE },
    { "an= of a third party", "*\t*", "http://api.test/?an=other", REASON_RULE },
    { "an= in another key", "*\t*", "http://api.vtex.com/?plan=other&an2=other&x[an]=other",
      REASON_RULE },
    { "an= of others", "*\t*", "http://portal.vtexcommercestable.com.br/?an=other",
      REASON_OTHER_ACCOUNT },
    { "an= behind an escaped ?", "*\t*", "http://api.vtex.com/x%3Fan=other", REASON_OTHER_ACCOUNT },
    { "an= behind an escaped ?, escaped twice behind ours", "*\t*",
      "http://api.vtex.com/x%3Fan=acme&b=%2526an=other", REASON_OTHER_ACCOUNT },
    { "an= behind an escaped ?, of ours", "*\t*", "http://api.vtex.com/x%3Fan=acme", REASON_RULE },
    { "an= in ASP.NET's escapes", "*\t*", "http://api.vtex.com/?%u0061n=%u006fther",
      REASON_OTHER_ACCOUNT },
    { "an= behind ours", "*\t*", "http://api.vtex.com/?an=acme&an=other", REASON_OTHER_ACCOUNT },
    { "an= before ours", "*\t*", "http://api.vtex.com/?an=other&an=acme", REASON_OTHER_ACCOUNT },
    { "an= in capitals", "*\t*", "http://api.vtex.com/?AN=other", REASON_OTHER_ACCOUNT },
    { "an= escaped", "*\t*", "http://api.vtex.com/?%61%6E=other", REASON_OTHER_ACCOUNT },
    { "an= behind a semicolon", "*\t*", "http://api.vtex.com/?x=1;an=other", REASON_OTHER_ACCOUNT },
    { "an= with a semicolon in it", "*\t*", "http://api.vtex.com/?an=acme;x",
      REASON_OTHER_ACCOUNT },
    { "an= with a blank", "*\t*", "http://api.vtex.com/?an=acme+", REASON_OTHER_ACCOUNT },
    { "an= longer", "*\t*", "http://api.vtex.com/?an=acme2", REASON_OTHER_ACCOUNT },
    { "an= shorter", "*\t*", "http://api.vtex.com/?an=acm", REASON_OTHER_ACCOUNT },
    { "an= malformed", "*\t*", "http://api.vtex.com/?an=%zz", REASON_OTHER_ACCOUNT },
    { "an= on myvtex", "*\t*", "http://dev1--acme.myvtex.com/?an=other", REASON_OTHER_ACCOUNT },
    { "an= on the license manager", "*\t*", "http://licensemanager.vtex.com.br/?an=other",
      REASON_OTHER_ACCOUNT },

    { "IO: ours", "*\t*", "http://app.io.vtex.com/v.b/v1/acme/dev1/x", REASON_RULE },
    { "IO: root", "*\t*", "http://infra.io.vtex.com/apps/v0", REASON_RULE },
    { "IO: no version", "*\t*", "http://app.io.vtex.com/a/b/c/d", REASON_RULE },
    { "IO: account only", "*\t*", "http://app.io.vtex.com/v.b/v1/acme", REASON_RULE },
    { "IO: GraphQL without a workspace", "*\t*", "http://app.io.vtex.com/v.b/v1/acme/_v/graphql",
      REASON_RULE },
    { "IO: a workspace that only begins so", "*\t*",
      "http://app.io.vtex.com/v.b/v1/acme/_vx/graphql", REASON_OTHER_WORKSPACE },
    { "IO: another account without a workspace", "*\t*",
      "http://app.io.vtex.com/v.b/v1/other/_v/graphql", REASON_OTHER_ACCOUNT },
    { "IO: other account", "*\t*", "http://app.io.vtex.com/v.b/v1/other/dev1/x",
      REASON_OTHER_ACCOUNT },
    { "IO: other account, short", "*\t*", "http://app.io.vtex.com/v.b/v1/other",
      REASON_OTHER_ACCOUNT },
    { "IO: other workspace", "*\t*", "http://infra.io.vtex.com/vbase/v2/acme/master/x",
      REASON_OTHER_WORKSPACE },
    { "IO: by dot-dot", "*\t*", "http://app.io.vtex.com/v.b/v1/acme/../other/dev1",
      REASON_OTHER_WORKSPACE },
    { "IO: by an escape", "*\t*", "http://app.io.vtex.com/v.b/v1/acme/%2e%2e/other/dev1",
      REASON_OTHER_WORKSPACE },
    { "IO: by a double slash", "*\t*", "http://app.io.vtex.com/v.b//v1/other/dev1",
      REASON_OTHER_ACCOUNT },
    { "router: ours", "*\t*", "http://platform.io.vtex.com//acme/dev1/x", REASON_RULE },
    { "router: versions", "*\t*", "http://platform.io.vtex.com/_services/x", REASON_RULE },
    { "router: a path of the account's", "*\t*", "http://platform.io.vtex.com/acme/v1/x",
      REASON_RULE },
    { "router: other account", "*\t*", "http://platform.io.vtex.com//other/dev1/x",
      REASON_OTHER_ACCOUNT },
    { "router: other account, one slash", "*\t*", "http://platform.io.vtex.com/other/dev1/io",
      REASON_OTHER_ACCOUNT },
    { "router: other workspace", "*\t*", "http://platform.io.vtex.com//acme/master/x",
      REASON_OTHER_WORKSPACE },
    { "router: other workspace, one slash", "*\t*",
      "http://platform.io.vtex.com/acme/master/services", REASON_OTHER_WORKSPACE },
};

#define JANUS  "{{account}}.vtexcommercestable.com.br\t/api/*"
#define PORTAL "portal.vtexcommercestable.com.br\t/api/*"

static const struct story alias_stories[] = {
    { "portal. for the account", JANUS, "http://portal.vtexcommercestable.com.br/api/x?an=acme",
      REASON_RULE },
    { "api. for the account", JANUS, "http://api.vtexcommercestable.com.br/api/x?q&an=ACME",
      REASON_RULE },
    { "the account for portal.", PORTAL, "http://acme.vtexcommercestable.com.br/api/x",
      REASON_RULE },
    { "the account for api.", "api.vtexcommercebeta.com.br\t*",
      "http://acme.vtexcommercebeta.com.br/x", REASON_RULE },
    { "without an=", JANUS, "http://portal.vtexcommercestable.com.br/api/x", REASON_NO_RULE_HOST },
    { "with an= empty", JANUS,
      "http://portal.vtexcommercestable.com.br/api/x?an=", REASON_NO_RULE_HOST },
    { "with another an=", JANUS, "http://portal.vtexcommercestable.com.br/api/x?an=other",
      REASON_OTHER_ACCOUNT },
    { "of the other environment", JANUS, "http://portal.vtexcommercebeta.com.br/api/x?an=acme",
      REASON_NO_RULE_HOST },
    { "another account's host", PORTAL, "http://other.vtexcommercestable.com.br/api/x",
      REASON_NO_RULE_HOST },
    { "the path counts all the same", JANUS, "http://portal.vtexcommercestable.com.br/x?an=acme",
      REASON_NO_RULE_PATH },
    { "every reading too", JANUS, "http://portal.vtexcommercestable.com.br/api/../x?an=acme",
      REASON_READING },
    { "api. is not portal.", PORTAL, "http://api.vtexcommercestable.com.br/api/x?an=acme",
      REASON_NO_RULE_HOST },
    { "a third name", JANUS, "http://logistics.vtexcommercestable.com.br/api/x?an=acme",
      REASON_NO_RULE_HOST },
    { "a label in front", JANUS, "http://x.portal.vtexcommercestable.com.br/api/x?an=acme",
      REASON_NO_RULE_HOST },
    { "a stranger with an=", JANUS, "http://portal.test/api/x?an=acme", REASON_NO_RULE_HOST },
};

static const struct story no_alias_stories[] = {
    { "alias off: portal.", JANUS, "http://portal.vtexcommercestable.com.br/api/x?an=acme",
      REASON_NO_RULE_HOST },
    { "alias off: the account", PORTAL, "http://acme.vtexcommercestable.com.br/api/x",
      REASON_NO_RULE_HOST },
    { "alias off: another account", PORTAL,
      "http://portal.vtexcommercestable.com.br/api/x?an=other", REASON_OTHER_ACCOUNT },
};

static enum verdict_kind kind_of(enum verdict_reason reason)
{
    switch (reason) {
    case REASON_RULE:
        return VERDICT_ALLOW;
    case REASON_BAD_ESCAPE:
    case REASON_TOO_LONG:
    case REASON_TOO_MANY_READINGS:
        return VERDICT_REFUSE;
    default:
        return VERDICT_DENY;
    }
}

static void tell(const struct story *story, bool alias)
{
    struct settings settings = settings_of(alias);
    struct diags diags = { 0 };
    struct policy *policy = compile(story->rows, &settings, &diags);
    struct destination where;
    struct verdict verdict = judge(policy, story->target, &where);
    char sentence[1024];
    size_t len = verdict_sentence(policy, &verdict, &where, sentence, sizeof sentence);

    if (verdict.reason != story->want || verdict.kind != kind_of(story->want))
        fail_msg("%s: reason %d, wanted %d: %s", story->name, (int)verdict.reason, (int)story->want,
                 sentence);
    if (len == 0 || len != strlen(sentence) || strchr(sentence, '\n') || strchr(sentence, '\t'))
        fail_msg("%s: says %s", story->name, sentence);
    if ((verdict.kind == VERDICT_ALLOW) != (verdict.rule.line > 0))
        fail_msg("%s: the rule's place", story->name);
    policy_unref(policy);
    diags_fini(&diags);
}

static void stories_come_true(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        tell(&stories[i], false);
        tell(&stories[i], true);
    }
    for (size_t i = 0; i < sizeof alias_stories / sizeof *alias_stories; i++)
        tell(&alias_stories[i], true);
    for (size_t i = 0; i < sizeof no_alias_stories / sizeof *no_alias_stories; i++)
        tell(&no_alias_stories[i], false);
}

static void allowed_addresses_are_open(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy;
    struct destination where;
    struct cidr allow;
    const char *why;

    (void)state;
    assert_true(cidr_parse(TEXT("127.0.0.0/8"), &allow, &why));
    settings.allow_address = &allow;
    settings.n_allow_address = 1;
    policy = compile("*\t*", &settings, &diags);
    assert_int_equal(judge(policy, "http://127.0.0.1:9/", &where).kind, VERDICT_ALLOW);
    assert_int_equal(judge(policy, "http://a.localhost/", &where).kind, VERDICT_ALLOW);
    assert_int_equal(judge(policy, "http://10.0.0.1/", &where).reason, REASON_ADDRESS_CLASS);
    policy_unref(policy);
    diags_fini(&diags);
}

static void a_policy_outlives_what_it_was_made_of(void **state)
{
    char *file = text_dup(TEXT("some.json")), *json = manifest_of("a.test\t/x");
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct manifest *manifest = manifest_parse(file, text_of(json), &diags);
    struct policy *policy = policy_new(manifest, &settings, &diags);
    struct destination where;
    struct verdict verdict;
    char sentence[200];

    (void)state;
    manifest_free(manifest);
    free(file);
    free(json);
    diags_fini(&diags);
    policy_unref(policy_ref(policy));
    verdict = judge(policy, "https://a.test/x", &where);
    verdict_sentence(policy, &verdict, &where, sentence, sizeof sentence);
    assert_non_null(strstr(sentence, "some.json:1:"));
    assert_true(text_eq(verdict.rule_host, TEXT("a.test")));
    assert_true(text_eq(verdict.rule_path, TEXT("/x")));
    assert_true(text_eq(policy_app_id(policy), TEXT("v.a@1.0.0")));
    assert_true(text_eq(policy_account(policy), TEXT("acme")));
    assert_true(text_eq(policy_workspace(policy), TEXT("dev1")));
    policy_unref(policy);
    policy_unref(NULL);
}

/* Of several rules that open a request one is named: a literal before wildcards, then the first. */
static const struct {
    const char *name, *rows, *target, *path, *host;
} deciding[] = {
    { "the first in the file", "a.test\t/a*|a.test\t/a/b*", "https://a.test/a/b/c", "/a*",
      "a.test" },
    { "the first, the other way", "a.test\t/a/b*|a.test\t/a*", "https://a.test/a/b/c", "/a/b*",
      "a.test" },
    { "the first of many", "a.test\t/x*|a.test\t*c|a.test\t/a/*|a.test\t/*/b/*|a.test\t*",
      "https://a.test/a/b/c", "*c", "a.test" },
    { "a literal path before wildcards", "a.test\t/a*|a.test\t/a/b", "https://a.test/a/b", "/a/b",
      "a.test" },
    { "a port that does not fit is passed over", "a.test:9\t/a*|a.test\t/a/b*",
      "https://a.test/a/b/c", "/a/b*", "a.test" },
    { "a literal host before wildcards", "*.test\t*|a.test\t*", "https://a.test/a", "*", "a.test" },
    { "a wildcard host where the literal host has no such path", "a.test\t/x|*.test\t/a",
      "https://a.test/a", "/a", "*.test" },
    { "a wider host where the narrower has no such path", "*.b.test\t/x|*.test\t/a",
      "https://a.b.test/a", "/a", "*.test" },
};

static void one_rule_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof deciding / sizeof *deciding; i++) {
        struct settings settings = settings_of(true);
        struct diags diags = { 0 };
        struct policy *policy = compile(deciding[i].rows, &settings, &diags);
        struct destination where;
        struct verdict verdict = judge(policy, deciding[i].target, &where);

        if (verdict.kind != VERDICT_ALLOW ||
            !text_eq(verdict.rule_path, text_of(deciding[i].path)) ||
            !text_eq(verdict.rule_host, text_of(deciding[i].host)))
            fail_msg("%s: by " TEXT_FMT " " TEXT_FMT, deciding[i].name, TEXT_ARG(verdict.rule_host),
                     TEXT_ARG(verdict.rule_path));
        policy_unref(policy);
        diags_fini(&diags);
    }
}

static void names_are_printable_and_without_the_query(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile("a.test\t/x", &settings, &diags);
    struct destination where;
    struct verdict verdict = judge(policy, "https://A.test:81/x/\xe7\\?authToken=secret", &where);
    char out[200], tiny[12];
    size_t len = policy_vrn(policy, &where, out, sizeof out);

    (void)state;
    assert_int_equal(len, strlen(out));
    assert_string_equal(out, "vrn:proxy:aws-us-east-1:acme:dev1:a.test/x/\\xe7\\x5c");
    verdict_sentence(policy, &verdict, &where, out, sizeof out);
    assert_null(strstr(out, "secret"));
    assert_non_null(strstr(out, "\\xe7"));
    len = policy_vrn(policy, &where, tiny, sizeof tiny);
    assert_int_equal(len, strlen(tiny));
    assert_string_equal(tiny, "vrn:proxy:a");
    assert_int_equal(verdict_sentence(policy, &verdict, &where, tiny, sizeof tiny),
                     sizeof tiny - 1);
    assert_int_equal(policy_vrn(policy, &where, tiny, 0), 0);
    policy_unref(policy);
    diags_fini(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_come_true),
        cmocka_unit_test(allowed_addresses_are_open),
        cmocka_unit_test(a_policy_outlives_what_it_was_made_of),
        cmocka_unit_test(one_rule_is_named),
        cmocka_unit_test(names_are_printable_and_without_the_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
