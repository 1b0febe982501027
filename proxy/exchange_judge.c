/* From a request head to an outcome: one framing, one destination, one verdict, one identity. */
#include "proxy/exchange_parts.h"

#include <stdio.h>
#include <string.h>

#include "proxy/http/syntax.h"

static enum outcome judge_framing(struct exchange *x, const struct head *head, const char **why)
{
    struct framing framing;
    enum framing_result result = framing_of_request(head, &framing, why);

    body_init(&x->request, framing);
    if (result == FRAMING_OK)
        return OUTCOME_RELAYED;
    x->close_client = true; /* nobody knows where this request ends */
    x->request.done = true;
    return result == FRAMING_UNKNOWN ? OUTCOME_NOT_IMPLEMENTED : OUTCOME_BAD_REQUEST;
}

static bool repeats_control_header(const struct head *head)
{
    return head->count[HEADER_PROXY_TO] > 1 || head->count[HEADER_USE_HTTPS] > 1 ||
           head->count[HEADER_REMOTE_PORT] > 1;
}

static enum outcome judge_destination(struct exchange *x, const struct head *head, const char **why)
{
    struct destination_request request = {
        .method = head->method,
        .target = head->target,
        .host = head_value(head, HEADER_HOST),
        .proxy_to = head_value(head, HEADER_PROXY_TO),
        .remote_port = head_value(head, HEADER_REMOTE_PORT),
        .use_https = head_value(head, HEADER_USE_HTTPS),
    };

    if (head->count[HEADER_HOST] > 1 || (head->count[HEADER_HOST] == 0 && head->minor > 0)) {
        *why = "There must be one Host header (RFC 9112, 3.2).";
        x->close_client = true;
        return OUTCOME_BAD_REQUEST;
    }
    if (repeats_control_header(head)) {
        *why = "An X-Vtex control header is there more than once.";
        return OUTCOME_BAD_REQUEST;
    }
    switch (destination_of(&x->context->destination_rules, &request, &x->destination, why)) {
    case DESTINATION_OK:
        *why = NULL;
        return OUTCOME_RELAYED;
    case DESTINATION_CONNECT:
        *why = NULL;
        x->close_client = true;
        return OUTCOME_METHOD_NOT_ALLOWED;
    case DESTINATION_BAD:
        break;
    }
    return OUTCOME_BAD_REQUEST;
}

static enum outcome outcome_of(const struct verdict *verdict)
{
    if (verdict->kind == VERDICT_ALLOW)
        return OUTCOME_RELAYED;
    if (verdict->reason == REASON_ADDRESS_CLASS)
        return OUTCOME_ADDRESS_DENIED;
    return verdict->kind == VERDICT_DENY ? OUTCOME_OUTBOUND_DENIED : OUTCOME_BAD_REQUEST;
}

/* --mode report: only what the policy denies passes, and it passes marked. What cannot be judged
 * safely, and addresses that are nobody's business, stay refused. */
static void let_pass(struct exchange *x, bool first)
{
    static const char mark[] = "would-deny ";

    memcpy(x->would_deny, mark, sizeof(mark));
    verdict_sentence(x->policy, &x->verdict, &x->destination, x->would_deny + strlen(mark),
                     sizeof(x->would_deny) - strlen(mark));
    x->context->n_would_deny += first;
}

/* A request that waited for a token is judged a second time, by the same policy. */
static enum outcome judge_policy(struct exchange *x, const struct head *head)
{
    bool first = !x->judged;

    x->sent_method = head->method;
    x->verdict = policy_judge(x->policy, head->method, &x->destination);
    x->judged = true;
    exchange_keep_path(x);
    tenant_name_in_query((struct text){ x->destination.host, x->destination.host_len },
                         x->destination.query, x->an);
    if (first)
        exchange_shadow(x, head->method);
    enum outcome outcome = outcome_of(&x->verdict);
    if (outcome == OUTCOME_OUTBOUND_DENIED && x->context->settings->mode == MODE_REPORT) {
        let_pass(x, first);
        return OUTCOME_RELAYED;
    }
    if (outcome != OUTCOME_RELAYED)
        verdict_sentence(x->policy, &x->verdict, &x->destination, x->detail, sizeof(x->detail));
    return outcome;
}

/* RFC 9110, 7.6.2: the last hop that an OPTIONS may take is to us. (A TRACE never goes on.) */
static enum outcome judge_hops(const struct head *head, const char **why)
{
    struct text value = head_value(head, HEADER_MAX_FORWARDS);
    unsigned long long hops;

    if (!head->count[HEADER_MAX_FORWARDS] || !text_eq(head->method, TEXT("OPTIONS")))
        return OUTCOME_RELAYED;
    if (head->count[HEADER_MAX_FORWARDS] > 1 || !syntax_all(value, BYTE_DIGIT)) {
        *why = "Max-Forwards is not one number (RFC 9110, 7.6.2).";
        return OUTCOME_BAD_REQUEST;
    }
    return text_to_uint(value, 0, &hops) ? OUTCOME_NO_HOPS_LEFT : OUTCOME_RELAYED;
}

/* Last, because it says least: what is denied is denied at any size. Chunks are counted as they come. */
static bool is_too_large(const struct exchange *x)
{
    uint64_t max = x->context->settings->max_body_bytes;

    return max && x->request.framing.kind == FRAMING_LENGTH && x->request.framing.length > max;
}

/* Browsers first: what they may not do does not hang on a secret. */
static enum outcome judge_caller(const struct exchange *x, const struct head *head,
                                 const char **why)
{
    const struct callers *callers = x->context->callers;

    if (head->count[HEADER_ORIGIN] || head->count[HEADER_SEC_FETCH_SITE])
        return OUTCOME_CALLER_REFUSED;
    if (!callers_admit(callers, client_descriptor(x->client))) {
        *why = "This user may not use this proxy (--allow-uid, --allow-gid).";
        return OUTCOME_CALLER_REFUSED;
    }
    if (head->count[HEADER_JANUS_CALLER] > 1 ||
        !callers_know(callers, head_value(head, HEADER_JANUS_CALLER))) {
        *why = "X-Janus-Caller must be there once and hold the secret of --caller-secret-file.";
        return OUTCOME_CALLER_REFUSED;
    }
    return OUTCOME_RELAYED;
}

/* To another app's GraphQL, and its schema is known. */
static void note_operation(struct exchange *x, const struct head *head)
{
    struct text app = x->realm == REALM_IO ? graphql_app_in_path(x->destination.path) : TEXT("");
    struct graphql_gate *gate = app.len ? graphql_catalog_find(x->context->schemas, app) : NULL;

    if (!gate || (!text_eq(head->method, TEXT("GET")) && !text_eq(head->method, TEXT("POST"))))
        return;
    exchange_graphql_note(x, head, gate);
    x->graphql->presented = presented_by(head, &x->identity);
}

enum outcome exchange_judge(struct exchange *x, const struct head *head, const char **why)
{
    enum outcome outcome = judge_framing(x, head, why);

    if (x->context->guard)
        return outcome == OUTCOME_RELAYED ? exchange_guard_judge(x, head, why) : outcome;
    if (outcome == OUTCOME_RELAYED)
        outcome = judge_caller(x, head, why);
    if (outcome == OUTCOME_RELAYED)
        outcome = judge_destination(x, head, why);
    if (outcome == OUTCOME_RELAYED)
        outcome = judge_policy(x, head);
    if (outcome == OUTCOME_RELAYED)
        outcome = judge_hops(head, why);
    if (outcome == OUTCOME_RELAYED) {
        x->realm = realm_of(x->context->realms, &x->destination);
        outcome = identity_choose(&x->context->identity_rules, head, x->realm, &x->identity, why);
    }
    if (outcome == OUTCOME_RELAYED && is_too_large(x))
        outcome = OUTCOME_BODY_TOO_LARGE;
    if (outcome == OUTCOME_RELAYED && x->context->schemas)
        note_operation(x, head);
    return outcome;
}

/* Methods that may be repeated by a proxy without asking (RFC 9110, 9.2.2). */
static bool is_idempotent(struct text method)
{
    static const struct text names[] = {
        { "GET", 3 }, { "HEAD", 4 }, { "PUT", 3 }, { "DELETE", 6 }, { "OPTIONS", 7 }
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (text_eq(names[i], method))
            return true;
    }
    return false;
}

static bool may_be_kept(const struct framing *framing)
{
    return framing->kind != FRAMING_LENGTH || framing->length <= LIMIT_KEPT_REQUEST_BYTES;
}

/* Without the port; nobody on a Unix socket has an address (RFC 7239, 6). */
static struct text client_host(const struct client *client, char out[ADDRESS_TEXT_MAX])
{
    client_address(client, out);
    const char *port = strncmp(out, "unix:", 5) == 0 ? NULL : strrchr(out, ':');

    return port ? text_span(out, port) : TEXT("unknown");
}

/* Only with --trace make, and only where there is none that could be read. */
static struct text made_trace(struct exchange *x, char out[TRACE_TEXT_CHARS + 1])
{
    if (x->context->settings->trace != TRACE_MAKE || x->trace.id[0])
        return TEXT_NONE;
    trace_make(&x->trace);
    return trace_text(&x->trace, out);
}

enum outcome exchange_prepare(struct exchange *x, const struct head *head)
{
    if (x->identity.needs_app_token) {
        struct token *token = token_desk_current(x->context->desk);
        if (!token)
            return OUTCOME_TOKEN_UNAVAILABLE;
        x->token = token_ref(token);
    }
    const struct settings *settings = x->context->settings;
    char client[ADDRESS_TEXT_MAX], trace[TRACE_TEXT_CHARS + 1];

    x->websocket = exchange_asks_for_websocket(x, head) && !(x->context->guard && x->graphql);
    forward_request(&x->up, head, &x->destination, &x->identity,
                    x->token ? token_text(x->token) : TEXT_NONE, x->request.framing,
                    (struct forward_extras){ .via = settings->via == VIA_ON,
                                             .forwarded = settings->forwarded,
                                             .forwarded_for = settings->forwarded
                                                                  ? client_host(x->client, client)
                                                                  : TEXT_NONE,
                                             .websocket = x->websocket,
                                             .as_it_came = x->context->guard != NULL,
                                             .traceparent = made_trace(x, trace) },
                    &x->token_places);
    if (x->up.overflowed)
        return OUTCOME_HEAD_TOO_LARGE;
    x->up_head = x->up.end;
    x->idempotent = is_idempotent(head->method);
    x->up.keeps = (x->token || x->idempotent) && may_be_kept(&x->request.framing);
    return OUTCOME_RELAYED;
}
