/* License Manager keys: what each documented one opens, and all that it does not. */
#include "tests/unit/app_fixture.h"
#include "tests/unit/stories.h"

#include "policy/licence.h"

#define STABLE "https://acme.vtexcommercestable.com.br"
#define BETA   "https://acme.vtexcommercebeta.com.br"
#define PORTAL "https://portal.vtexcommercestable.com.br"
#define VBASE  "https://infra.io.vtex.com/vbase/v2/acme/dev1/buckets/"

static struct story {
    const char *name, *key, *method, *target;
    bool open;
} stories[] = {
    { "products", "ProdutoForm.aspx", "GET", STABLE "/api/catalog_system/pvt/products/1", true },
    { "products by the other key", "ManterFormularioProdutoSku", "PUT",
      STABLE "/api/catalog_system/pvt/products/1", true },
    { "brands", "Marca.aspx", "GET", STABLE "/api/catalog_system/pvt/brand/list", true },
    { "SKUs", "Sku.aspx", "GET", STABLE "/api/catalog_system/pvt/sku/stockkeepingunitbyid/1",
      true },
    { "SKUs through portal", "Sku.aspx", "GET", PORTAL "/api/catalog_system/pvt/sku/1?an=acme",
      true },
    { "orders", "AcessaTodosPedidos", "POST", STABLE "/api/oms/pvt/orders/1/cancel", true },
    { "list of orders", "ListOrders", "GET", STABLE "/api/oms/pvt/orders?page=1", true },
    { "list of orders on beta: no host is written", "ListOrders", "GET", BETA "/api/oms/pvt/orders",
      true },
    { "list of orders through api.", "ListOrders", "GET",
      "https://api.vtexcommercebeta.com.br/api/oms/pvt/orders?an=acme", true },
    { "configuration as documented", "SaveOrderFormConfiguration", "POST",
      STABLE "/api/checkout/pvt/configuration/orderform", true },
    { "configuration as clients write", "SaveOrderFormConfiguration", "POST",
      STABLE "/api/checkout/pvt/configuration/orderForm", true },
    { "one order form", "GetOrderForm", "GET", STABLE "/api/checkout/pub/orderform/8f3", true },
    { "one order form, clients' spelling", "GetOrderForm", "GET",
      PORTAL "/api/checkout/pub/orderForm/8f3?an=acme", true },
    { "account", "Get_Account_By_Identifier", "GET", STABLE "/api/license-manager/account", true },
    { "accounts", "Get_Account_By_Identifier", "GET",
      STABLE "/api/license-manager/pvt/accounts/acme", true },
    { "accounts by their old path", "Get_Account_By_Identifier", "GET",
      STABLE "/api/pvt/accounts/acme", true },
    { "accounts of the site", "Get_Account_By_Identifier", "GET",
      STABLE "/api/site/pvt/accounts/acme", true },
    { "accounts of the site, License Manager", "Get_Account_By_Identifier", "GET",
      PORTAL "/api/license-manager/site/pvt/accounts/acme?an=acme", true },
    { "an order is cancelled", "CancelaPedidos", "POST", STABLE "/api/oms/pvt/orders/1-01/cancel",
      true },
    { "an order is cancelled on beta: no host is written", "CancelaPedidos", "POST",
      BETA "/api/oms/pvt/orders/1/cancel", true },
    { "admin opens the account", "ADMIN_DS", "DELETE", STABLE "/any/thing", true },
    { "own bucket is read", "vbase-read-only", "GET", VBASE "v.a/b/files/f", true },
    { "own bucket is written", "vbase-read-write", "PUT", VBASE "v.a/b/files/f", true },

    { "SKUs do not open products", "Sku.aspx", "GET", STABLE "/api/catalog_system/pvt/products/1",
      false },
    { "nor what only begins so", "Sku.aspx", "GET", STABLE "/api/catalog_system/pvt/skuseller/1",
      false },
    { "nor the folder itself", "Sku.aspx", "GET", STABLE "/api/catalog_system/pvt/sku", false },
    { "the documented host is stable", "Sku.aspx", "GET", BETA "/api/catalog_system/pvt/sku/1",
      false },
    { "another host", "Sku.aspx", "GET", "https://evil.test/api/catalog_system/pvt/sku/1", false },
    { "another account", "Sku.aspx", "GET",
      "https://other.vtexcommercestable.com.br/api/catalog_system/pvt/sku/1", false },
    { "portal for nobody", "Sku.aspx", "GET", PORTAL "/api/catalog_system/pvt/sku/1", false },
    { "portal for another account", "Sku.aspx", "GET",
      PORTAL "/api/catalog_system/pvt/sku/1?an=other", false },
    { "myvtex is another host", "ADMIN_DS", "GET", "https://acme.myvtex.com/x", false },
    { "brands: only the list", "Marca.aspx", "GET", STABLE "/api/catalog_system/pvt/brand/list/1",
      false },
    { "dots out of the orders", "AcessaTodosPedidos", "GET",
      STABLE "/api/oms/pvt/orders/../../../x", false },
    { "orders do not open their list", "AcessaTodosPedidos", "GET", STABLE "/api/oms/pvt/orders",
      false },
    { "the list does not open an order", "ListOrders", "GET", STABLE "/api/oms/pvt/orders/1",
      false },
    { "a key that cancels does not read", "CancelaPedidos", "GET", STABLE "/api/oms/pvt/orders/1",
      false },
    { "nor cancels nothing", "CancelaPedidos", "POST", STABLE "/api/oms/pvt/orders//cancel",
      false },
    { "nor what is below an order", "CancelaPedidos", "POST",
      STABLE "/api/oms/pvt/orders/1/items/cancel", false },
    { "nor below cancel", "CancelaPedidos", "POST", STABLE "/api/oms/pvt/orders/1/cancel/2",
      false },
    { "accounts of another API", "Get_Account_By_Identifier", "GET", STABLE "/api/pvt/users/1",
      false },
    { "an order form has an id", "GetOrderForm", "GET", STABLE "/api/checkout/pub/orderform/",
      false },
    { "an order form, not what is below", "GetOrderForm", "GET",
      STABLE "/api/checkout/pub/orderForm/8f3/items", false },
    { "an order form, not below by an escape", "GetOrderForm", "GET",
      STABLE "/api/checkout/pub/orderForm/8f3%2Fitems", false },
    { "a third spelling", "GetOrderForm", "GET", STABLE "/api/checkout/pub/ORDERFORM/8f3", false },
    { "the key's case counts", "sku.aspx", "GET", STABLE "/api/catalog_system/pvt/sku/1", false },
    { "a key of the admin without documentation", "OMSViewer", "GET", STABLE "/api/oms/pvt/orders",
      false },
    { "a policy of the platform", "colossus-fire-event", "POST",
      "https://infra.io.vtex.com/colossus/v0/acme/dev1/events/x", false },
    { "read-only does not write", "vbase-read-only", "PUT", VBASE "v.a/b/files/f", false },
    { "read-only does not delete", "vbase-read-only", "DELETE", VBASE "v.a/b/files/f", false },
    { "read-only, method in lower case", "vbase-read-only", "get", VBASE "v.a/b/files/f", false },
    { "another app's bucket", "vbase-read-write", "GET", VBASE "v.b/b/files/f", false },
    { "an app that only begins so", "vbase-read-write", "GET", VBASE "v.ab/files/f", false },
    { "dots into another app's bucket", "vbase-read-write", "GET", VBASE "v.a/../v.b/f", false },
    { "another service", "vbase-read-write", "GET",
      "https://infra.io.vtex.com/apps/v0/acme/dev1/buckets/v.a/b", false },
    { "vbase of another account", "vbase-read-write", "GET",
      "https://infra.io.vtex.com/vbase/v2/other/dev1/buckets/v.a/b", false },
    { "vbase of another workspace", "vbase-read-write", "GET",
      "https://infra.io.vtex.com/vbase/v2/acme/master/buckets/v.a/b", false },
    { "vbase on the apps' host", "vbase-read-write", "GET",
      "https://app.io.vtex.com/vbase/v2/acme/dev1/buckets/v.a/b", false },
    { "a version that is none", "vbase-read-write", "GET",
      "https://infra.io.vtex.com/vbase/v2x/acme/dev1/buckets/v.a/b", false },
};

static struct policy *compile_key(const char *key, const struct settings *settings,
                                  struct diags *diags)
{
    char row[200];

    snprintf(row, sizeof row, "{\"name\":\"%s\"}", key);
    return compile_app(row, "", NULL, settings, diags);
}

static void story_is_judged(void **state)
{
    const struct story *story = *state;
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile_key(story->key, &settings, &diags);
    struct verdict verdict = judge_as(policy, story->method, story->target);

    assert_int_equal(verdict.kind == VERDICT_ALLOW, story->open);
    if (story->open) {
        assert_int_equal(verdict.rule_kind, POLICY_LICENSE);
        assert_true(text_eq(verdict.rule_name, text_of(story->key)));
        assert_int_equal(verdict.rule.line, 1);
    }
    policy_unref(policy);
    diags_fini(&diags);
}

static void every_key_is_shut_without_its_kind(void **state)
{
    struct settings settings = settings_of(true);

    (void)state;
    settings.policy_kinds = POLICY_OUTBOUND_ACCESS | POLICY_APP;
    for (size_t i = 0; i < licence_n_resources; i++) {
        struct diags diags = { 0 };
        struct policy *policy = compile_key(licence_resources[i].key, &settings, &diags);

        assert_int_equal(policy_n_rules(policy), 0);
        assert_int_equal(diags.n, 0);
        policy_unref(policy);
        diags_fini(&diags);
    }
}

static void every_documented_key_is_silent(void **state)
{
    struct settings settings = settings_of(true);

    (void)state;
    for (size_t i = 0; i < licence_n_resources; i++) {
        struct diags diags = { 0 };
        struct policy *policy = compile_key(licence_resources[i].key, &settings, &diags);

        assert_true(policy_n_rules(policy) > 0);
        assert_int_equal(diags.n, 0);
        policy_unref(policy);
        diags_fini(&diags);
    }
}

static void without_the_alias_only_the_own_host(void **state)
{
    struct settings settings = settings_of(false);
    struct diags diags = { 0 };
    struct policy *policy = compile_key("ListOrders", &settings, &diags);

    (void)state;
    assert_int_equal(judge_as(policy, "GET", STABLE "/api/oms/pvt/orders").kind, VERDICT_ALLOW);
    assert_int_equal(judge_as(policy, "GET", PORTAL "/api/oms/pvt/orders?an=acme").kind,
                     VERDICT_DENY);
    policy_unref(policy);
    diags_fini(&diags);
}

static void a_bucket_narrows(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy =
        compile_app("{\"name\":\"vbase-read-write\",\"attrs\":{\"bucket\":\"b\"}},"
                    "{\"name\":\"vbase-read-write\",\"attrs\":{\"bucket\":\"../*\"}}",
                    "", NULL, &settings, &diags);

    (void)state;
    assert_int_equal(judge_as(policy, "GET", VBASE "v.a/b/files/f").kind, VERDICT_ALLOW);
    assert_int_equal(judge_as(policy, "GET", VBASE "v.a/bc/files/f").kind, VERDICT_DENY);
    assert_int_equal(judge_as(policy, "GET", VBASE "v.a/c/files/f").kind, VERDICT_DENY);
    assert_int_equal(diags.errors, 1);
    policy_unref(policy);
    diags_fini(&diags);
}

static void platform_policies_are_one_finding(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy = compile_app(
        "{\"name\":\"colossus-fire-event\"},{\"name\":\"colossus-write-logs\"},"
        "{\"name\":\"read-workspace-apps\"},{\"name\":\"POWER_USER_DS\"},{\"name\":\"Nonsense\"}",
        "", NULL, &settings, &diags);

    (void)state;
    assert_int_equal(policy_n_rules(policy), 0);
    assert_int_equal(diags.warnings, 3);
    assert_int_equal(diags.n, 3);
    policy_unref(policy);
    diags_fini(&diags);
}

static void a_repeated_key_costs_nothing(void **state)
{
    struct settings settings = settings_of(true);
    struct diags diags = { 0 };
    struct policy *policy =
        compile_app("{\"name\":\"Sku.aspx\"},{\"name\":\"Sku.aspx\"},{\"name\":\"Sku.aspx\"}", "",
                    NULL, &settings, &diags);

    (void)state;
    assert_int_equal(policy_n_rules(policy), 1);
    policy_unref(policy);
    diags_fini(&diags);
}

int main(void)
{
    struct stories all = { .n = 0 };

    STORIES_ADD(&all, stories, story_is_judged);
    stories_add(&all, "every key is shut without its kind", every_key_is_shut_without_its_kind,
                NULL);
    stories_add(&all, "every documented key is silent", every_documented_key_is_silent, NULL);
    stories_add(&all, "without the alias, only the own host", without_the_alias_only_the_own_host,
                NULL);
    stories_add(&all, "a bucket narrows", a_bucket_narrows, NULL);
    stories_add(&all, "platform policies are one finding", platform_policies_are_one_finding, NULL);
    stories_add(&all, "a repeated key costs nothing", a_repeated_key_costs_nothing, NULL);
    return stories_run("licence keys", &all);
}
