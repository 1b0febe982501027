/* Bodies that are made while they are sent: a piece at a time, the next when the last has been
 * flushed, so that neither a large download nor a slow reader costs memory. */
#include <stdlib.h>

#include "tests/janus/bytes.h"
#include "tests/janus/gate.h"
#include "tests/janus/reply.h"
#include "tests/janus/routes.h"

enum { PIECE_MAX = 64 * 1024, SHA_AHEAD_MAX = 1024 * 1024, SLOW_PIECE = 1024, SLOW_MS = 100 };

static void end_stream(struct exchange *x)
{
    if (x->finale != FINALE_END) {
        gate_cut(x, x->finale == FINALE_RESET);
        return;
    }
    if (x->chunked)
        evbuffer_add(gate_output(x), "0\r\n\r\n", 5);
    gate_answered(x);
}

static void send_piece(struct exchange *x)
{
    struct evbuffer *out = gate_output(x);
    size_t n = x->left < x->piece ? (size_t)x->left : x->piece;
    struct evbuffer_iovec space;

    if (x->chunked)
        evbuffer_add_printf(out, "%zx\r\n", n);
    if (evbuffer_reserve_space(out, (ev_ssize_t)n, &space, 1) != 1)
        abort(); /* memory gone */
    sim_bytes_fill(space.iov_base, x->offset, n);
    space.iov_len = n;
    evbuffer_commit_space(out, &space, 1);
    if (x->chunked)
        evbuffer_add(out, "\r\n", 2);
    x->offset += n;
    x->left -= n;
}

static void refill(struct exchange *x)
{
    if (x->left == 0)
        end_stream(x);
    else if (x->every_ms > 0)
        gate_wait(x, x->every_ms);
    else
        send_piece(x);
}

/* `promised`: what the head says; x->left, x->piece and the rest are set. */
static void start_stream(struct exchange *x, int64_t promised)
{
    reply_field(x, "Content-Type", "application/octet-stream");
    reply_head(x, 200, promised);
    x->chunked = promised == LENGTH_CHUNKED;
    x->on_timer = send_piece;
    x->refill = refill;
    if (text_eq(exchange_head(x)->method, TEXT("HEAD")))
        gate_answered(x);
}

/* False, with a 400, if the argument is not a number. */
static bool take_length(struct exchange *x)
{
    unsigned long long n;

    if (!text_to_uint(x->arguments[0], INT64_MAX / 2, &n)) {
        reply_text(x, 400, "a number of bytes is wanted\n");
        return false;
    }
    x->left = n;
    x->piece = PIECE_MAX;
    return true;
}

static void add_digest(struct exchange *x)
{
    unsigned char piece[4096];
    char text[DIGEST_HEX];
    EVP_MD_CTX *digest = EVP_MD_CTX_new();

    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    for (uint64_t at = 0; at < x->left; at += sizeof(piece)) {
        size_t n = x->left - at < sizeof(piece) ? (size_t)(x->left - at) : sizeof(piece);

        sim_bytes_fill(piece, at, n);
        EVP_DigestUpdate(digest, piece, n);
    }
    digest_finish(digest, text);
    reply_field(x, "X-Sim-Sha256", "%s", text);
}

static void answer_bytes(struct exchange *x)
{
    if (!take_length(x))
        return;
    if (x->left <= SHA_AHEAD_MAX)
        add_digest(x);
    start_stream(x, exchange_parameter(x, "chunked", 0) ? LENGTH_CHUNKED : (int64_t)x->left);
}

static void answer_slow(struct exchange *x)
{
    if (!take_length(x))
        return;
    x->piece = (size_t)exchange_parameter(x, "piece", SLOW_PIECE);
    if (x->piece == 0 || x->piece > PIECE_MAX)
        x->piece = PIECE_MAX;
    x->every_ms = (long)exchange_parameter(x, "every", SLOW_MS);
    start_stream(x, exchange_parameter(x, "chunked", 0) ? LENGTH_CHUNKED : (int64_t)x->left);
}

/* The head promises more than comes. */
static void answer_cut(struct exchange *x)
{
    if (!take_length(x))
        return;
    x->finale = exchange_parameter(x, "reset", 0) ? FINALE_RESET : FINALE_CUT;
    start_stream(x, exchange_parameter(x, "chunked", 0)
                        ? LENGTH_CHUNKED
                        : (int64_t)exchange_parameter(x, "length", x->left + 1000));
}

/* No length at all: the end of the connection is the end of the body (with close_notify). */
static void answer_until_close(struct exchange *x)
{
    x->arguments[0] = x->arguments[0].len > 0 ? x->arguments[0] : TEXT("10000");
    if (!take_length(x))
        return;
    x->closing = CLOSING_SAID;
    start_stream(x, LENGTH_NONE);
}

#define ANYWHERE .hosts = ON_ANY

const struct route routes_streams[] = {
    { "bytes", "*", "/_sim/bytes/{}", answer_bytes, ANYWHERE },
    { "slow", "*", "/_sim/slow/{}", answer_slow, ANYWHERE },
    { "cut", "*", "/_sim/cut/{}", answer_cut, ANYWHERE },
    { "until-close", "*", "/_sim/until-close", answer_until_close, ANYWHERE },
    { "until-close", "*", "/_sim/until-close/{}", answer_until_close, ANYWHERE },
    { 0 },
};
