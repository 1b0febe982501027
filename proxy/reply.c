#include "proxy/reply.h"

#include <assert.h>

#include "proxy/limits.h"
#include "proxy/proxy_status.h"

static const struct outcome_row rows[N_OUTCOMES] = {
    [OUTCOME_RELAYED] = { "relayed", 0, NULL, NULL, NULL, NULL, 0, LOG_INFO },
    [OUTCOME_NO_HOPS_LEFT] = { "no_hops_left", 200, "NoHopsLeft", "proxy_internal_response",
                               "Max-Forwards is 0: the request went no further than the sidecar.",
                               NULL, 0, LOG_INFO },
    [OUTCOME_BAD_REQUEST] = { "bad_request", 400, "BadRequest", "http_request_error",
                              "The request is malformed.", NULL, 0, LOG_WARNING },
    [OUTCOME_USER_TOKEN_MISSING] = { "user_token_missing", 401, "UserTokenMissing",
                                     "http_request_denied",
                                     "X-Janus-Auth asks for a user's token and the request carries "
                                     "none.",
                                     "Forward the user's cookie (VtexIdclientAutCookie for admin, "
                                     "VtexIdclientAutCookie_{account} for store) with the request.",
                                     0, LOG_WARNING },
    [OUTCOME_OUTBOUND_DENIED] = { "outbound_access_denied", 403, "OutboundAccessDenied",
                                  "http_request_denied",
                                  "No policy of the app's manifest allows this request.", NULL, 0,
                                  LOG_WARNING },
    [OUTCOME_ADDRESS_DENIED] = { "address_denied", 403, "AddressDenied",
                                 "destination_ip_prohibited",
                                 "The destination's name leads to an address that is not public.",
                                 "If this address is meant, allow it with --allow-address CIDR.", 0,
                                 LOG_WARNING },
    [OUTCOME_CALLER_REFUSED] = { "caller_refused", 403, "CallerRefused", "http_request_denied",
                                 "Browsers may not use this proxy.",
                                 "Requests with Origin or Sec-Fetch-Site are refused; who else may "
                                 "call: docs/operating.md.",
                                 0, LOG_WARNING },
    [OUTCOME_METHOD_NOT_ALLOWED] = { "method_not_allowed", 405, "MethodNotAllowed",
                                     "http_request_error",
                                     "CONNECT and TRACE are not served: inside a tunnel no policy "
                                     "can be "
                                     "checked and no token added.",
                                     "Set VTEX_IO=true so that clients use http:// addresses; the "
                                     "sidecar "
                                     "speaks TLS to the origin. Set no_proxy for telemetry.",
                                     0, LOG_WARNING },
    [OUTCOME_BODY_TOO_LARGE] = { "body_too_large", 413, "BodyTooLarge", "http_request_error",
                                 "The request body is larger than --max-body allows.", NULL, 0,
                                 LOG_WARNING },
    [OUTCOME_TARGET_TOO_LONG] = { "target_too_long", 414, "TargetTooLong", "http_request_error",
                                  "The request target is longer than 16 KiB.", NULL, 0,
                                  LOG_WARNING },
    [OUTCOME_HEAD_TOO_LARGE] = { "head_too_large", 431, "HeadTooLarge", "http_request_error",
                                 "The request head is larger than 64 KiB or has more than 128 "
                                 "lines.",
                                 NULL, 0, LOG_WARNING },
    [OUTCOME_NOT_IMPLEMENTED] = { "not_implemented", 501, "NotImplemented", "http_request_error",
                                  "A transfer coding other than chunked is not supported.", NULL, 0,
                                  LOG_WARNING },
    [OUTCOME_GRAPHQL_DENIED] = { "graphql_denied", 403, "GraphQLDenied", "http_request_denied",
                                 "The operation needs an identity that License Manager can grant "
                                 "it "
                                 "to.",
                                 "Send an admin's or an app's token in VtexIdclientAutCookie, or "
                                 "choose one with X-Janus-Auth: admin; Authorization only opens "
                                 "the "
                                 "way to the app.",
                                 0, LOG_WARNING },
    [OUTCOME_GRAPHQL_UNREADABLE] = { "graphql_unreadable", 400, "GraphQLUnreadable",
                                     "http_request_error", "The GraphQL operation cannot be read.",
                                     "With --graphql-unknown pass it goes on, and the app judges "
                                     "it.",
                                     0, LOG_WARNING },
    [OUTCOME_GUARD_UNREADABLE] = { "guard_unreadable", 400, "BAD_USER_INPUT", "http_request_error",
                                   "The GraphQL operation cannot be judged.", NULL, 0,
                                   LOG_WARNING },
    [OUTCOME_GUARD_UNAUTHENTICATED] = { "guard_unauthenticated", 200, "UNAUTHENTICATED",
                                        "http_request_denied",
                                        "The operation needs a user or an app, and "
                                        "VtexIdclientAutCookie names none.",
                                        NULL, 0, LOG_WARNING },
    [OUTCOME_GUARD_FORBIDDEN] = { "guard_forbidden", 200, "FORBIDDEN", "http_request_denied",
                                  "License Manager does not grant the operation to whom "
                                  "VtexIdclientAutCookie names.",
                                  NULL, 0, LOG_WARNING },
    [OUTCOME_GUARD_UNAVAILABLE] = { "guard_unavailable", 503, "INTERNAL_SERVER_ERROR",
                                    "proxy_internal_response",
                                    "It could not be found out whether the operation is granted.",
                                    "Try again; the sidecar's log says which question failed.", 1,
                                    LOG_ERROR },
    [OUTCOME_DNS] = { "dns_error", 502, "OriginUnreachable", "dns_error",
                      "The destination's name could not be resolved.", NULL, 0, LOG_ERROR },
    [OUTCOME_DNS_TIMEOUT] = { "dns_timeout", 504, "ProxyTimeout", "dns_timeout",
                              "The destination's name could not be resolved in time.", NULL, 0,
                              LOG_ERROR },
    [OUTCOME_CONNECT_REFUSED] = { "connection_refused", 502, "OriginUnreachable",
                                  "connection_refused", "The origin refused the connection.", NULL,
                                  0, LOG_ERROR },
    [OUTCOME_CONNECT_FAILED] = { "destination_unavailable", 502, "OriginUnreachable",
                                 "destination_unavailable", "The origin could not be reached.",
                                 NULL, 0, LOG_ERROR },
    [OUTCOME_CONNECT_TIMEOUT] = { "connection_timeout", 504, "ProxyTimeout", "connection_timeout",
                                  "The origin could not be reached in time.", NULL, 0, LOG_ERROR },
    [OUTCOME_TLS_TIMEOUT] = { "tls_timeout", 504, "ProxyTimeout", "connection_timeout",
                              "The origin could not be reached in time.", NULL, 0, LOG_ERROR },
    [OUTCOME_CIRCUIT_OPEN] = { "circuit_open", 502, "OriginUnreachable", "destination_unavailable",
                               "The origin is not tried now.", NULL, 0, LOG_ERROR },
    [OUTCOME_CERTIFICATE] = { "tls_certificate_error", 502, "OriginCertificate",
                              "tls_certificate_error", "The origin's certificate was not accepted.",
                              "If a private authority signed it, name that with --ca-file; "
                              "docs/tls.md "
                              "explains each reason.",
                              0, LOG_ERROR },
    [OUTCOME_TLS] = { "tls_protocol_error", 502, "OriginCertificate", "tls_protocol_error",
                      "No TLS connection with the origin could be made.", NULL, 0, LOG_ERROR },
    [OUTCOME_ORIGIN_PROTOCOL] = { "http_protocol_error", 502, "OriginProtocol",
                                  "http_protocol_error", "The origin's response is not valid HTTP.",
                                  NULL, 0, LOG_ERROR },
    [OUTCOME_ORIGIN_CLOSED] = { "connection_terminated", 502, "OriginProtocol",
                                "http_response_incomplete",
                                "The origin closed the connection before its response was "
                                "complete.",
                                NULL, 0, LOG_ERROR },
    [OUTCOME_RESPONSE_TIMEOUT] = { "http_response_timeout", 504, "ProxyTimeout",
                                   "http_response_timeout", "The origin did not answer in time.",
                                   NULL, 0, LOG_ERROR },
    [OUTCOME_TOKEN_IN_RESPONSE] = { "token_in_response", 502, "OriginProtocol",
                                    "http_protocol_error",
                                    "The origin's response holds the app token.",
                                    "With --scrub mask it is relayed, the token masked.", 0,
                                    LOG_ERROR },
    [OUTCOME_TOKEN_UNAVAILABLE] = { "token_unavailable", 503, "TokenUnavailable",
                                    "proxy_internal_response",
                                    "There is no live app token to send.",
                                    "See the sidecar's log for the token source (--token-file).", 5,
                                    LOG_ERROR },
    [OUTCOME_OVERLOADED] = { "overloaded", 503, "Overloaded", "connection_limit_reached",
                             "The sidecar is at its limits.", NULL, 1, LOG_ERROR },
    [OUTCOME_DRAINING] = { "draining", 503, "Draining", "proxy_internal_response",
                           "The sidecar is shutting down.", NULL, 1, LOG_WARNING },
    [OUTCOME_CLIENT_GONE] = { "client_gone", 0, NULL, NULL, NULL, NULL, 0, LOG_WARNING },
    [OUTCOME_CLIENT_TIMEOUT] = { "client_timeout", 0, NULL, NULL, NULL, NULL, 0, LOG_WARNING },
};

const struct outcome_row *outcome_row(enum outcome outcome)
{
    assert(outcome < N_OUTCOMES);
    return &rows[outcome];
}

static const char *phrase_of(unsigned status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 502:
        return "Bad Gateway";
    case 503:
        return "Service Unavailable";
    default:
        return "Gateway Timeout";
    }
}

/* Everything that is not printable ASCII goes in as \u00XX: bytes, not characters, so that nothing
 * a client sent can make the JSON invalid. */
static void add_json(struct buffer *out, const char *key, struct text value)
{
    static const char hex[] = "0123456789abcdef";

    buffer_add(out, text_of(key));
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        char escaped[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
        if (c == '"' || c == '\\')
            buffer_add(out, (struct text){ (char[]){ '\\', (char)c }, 2 });
        else if (c < 0x20 || c >= 0x7f)
            buffer_add(out, (struct text){ escaped, 6 });
        else
            buffer_add(out, (struct text){ value.at + i, 1 });
    }
    buffer_add(out, TEXT("\""));
}

static void write_body(const struct reply *reply, const struct outcome_row *row,
                       struct buffer *body)
{
    struct text help = reply->help.at ? reply->help : text_of(row->help);

    add_json(body, "{\"code\":\"", text_of(row->code));
    add_json(body, ",\"message\":\"", reply->message.at ? reply->message : text_of(row->message));
    buffer_add(body, TEXT(",\"source\":\"janus-sidecar\""));
    add_json(body, ",\"requestId\":\"", reply->request_id);
    if (help.at)
        add_json(body, ",\"help\":\"", help);
    buffer_add(body, TEXT("}\n"));
}

/* As Apollo's servers write it: clients look for errors and for extensions.code. */
static void add_graphql(const struct reply *reply, const struct outcome_row *row,
                        struct buffer *body)
{
    add_json(body, "{\"errors\":[{\"message\":\"",
             reply->message.at ? reply->message : text_of(row->message));
    add_json(body, ",\"extensions\":{\"code\":\"", text_of(row->code));
    buffer_add(body, TEXT(",\"source\":\"janus-sidecar\""));
    add_json(body, ",\"requestId\":\"", reply->request_id);
    if (row->help)
        add_json(body, ",\"help\":\"", text_of(row->help));
    buffer_add(body, TEXT("}}],\"data\":null}"));
}

static void write_graphql(const struct reply *reply, const struct outcome_row *row,
                          struct buffer *body)
{
    if (reply->n_list)
        buffer_add(body, TEXT("["));
    add_graphql(reply, row, body);
    for (size_t i = 1; i < reply->n_list; i++) {
        buffer_add(body, TEXT(","));
        add_graphql(reply, row, body);
    }
    buffer_add(body, reply->n_list ? TEXT("]\n") : TEXT("\n"));
}

static void write_head(const struct reply *reply, const struct outcome_row *row, size_t body_len,
                       struct buffer *out)
{
    buffer_add(out, TEXT("HTTP/1.1 "));
    buffer_add_uint(out, row->status);
    buffer_add(out, TEXT(" "));
    buffer_add(out, text_of(phrase_of(row->status)));
    buffer_add(out, TEXT("\r\nContent-Type: application/json\r\nContent-Length: "));
    buffer_add_uint(out, body_len);
    buffer_add(out, TEXT("\r\n"));
    proxy_status_add(out, row->error, reply->details);
    buffer_add_field(out, TEXT("Date"), reply->date);
    if (outcome_is_graphql(reply->outcome))
        buffer_add_field(out, TEXT("Cache-Control"), TEXT("no-store"));
    if (row->status == 405 || reply->outcome == OUTCOME_NO_HOPS_LEFT)
        buffer_add_field(out, TEXT("Allow"), TEXT("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    if (row->retry_after_s) {
        buffer_add(out, TEXT("Retry-After: "));
        buffer_add_uint(out, row->retry_after_s);
        buffer_add(out, TEXT("\r\n"));
    }
    if (reply->close)
        buffer_add_field(out, TEXT("Connection"), TEXT("close"));
    else if (reply->keep_alive_1_0)
        buffer_add_field(out, TEXT("Connection"), TEXT("keep-alive"));
    buffer_add(out, TEXT("\r\n"));
}

void reply_write(const struct reply *reply, struct buffer *out)
{
    const struct outcome_row *row = outcome_row(reply->outcome);
    struct buffer body;

    assert(row->status);
    buffer_init(&body, LIMIT_HEAD_BYTES);
    if (outcome_is_graphql(reply->outcome))
        write_graphql(reply, row, &body);
    else
        write_body(reply, row, &body);
    write_head(reply, row, body.end, out);
    if (!reply->to_head)
        buffer_add(out, buffer_waiting(&body));
    buffer_fini(&body);
}
