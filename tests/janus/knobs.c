/* Answers of a given kind, for tests. Those that stream a body are in knobs_stream.c. */
#include "tests/janus/echo.h"
#include "tests/janus/gate.h"
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"

enum { DELAY_MAX_MS = 10 * 60 * 1000, RAW_MAX = 8 * 1024 };

static unsigned long long argument(const struct exchange *x, unsigned long long max)
{
    unsigned long long value = 0;

    return text_to_uint(x->arguments[0], max, &value) ? value : 0;
}

static void answer_delay(struct exchange *x)
{
    x->on_timer = echo_answer;
    gate_wait(x, (long)argument(x, DELAY_MAX_MS));
}

static void answer_status(struct exchange *x)
{
    struct text query = exchange_head(x)->query;
    int status = (int)argument(x, 999);
    char value[1024];

    if (status < 200) {
        reply_text(x, 400, "a status is 200 to 999\n");
        return;
    }
    if (exchange_parameter(x, "retry-after", 0) > 0)
        reply_field(x, "Retry-After", "%llu", exchange_parameter(x, "retry-after", 0));
    if (query_text(query, "location", value, sizeof(value), NULL) && !strpbrk(value, "\r\n"))
        reply_field(x, "Location", "%s", value);
    reply_json(x, status, json_pack("{si}", "status", status));
}

static void answer_informational(struct exchange *x)
{
    reply_informational(x, 103, "Early Hints",
                        "Link: </arquivos/style.css>; rel=preload; as=style\r\n");
    echo_answer(x);
}

static void answer_early(struct exchange *x)
{
    unsigned long long status = exchange_parameter(x, "status", 200);

    if (exchange_parameter(x, "close", 0))
        x->closing = CLOSING_SAID;
    reply_json(x, status >= 200 && status <= 999 ? (int)status : 200,
               json_pack("{sb}", "early", 1));
}

static void answer_304(struct exchange *x)
{
    reply_field(x, "ETag", "\"sim-1\"");
    reply_field(x, "Cache-Control", "max-age=60");
    reply_text(x, 304, "");
}

static void answer_204(struct exchange *x)
{
    reply_text(x, 204, "");
}

/* The first credential that comes is taken for the one that has just ended. */
static void answer_until_rotate(struct exchange *x)
{
    struct text token = janus_token(x).len > 0 ? janus_token(x) : bearer_token(x);

    if (exchange_parameter(x, "reset", 0))
        x->sim->seen_token[0] = '\0';
    if (token.len > 0 && token.len < SEEN_TOKEN_MAX && !x->sim->seen_token[0]) {
        memcpy(x->sim->seen_token, token.at, token.len);
        x->sim->seen_token[token.len] = '\0';
    }
    if (token.len == 0 || text_eq(token, text_of(x->sim->seen_token)))
        answer_error(x, 401, "Unauthorized", "Authorization has been denied for this request.");
    else
        echo_answer(x);
}

static void answer_close(struct exchange *x)
{
    x->closing = exchange_parameter(x, "silent", 0) ? CLOSING_SILENT : CLOSING_SAID;
    echo_answer(x);
}

/* Odd, but legal: what a proxy must take off (hop by hop), and what it must not touch. */
static void answer_headers(struct exchange *x)
{
    reply_field(x, "Connection", "keep-alive, X-Nominated");
    reply_field(x, "X-Nominated", "hop by hop, since Connection names it");
    reply_field(x, "Keep-Alive", "timeout=5, max=1000");
    reply_field(x, "Proxy-Authenticate", "Basic realm=\"sim\"");
    reply_field(x, "Proxy-Connection", "keep-alive");
    reply_field(x, "Upgrade", "h2c");
    reply_field(x, "Trailer", "X-Sim-Trailer");
    reply_field(x, "Set-Cookie", "one=1; Path=/; Expires=Wed, 21 Oct 2099 07:28:00 GMT");
    reply_field(x, "set-cookie", "two=2; Path=/");
    reply_field(x, "X-Empty", "%s", "");
    reply_field(x, "X-Latin1", "caf\xe9");
    reply_field(x, "x-LoWeR-UpPeR", "kept");
    reply_head(x, 200, LENGTH_CHUNKED);
    if (!text_eq(exchange_head(x)->method, TEXT("HEAD")))
        evbuffer_add_printf(gate_output(x),
                            "7;ext=1\r\nheaders\r\n0\r\nX-Sim-Trailer: end\r\n\r\n");
    gate_answered(x);
}

static void answer_drop(struct exchange *x)
{
    gate_cut(x, exchange_parameter(x, "reset", 0));
}

/* Whatever a hostile origin might say. */
static void answer_raw(struct exchange *x)
{
    char bytes[RAW_MAX], then[8] = "close";
    size_t len = 0;

    query_text(exchange_head(x)->query, "bytes", bytes, sizeof(bytes), &len);
    query_text(exchange_head(x)->query, "then", then, sizeof(then), NULL);
    evbuffer_add(gate_output(x), bytes, len);
    if (strcmp(then, "hang") == 0)
        return;
    x->closing = strcmp(then, "keep") == 0 ? CLOSING_NOT : CLOSING_SILENT;
    gate_answered(x);
}

#define ANYWHERE .hosts = ON_ANY

const struct route routes_knobs[] = {
    { "echo", "*", "/_sim/echo", echo_answer, ANYWHERE },
    { "echo", "*", "/_sim/echo/*", echo_answer, ANYWHERE },
    { "delay", "*", "/_sim/delay/{}", answer_delay, ANYWHERE },
    { "status", "*", "/_sim/status/{}", answer_status, ANYWHERE, .shape = SHAPE_MESSAGE },
    { "informational", "*", "/_sim/informational", answer_informational, ANYWHERE },
    { "early", "*", "/_sim/early", answer_early, ANYWHERE, .flags = ROUTE_EARLY },
    { "304", "*", "/_sim/304", answer_304, ANYWHERE },
    { "204", "*", "/_sim/204", answer_204, ANYWHERE },
    { "401-until-rotate", "*", "/_sim/401-until-rotate", answer_until_rotate, ANYWHERE,
      .shape = SHAPE_MESSAGE },
    { "close", "*", "/_sim/close", answer_close, ANYWHERE },
    { "headers", "*", "/_sim/headers", answer_headers, ANYWHERE },
    { "drop", "*", "/_sim/drop", answer_drop, ANYWHERE, .flags = ROUTE_EARLY },
    { "raw", "*", "/_sim/raw", answer_raw, ANYWHERE },
    { 0 },
};
