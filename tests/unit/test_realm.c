#include "tests/unit/stories.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/token/realm.h"

static struct settings *settings;
static struct realms *realms;

static struct host {
    const char *name; /* the host */
    enum realm want;
} hosts[] = {
    { "storeacct.vtexcommercestable.com.br", REALM_JANUS },
    { "storeacct.vtexcommercebeta.com.br", REALM_JANUS },
    { "portal.vtexcommercestable.com.br", REALM_JANUS },
    { "portal.vtexcommercebeta.com.br", REALM_JANUS },
    { "api.vtexcommercestable.com.br", REALM_JANUS },
    { "api.vtexcommercebeta.com.br", REALM_JANUS },
    { "logistics.vtexcommercestable.com.br", REALM_JANUS },
    { "logistics.vtexcommercebeta.com.br", REALM_JANUS },
    { "api.vtex.com", REALM_JANUS },
    { "storeacct.vtexpayments.com.br", REALM_JANUS },
    { "storeacct.myvtex.com", REALM_JANUS },
    { "dev1--storeacct.myvtex.com", REALM_JANUS },
    { "vtexid.vtex.com.br", REALM_JANUS },
    { "licensemanager.vtex.com.br", REALM_JANUS },
    { "app.io.vtex.com", REALM_IO },
    { "infra.io.vtex.com", REALM_IO },
    { "platform.io.vtex.com", REALM_IO },
    /* another account, another workspace */
    { "other.vtexcommercestable.com.br", REALM_FOREIGN },
    { "other.vtexcommercebeta.com.br", REALM_FOREIGN },
    { "other.vtexpayments.com.br", REALM_FOREIGN },
    { "other.myvtex.com", REALM_FOREIGN },
    { "dev1--other.myvtex.com", REALM_FOREIGN },
    { "dev2--storeacct.myvtex.com", REALM_FOREIGN },
    { "dev1.storeacct.myvtex.com", REALM_FOREIGN },
    /* names that begin or end like ours */
    { "storeacct.vtexcommercestable.com.br.evil.test", REALM_FOREIGN },
    { "xstoreacct.vtexcommercestable.com.br", REALM_FOREIGN },
    { "storeacctx.vtexcommercestable.com.br", REALM_FOREIGN },
    { "evil.storeacct.vtexcommercestable.com.br", REALM_FOREIGN },
    { "storeacct-vtexcommercestable.com.br", REALM_FOREIGN },
    { "storeacct.vtexcommercestable.com", REALM_FOREIGN },
    { "storeacctxvtexcommercestablexcomxbr", REALM_FOREIGN },
    { "vtexcommercestable.com.br", REALM_FOREIGN },
    { "x--dev1--storeacct.myvtex.com", REALM_FOREIGN },
    { "dev1--storeacct.myvtex.com.br", REALM_FOREIGN },
    { "myvtex.com", REALM_FOREIGN },
    { "api.vtex.com.br", REALM_FOREIGN },
    { "xapi.vtex.com", REALM_FOREIGN },
    { "vtex.com", REALM_FOREIGN },
    { "vtexid.vtex.com", REALM_FOREIGN },
    { "io.vtex.com", REALM_FOREIGN },
    { "xapp.io.vtex.com", REALM_FOREIGN },
    { "app.io.vtex.com.evil.test", REALM_FOREIGN },
    { "evil.app.io.vtex.com", REALM_FOREIGN },
    { "router.io.vtex.com", REALM_FOREIGN },
    { "app-io.vtex.com", REALM_FOREIGN },
    { "appxio.vtex.com", REALM_FOREIGN },
    { "secure.example.com", REALM_FOREIGN },
    { "localhost", REALM_FOREIGN },
};

static struct destination destination_to(const char *host)
{
    struct destination destination = { .scheme = SCHEME_HTTPS, .port = 443, .path = TEXT("/") };

    destination.host_len =
        (uint16_t)snprintf(destination.host, sizeof(destination.host), "%s", host);
    return destination;
}

static void test_host(void **state)
{
    const struct host *row = *state;
    struct destination destination = destination_to(row->name);

    assert_string_equal(realm_name(realm_of(realms, &destination)), realm_name(row->want));
}

/* The way there does not matter as long as it is TLS; in the clear nothing of ours goes. */
static void test_scheme_and_port(void **state)
{
    const struct host *row = *state;
    struct destination destination = destination_to(row->name);

    destination.port = 8443;
    assert_int_equal(realm_of(realms, &destination), row->want);
    destination.scheme = SCHEME_HTTP;
    destination.port = 80;
    assert_int_equal(realm_of(realms, &destination), REALM_FOREIGN);
}

/* As the destination parser writes what a person wrote. */
static struct written {
    const char *name; /* the host, as written */
    enum realm want;
} written[] = {
    { "StoreAcct.VTEXcommercestable.com.br", REALM_JANUS },
    { "storeacct.vtexcommercestable.com.br.", REALM_JANUS },
    { "APP.IO.VTEX.COM", REALM_IO },
    { "\xd0\xb0pp.io.vtex.com", REALM_FOREIGN }, /* a Cyrillic one is another name */
};

static void test_written(void **state)
{
    const struct written *row = *state;
    struct destination destination = destination_to("");
    const char *why = "";

    assert_true(host_canonical(text_of(row->name), &destination, &why));
    destination.scheme = SCHEME_HTTPS;
    assert_string_equal(realm_name(realm_of(realms, &destination)), realm_name(row->want));
}

static void test_address(void **state)
{
    struct destination destination = destination_to("127.0.0.1");

    (void)state;
    destination.host_is_address = true;
    assert_int_equal(realm_of(realms, &destination), REALM_FOREIGN);
}

/* ---- lists of the operator's own ---- */

static struct settings *load(const char *const *given)
{
    char *argv[8] = { NULL };
    struct diags diags = { 0 };
    struct settings *loaded;
    int argc = 0;

    for (; given[argc]; argc++)
        argv[argc] = text_dup(text_of(given[argc]));
    loaded = settings_load(argc, argv, NULL, &diags);
    assert_int_equal(diags.fatal, 0);
    diags_fini(&diags);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    return loaded;
}

static struct host own[] = {
    { "acme.sim.test", REALM_JANUS },     { "a.janus.test", REALM_JANUS },
    { "a.b.janus.test", REALM_JANUS },    { "io.sim.test", REALM_IO },
    { "other.sim.test", REALM_FOREIGN },  { "janus.test", REALM_FOREIGN },
    { ".janus.test", REALM_FOREIGN },     { "a.janus.test.evil.test", REALM_FOREIGN },
    { "app.io.vtex.com", REALM_FOREIGN }, { "api.vtex.com", REALM_FOREIGN },
    { "acme.myvtex.com", REALM_FOREIGN },
};

static void test_own(void **state)
{
    static const char *const given[] = { "x", "--account=acme",
                                         "--janus-hosts={{account}}.sim.test,*.janus.test",
                                         "--io-hosts=io.sim.test", NULL };
    const struct host *row = *state;
    struct destination destination = destination_to(row->name);
    struct settings *mine = load(given);
    struct realms *lists = realms_new(mine);
    enum realm got = realm_of(lists, &destination);

    realms_free(lists);
    settings_free(mine);
    realms_free(NULL);
    assert_string_equal(realm_name(got), realm_name(row->want));
}

int main(void)
{
    static const char *const given[] = { "x", "--account=storeacct", "--workspace=dev1", NULL };
    static struct stories stories;
    int failed;

    clearenv();
    settings = load(given);
    realms = realms_new(settings);
    STORIES_ADD(&stories, hosts, test_host);
    STORIES_ADD(&stories, hosts, test_scheme_and_port);
    STORIES_ADD(&stories, written, test_written);
    stories_add(&stories, "an address is foreign", test_address, NULL);
    STORIES_ADD(&stories, own, test_own);
    failed = stories_run("realm", &stories);
    realms_free(realms);
    settings_free(settings);
    return failed;
}
