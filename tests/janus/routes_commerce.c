/* Catalog, checkout and OMS: believable bodies, no shop behind them. */
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"
#include "tests/janus/token.h"

static const char catalog[] = "catalog-v1.52.7", checkout[] = "checkout-v8.140.0",
                  oms[] = "oms-v2.14.3";

static void reply_tagged(struct exchange *x, const char *backend, const char *etag, json_t *json)
{
    add_edge_fields(x, backend);
    reply_field(x, "ETag", "%s", etag);
    reply_field(x, "Cache-Control", "max-age=60");
    if (text_eq(head_find(exchange_head(x), "If-None-Match"), text_of(etag))) {
        json_decref(json);
        reply_text(x, 304, "");
        return;
    }
    reply_json(x, 200, json);
}

static void reply_plain(struct exchange *x, const char *backend, json_t *json)
{
    add_edge_fields(x, backend);
    reply_json(x, 200, json);
}

/* The {} of the pattern as a number; false, with a 404, if it is none. */
static bool take_id(struct exchange *x, json_int_t *id)
{
    unsigned long long number;

    if (text_to_uint(x->arguments[0], INT32_MAX, &number) && number > 0) {
        *id = (json_int_t)number;
        return true;
    }
    answer_error(x, 404, "NotFound", "Not found");
    return false;
}

static void answer_brand(struct exchange *x)
{
    json_int_t id;

    if (take_id(x, &id))
        reply_tagged(x, catalog, "\"brand-1\"",
                     json_pack("{sIsssbsnsn}", "id", id, "name", "Janus", "isActive", 1, "title",
                               "metaTagDescription"));
}

static void answer_brands(struct exchange *x)
{
    reply_plain(x, catalog,
                json_pack("[{sisssb}{sisssb}]", "id", 1, "name", "Janus", "isActive", 1, "id", 2,
                          "name", "Portunus", "isActive", 1));
}

static void answer_product(struct exchange *x)
{
    json_int_t id;

    if (take_id(x, &id))
        reply_tagged(x, catalog, "\"product-1\"",
                     json_pack("{sIsssisisssbsb}", "Id", id, "Name", "Key of the gate",
                               "DepartmentId", 1, "BrandId", 1, "LinkId", "key-of-the-gate",
                               "IsVisible", 1, "IsActive", 1));
}

static void answer_search(struct exchange *x)
{
    reply_field(x, "resources", "0-0/1");
    reply_plain(x, catalog,
                json_pack("[{sssssssss[{ssss}]}]", "productId", "1", "productName",
                          "Key of the gate", "brand", "Janus", "linkText", "key-of-the-gate",
                          "items", "itemId", "1", "name", "Key, brass"));
}

static void answer_tree(struct exchange *x)
{
    reply_tagged(x, catalog, "\"tree-1\"",
                 json_pack("[{sisssbsss[]}]", "id", 1, "name", "Gates", "hasChildren", 0, "url",
                           "/gates", "children"));
}

static json_t *order_form(const char *id, size_t items)
{
    json_t *list = json_array();

    for (size_t i = 0; i < items; i++)
        json_array_append_new(list, json_pack("{sssssisi}", "id", "1", "name", "Key, brass",
                                              "quantity", 1, "price", 4990));
    return json_pack("{sssosisos{ss}sn}", "orderFormId", id, "items", list, "value",
                     (int)items * 4990, "messages", json_array(), "storePreferencesData",
                     "currencyCode", "BRL", "clientProfileData");
}

static void reply_order_form(struct exchange *x, size_t items)
{
    static const char id[] = "5a1f3e0c7bd14b7c9f1d2e3a4b5c6d7e";

    reply_field(x, "Set-Cookie", "checkout.vtex.com=__ofid=%s; path=/; secure; samesite=none", id);
    reply_field(x, "Set-Cookie", "CheckoutOrderFormOwnership=; path=/; secure; httponly");
    reply_field(x, "Set-Cookie",
                "CheckoutDataAccess=VTEX_CHK_Order_Auth; "
                "expires=Wed, 21 Oct 2099 07:28:00 GMT; path=/; secure");
    reply_plain(x, checkout, order_form(id, items));
}

static void answer_order_form(struct exchange *x)
{
    reply_order_form(x, 0);
}

static void answer_items(struct exchange *x)
{
    json_t *body = body_as_json(x);
    size_t n = json_array_size(json_object_get(body, "orderItems"));

    json_decref(body);
    if (n == 0)
        answer_error(x, 400, "ORD002", "Invalid items");
    else
        reply_order_form(x, n > 100 ? 100 : n);
}

static json_t *order(const char *id)
{
    return json_pack("{sssssssissss}", "orderId", id, "status", "handling", "statusDescription",
                     "Preparando Entrega", "value", 4990, "creationDate",
                     "2024-11-20T12:00:00.0000000+00:00", "currencyCode", "BRL");
}

static json_t *order_list(void)
{
    return json_pack("{s[oo]s{sisisi}}", "list", order("1268540501456-01"),
                     order("1268540501457-01"), "paging", "total", 2, "pages", 1, "currentPage", 1);
}

static void answer_orders(struct exchange *x)
{
    reply_plain(x, oms, order_list());
}

static void answer_order(struct exchange *x)
{
    char id[64];

    text_printable(x->arguments[0], id, sizeof(id));
    if (text_starts(x->arguments[0], TEXT("12685405")))
        reply_plain(x, oms, order(id));
    else
        answer_error(x, 404, "OMS003", "Order not found");
}

/* A shopper's own orders: any live user will do. */
static void answer_own_orders(struct exchange *x)
{
    const struct minted *token = tokens_live(x->sim->tokens, janus_token(x));

    if (token)
        reply_plain(x, oms, order_list());
    else
        answer_error(x, 401, "1", "Unauthorized access");
}

#define CATALOG  .hosts = ON_JANUS, .shape = SHAPE_MESSAGE
#define CHECKOUT .hosts = ON_JANUS, .shape = SHAPE_OMS
#define PRIVATE  .admission = ADMIT_JANUS

const struct route routes_commerce[] = {
    { "catalog-brands", "GET", "/api/catalog_system/pvt/brand/list", answer_brands, CATALOG,
      PRIVATE },
    { "catalog-brand", "GET", "/api/catalog_system/pvt/brand/{}", answer_brand, CATALOG, PRIVATE },
    { "catalog-product", "GET PUT", "/api/catalog/pvt/product/{}", answer_product, CATALOG,
      PRIVATE },
    { "catalog-search", "GET", "/api/catalog_system/pub/products/search", answer_search, CATALOG },
    { "catalog-search", "GET", "/api/catalog_system/pub/products/search/*", answer_search,
      CATALOG },
    { "catalog-tree", "GET", "/api/catalog_system/pub/category/tree/{}", answer_tree, CATALOG },
    { "checkout-order-form", "GET POST", "/api/checkout/pub/orderForm", answer_order_form,
      CHECKOUT },
    { "checkout-order-form", "GET POST", "/api/checkout/pub/orderForm/{}", answer_order_form,
      CHECKOUT },
    { "checkout-items", "POST", "/api/checkout/pub/orderForm/{}/items", answer_items, CHECKOUT },
    { "oms-orders", "GET", "/api/oms/pvt/orders", answer_orders, CHECKOUT, PRIVATE },
    { "oms-order", "GET", "/api/oms/pvt/orders/{}", answer_order, CHECKOUT, PRIVATE },
    { "oms-user-orders", "GET", "/api/oms/user/orders", answer_own_orders, CHECKOUT },
    { "oms-user-orders", "GET", "/api/oms/user/orders/{}", answer_own_orders, CHECKOUT },
    { 0 },
};
