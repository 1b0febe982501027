/* The one line that an ended exchange leaves in the log, and the names it goes by. What it says of
 * the request is enough to judge it again (proxy/access_log.c reads it back), and no more: of the
 * query, which may hold anything, the account alone. */
#include <stdio.h>
#include <string.h>

#include "proxy/exchange_parts.h"
#include "proxy/log_mask.h"

static void put_hex(char out[16], uint64_t value)
{
    for (size_t i = 16; i-- > 0; value >>= 4)
        out[i] = "0123456789abcdef"[value & 0xf];
}

void exchange_id(const struct exchange *x, char out[33])
{
    put_hex(out, x->context->id_prefix);
    put_hex(out + 16, x->id);
    out[32] = '\0';
}

struct text exchange_date(struct exchange_context *context)
{
    time_t now = time(NULL);
    struct tm parts;

    if (now != context->date_second) {
        context->date_second = now;
        gmtime_r(&now, &parts);
        strftime(context->date, sizeof(context->date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    }
    return text_of(context->date);
}

const char *exchange_verdict_name(enum verdict_kind kind)
{
    return kind == VERDICT_ALLOW ? "allow" : kind == VERDICT_DENY ? "deny" : "refuse";
}

void exchange_log_rule(struct log *log, const char *line_key, const char *file_key,
                       const struct verdict *verdict, const char *manifest)
{
    const struct place *rule = &verdict->rule;

    if (!rule->line)
        return;
    log_number(log, line_key, rule->line);
    if (rule->file && strcmp(rule->file, manifest) != 0)
        log_text(log, file_key, text_of(rule->file));
}

void exchange_log_method(struct log *log, const struct exchange *x)
{
    log_text(log, "method", text_of(x->method));
    if (x->method_cut)
        log_number(log, "method_cut", 1);
}

void exchange_log_destination(struct log *log, const struct exchange *x)
{
    char authority[AUTHORITY_MAX];
    size_t len = destination_authority(&x->destination, authority);

    if (x->destination.scheme == SCHEME_HTTP)
        log_text(log, "scheme", TEXT("http"));
    log_text(log, "destination", (struct text){ authority, len });
    log_text(log, "path", (struct text){ x->path, x->path_len });
    if (x->path_cut)
        log_number(log, "path_cut", 1);
    if (x->path_masked)
        log_number(log, "path_masked", 1);
    if (x->an[0])
        log_text(log, "an", text_of(x->an));
}

/* It may tell of the path. */
void exchange_log_detail(struct log *log, const char *sentence)
{
    char masked[2 * LIMIT_DETAIL_BYTES];
    size_t len = strnlen(sentence, sizeof(masked));

    memcpy(masked, sentence, len);
    log_mask(masked, &len);
    log_text(log, "detail", (struct text){ masked, len });
}

static void log_times(struct log *log, const struct exchange *x, uint64_t now_us)
{
    uint64_t ours_us = exchange_ours_us(x), first_byte_us = exchange_first_byte_us(x);

    log_number(log, "total_us", now_us - x->begun_us);
    if (ours_us)
        log_number(log, "ours_us", ours_us);
    if (x->token_wait_us)
        log_number(log, "token_wait_us", x->token_wait_us);
    if (x->head_us)
        log_number(log, "origin_us", x->head_us - x->begun_us);
    if (first_byte_us)
        log_number(log, "first_byte_us", first_byte_us);
}

static void log_judgement(struct log *log, const struct exchange *x)
{
    exchange_log_destination(log, x);
    log_text(log, "realm", text_of(realm_name(x->realm)));
    log_text(log, "verdict",
             text_of(x->would_deny[0] ? "would-deny" : exchange_verdict_name(x->verdict.kind)));
    exchange_log_rule(log, "rule_line", "rule_file", &x->verdict,
                      x->context->settings->manifest_file);
    log_text(log, "identity", text_of(identity_name(x->identity.kind)));
    if (x->token)
        log_number(log, "token_generation", token_generation(x->token));
}

static void log_connecting(struct log *log, const struct origin_facts *facts)
{
    log_number(log, "connect_us", facts->connect_us);
    log_number(log, "dns_us", facts->dns_us);
    if (facts->tcp_us)
        log_number(log, "tcp_us", facts->tcp_us);
    if (facts->tls_us)
        log_number(log, "tls_us", facts->tls_us);
    log_number(log, "resumed", facts->resumed);
}

void exchange_log(const struct exchange *x, uint64_t now_us)
{
    const struct outcome_row *row = outcome_row(x->outcome);
    struct log *log = x->context->log;
    char id[33], client[ADDRESS_TEXT_MAX];

    if (!log_wants(log, row->level))
        return;
    exchange_id(x, id);
    client_address(x->client, client);
    log_begin(log, row->level, "exchange");
    log_text(log, "id", text_of(id));
    log_text(log, "client", text_of(client));
    if (x->trace.id[0]) {
        log_text(log, "trace_id", text_of(x->trace.id));
        log_text(log, "parent_id", text_of(x->trace.parent));
    }
    if (x->method[0])
        exchange_log_method(log, x);
    if (x->judged)
        log_judgement(log, x);
    if (x->context->guard)
        log_text(log, "guarded_path", (struct text){ x->path, x->path_len });
    exchange_graphql_log(log, x);
    log_number(log, "status", x->status);
    log_text(log, "outcome", text_of(row->name));
    if (x->detail[0] || x->would_deny[0])
        exchange_log_detail(log, x->detail[0] ? x->detail : x->would_deny);
    log_number(log, "bytes_up", x->request.bytes);
    log_number(log, "bytes_down", x->bytes_down);
    if (x->scrubbed)
        log_number(log, "scrubbed", x->scrubbed);
    log_times(log, x, now_us);
    log_number(log, "reused", x->reused);
    if (!x->reused && x->origin_facts.connect_us)
        log_connecting(log, &x->origin_facts);
    log_number(log, "retries", x->retries);
    if (x->resends)
        log_number(log, "token_resends", x->resends);
    log_end(log);
}
