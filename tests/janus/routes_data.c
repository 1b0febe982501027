/* License Manager and Master Data. */
#include "tests/janus/grants.h"
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"
#include "tests/janus/token.h"

static const char license_manager[] = "license-manager-v1.119.0",
                  master_data[] = "dataentities-v1.60.2";

/* The resources that everybody at this account has been granted, unless a test says otherwise (grants.h);
 * all others are refused. */
static const char *const granted[] = { "Sku.aspx",     "ProdutoForm.aspx", "Marca.aspx",
                                       "ListOrders",   "ViewOrder",        "AcessaTodosPedidos",
                                       "GetOrderForm", "ADMIN_DS",         "view_profiles" };

/* @auth sends the app token raw in Authorization, and nothing else. */
static bool is_known_caller(const struct exchange *x)
{
    return tokens_live(x->sim->tokens, janus_token(x)) ||
           tokens_live(x->sim->tokens, bearer_token(x));
}

/* .../accounts/{0}/products/{1}/logins/{2}/resources/{3}/granted */
static void answer_granted(struct exchange *x)
{
    bool yes = false,
         told = grants_say(x->sim->grants, x->arguments[2], x->arguments[1], x->arguments[3], &yes);

    if (!is_known_caller(x)) {
        answer_error(x, 401, NULL, "Authorization has been denied for this request.");
        return;
    }
    if (!text_eq(x->arguments[0], text_of(x->sim->options->account))) {
        answer_error(x, 403, NULL, "Access denied.");
        return;
    }
    for (size_t i = 0; !told && i < sizeof(granted) / sizeof(*granted); i++)
        yes = yes || text_eq(x->arguments[3], text_of(granted[i]));
    add_edge_fields(x, license_manager);
    reply_json(x, 200, json_boolean(yes));
}

static void answer_account(struct exchange *x)
{
    add_edge_fields(x, license_manager);
    reply_json(x, 200,
               json_pack("{ssssssss}", "id", "c1b8b8c4-6a6c-4a5a-9f0a-0d5b3e1f2a77", "accountName",
                         x->sim->options->account, "companyName", "Janus Ltda", "status",
                         "Active"));
}

static json_t *document(struct text id)
{
    json_t *json = json_pack("{ssss}", "email", "ana@example.com", "firstName", "Ana");

    json_object_set_new(json, "id", json_latin1(id));
    return json;
}

static void answer_search(struct exchange *x)
{
    add_edge_fields(x, master_data);
    reply_field(x, "REST-Content-Range", "resources 0-1/1");
    reply_json(x, 200, json_pack("[o]", document(TEXT("c2f6f8ab-1111-11ee-8452-0affd1b2c3d4"))));
}

static void answer_document(struct exchange *x)
{
    add_edge_fields(x, master_data);
    if (text_eq(exchange_head(x)->method, TEXT("GET")))
        reply_json(x, 200, document(x->arguments[1]));
    else
        reply_text(x, 204, "");
}

static void answer_create(struct exchange *x)
{
    json_t *body = body_as_json(x);
    bool object = json_is_object(body);
    static const char id[] = "c2f6f8ab-1111-11ee-8452-0affd1b2c3d4";

    json_decref(body);
    add_edge_fields(x, master_data);
    if (!object) {
        answer_error(x, 400, NULL, "Invalid JSON");
        return;
    }
    reply_json(x, 201,
               json_pack("{sosssss}", "Id", json_sprintf("CL-%s", id), "Href",
                         "http://api.vtex.com/dataentities/CL/documents/", "DocumentId", id));
}

#define DATA    .hosts = ON_JANUS, .shape = SHAPE_MESSAGE
#define PRIVATE .admission = ADMIT_JANUS

const struct route routes_data[] = {
    { "license-granted", "GET",
      "/api/license-manager/pvt/accounts/{}/products/{}/logins/{}/resources/{}/granted",
      answer_granted, DATA },
    { "license-account", "GET", "/api/license-manager/account", answer_account, DATA, PRIVATE },
    { "license-account", "GET", "/api/license-manager/pvt/accounts/{}", answer_account, DATA,
      PRIVATE },
    { "master-data-search", "GET", "/api/dataentities/{}/search", answer_search, DATA, PRIVATE },
    { "master-data-create", "POST PATCH", "/api/dataentities/{}/documents", answer_create, DATA,
      PRIVATE },
    { "master-data-document", "GET PUT PATCH DELETE", "/api/dataentities/{}/documents/{}",
      answer_document, DATA, PRIVATE },
    { 0 },
};
