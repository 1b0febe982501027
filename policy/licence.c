/* Source: VTEX developer documentation, "Accessing external resources within a VTEX IO app" and
 * "Policies from License Manager" (git vtexdocs/dev-portal-content f780b195 and 0ec219d1), 13 keys. */
#include "policy/licence.h"

#define CATALOG "/api/catalog_system/pvt/"

const struct licence_resource licence_resources[] = {
    { "ProdutoForm.aspx", LICENCE_STABLE, CATALOG "products/*", NULL },
    { "ManterFormularioProdutoSku", LICENCE_STABLE, CATALOG "products/*", NULL },
    { "Marca.aspx", LICENCE_STABLE, CATALOG "brand/list", NULL },
    { "Sku.aspx", LICENCE_STABLE, CATALOG "sku/*", NULL },
    { "AcessaTodosPedidos", LICENCE_STABLE, "/api/oms/pvt/orders/*", NULL },
    { "CancelaPedidos", LICENCE_JANUS, "/api/oms/pvt/orders/{{orderId}}/cancel", NULL },
    /* paths are case-sensitive here; this page writes "orderform", the API reference and the
     * clients "orderForm": one row for each spelling */
    { "SaveOrderFormConfiguration", LICENCE_JANUS, "/api/checkout/pvt/configuration/orderform",
      NULL },
    { "SaveOrderFormConfiguration", LICENCE_JANUS, "/api/checkout/pvt/configuration/orderForm",
      NULL },
    { "GetOrderForm", LICENCE_JANUS, "/api/checkout/pub/orderform/{{orderFormId}}", NULL },
    { "GetOrderForm", LICENCE_JANUS, "/api/checkout/pub/orderForm/{{orderFormId}}", NULL },
    { "Get_Account_By_Identifier", LICENCE_JANUS, "/api/license-manager/account", NULL },
    { "Get_Account_By_Identifier", LICENCE_JANUS, "/api/license-manager/pvt/accounts/*", NULL },
    { "Get_Account_By_Identifier", LICENCE_JANUS, "/api/pvt/accounts/*", NULL },
    { "Get_Account_By_Identifier", LICENCE_JANUS, "/api/site/pvt/accounts/*", NULL },
    { "Get_Account_By_Identifier", LICENCE_JANUS, "/api/license-manager/site/pvt/accounts/*",
      NULL },
    { "ADMIN_DS", LICENCE_STABLE, "/*", NULL },
    { "ListOrders", LICENCE_JANUS, "/api/oms/pvt/orders", NULL },
    { "vbase-read-only", LICENCE_VBASE, "/buckets/*", "GET, HEAD" },
    { "vbase-read-write", LICENCE_VBASE, "/buckets/*", NULL },
};

const size_t licence_n_resources = sizeof licence_resources / sizeof *licence_resources;

/* Names from real manifests (vtex-facts 3.2): logs, events, the app's own settings and registry. */
static const char *const inner[] = {
    "colossus-fire-event",
    "colossus-listen-event",
    "colossus-send-metrics",
    "colossus-write-logs",
    "graphql-query",
    "install-apps",
    "masterdata-entity-read-write",
    "promote-workspace",
    "read-private-registry-assets",
    "read-public-registry-assets",
    "read-workspace-apps",
    "read-workspace-apps-assets",
    "read-write-any-workspace",
    "read-write-apps-settings",
    "read-write-user-routes",
    "read_logs_stream",
    "update-app-settings",
};

const struct licence_resource *licence_find(struct text key)
{
    for (size_t i = 0; i < licence_n_resources; i++)
        if (text_eq(key, text_of(licence_resources[i].key)))
            return &licence_resources[i];
    return NULL;
}

bool licence_is_inner(struct text name)
{
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
        if (text_eq(name, text_of(inner[i])))
            return true;
    return false;
}
