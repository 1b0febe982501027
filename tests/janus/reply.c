#include "tests/janus/reply.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "tests/janus/gate.h"

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 409, "Conflict" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Status";
}

void reply_field(struct exchange *x, const char *name, const char *format, ...)
{
    va_list values;

    evbuffer_add_printf(x->fields, "%s: ", name);
    va_start(values, format);
    evbuffer_add_vprintf(x->fields, format, values);
    va_end(values);
    evbuffer_add(x->fields, "\r\n", 2);
}

void reply_informational(struct exchange *x, int status, const char *reason, const char *fields)
{
    evbuffer_add_printf(gate_output(x), "HTTP/1.1 %d %s\r\n%s\r\n", status, reason, fields);
}

static void add_date(struct evbuffer *out)
{
    char date[64];
    time_t now = time(NULL);
    struct tm parts;

    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &parts));
    evbuffer_add_printf(out, "Date: %s\r\n", date);
}

void reply_head(struct exchange *x, int status, int64_t length)
{
    struct evbuffer *out = gate_output(x);

    x->arrival->status = status;
    evbuffer_add_printf(out, "HTTP/1.1 %d %s\r\n", status, reason_of(status));
    add_date(out);
    evbuffer_add_buffer(out, x->fields);
    if (length == LENGTH_CHUNKED)
        evbuffer_add_printf(out, "Transfer-Encoding: chunked\r\n");
    else if (length != LENGTH_NONE)
        evbuffer_add_printf(out, "Content-Length: %lld\r\n", (long long)length);
    if (x->closing == CLOSING_SAID)
        evbuffer_add_printf(out, "Connection: close\r\n");
    evbuffer_add(out, "\r\n", 2);
}

static bool has_no_body(int status)
{
    return status == 204 || status == 304 || status < 200;
}

void reply_bytes(struct exchange *x, int status, const char *type, struct text body)
{
    if (has_no_body(status)) {
        reply_head(x, status, LENGTH_NONE);
    } else {
        reply_field(x, "Content-Type", "%s", type);
        reply_head(x, status, (int64_t)body.len);
        if (!text_eq(exchange_head(x)->method, TEXT("HEAD")))
            evbuffer_add(gate_output(x), body.at, body.len);
    }
    gate_answered(x);
}

void reply_text(struct exchange *x, int status, const char *text)
{
    reply_bytes(x, status, "text/plain; charset=utf-8", text_of(text));
}

void reply_json(struct exchange *x, int status, json_t *json)
{
    char *body = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

    json_decref(json);
    reply_bytes(x, status, "application/json; charset=utf-8", text_of(body ? body : "null"));
    free(body);
}
