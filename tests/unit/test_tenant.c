/* What is kept of a query, so that the request can be judged again without it. */
#include "tests/unit/stories.h"

#include <stdio.h>

#include "policy/tenant.h"

static struct row {
    const char *name, *query, *want;
} rows[] = {
    { "ours", "an=acme", "acme" },
    { "behind others", "a=b&an=acme&c", "acme" },
    { "escaped", "%61n=%61cme", "acme" },
    { "ASP.NET's escapes", "a%u006e=%u0061cme", "acme" },
    { "capitals", "AN=AcMe", "acme" },
    { "twice the same", "an=acme&an=ACME", "acme" },
    { "behind a semicolon", "x;an=acme", "acme" },
    { "63 letters", "an=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
    { "64 letters", "an=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "?" },
    { "two", "an=acme&an=other", "?" },
    { "three, the first again", "an=acme&an=other&an=acme", "?" },
    { "a semicolon in it", "an=acme;x", "?" },
    { "a blank in it", "an=acme+", "?" },
    { "a line end in it", "an=acme%0astatus", "?" },
    { "a quote in it", "an=%22", "?" },
    { "an 8-bit byte", "an=\xc3\xa9", "?" },
    { "a NUL", "an=acme%00", "?" },
    { "malformed", "an=%zz", "?" },
    { "a token where a name belongs", "an=eyJhbGciOi.eyJzdWIi.c2ln", "?" },
    { "a question mark", "an=?", "?" },
    { "empty", "an=", "" },
    { "empty, then a name", "an=&an=acme", "acme" },
    { "without a value", "an", "" },
    { "another key", "plan=acme&an2=acme&x[an]=acme", "" },
    { "a secret elsewhere", "authToken=secret", "" },
    { "no pair at all", "&&;", "" },
    { "nothing", "", "" },
};

static void named(void **state)
{
    const struct row *row = *state;
    char got[TENANT_NAME_MAX];

    tenant_name_in_query(TEXT("api.vtex.com"), text_of(row->query), got);
    assert_string_equal(got, row->want);
    tenant_name_in_query(TEXT("api.partner.example"), text_of(row->query), got);
    assert_string_equal(got, ""); /* there an= may mean anything */
}

/* Whoever we are, what is kept is judged as the query was. */
static void judged_alike(void **state)
{
    static const char *const accounts[] = { "acme", "other", "x", "ACME", "a-b_1" };
    const struct row *row = *state;
    char kept[TENANT_NAME_MAX], again[TENANT_NAME_MAX + 8];
    struct text host = TEXT("acme.vtexcommercestable.com.br");

    tenant_name_in_query(host, text_of(row->query), kept);
    snprintf(again, sizeof(again), "an=%s", strcmp(kept, "?") == 0 ? "%3F" : kept);
    for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
        struct tenant ours = { text_of(accounts[i]), TEXT("master") };

        assert_int_equal(tenant_in_query(host, text_of(again), &ours),
                         tenant_in_query(host, text_of(row->query), &ours));
    }
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, rows, named);
    STORIES_ADD(&stories, rows, judged_alike);
    return stories_run("tenant", &stories);
}
