/* A second policy that decides nothing: what would it have said? */
#include "proxy/exchange_parts.h"

enum { SENTENCE_MAX = 512 };

static void log_difference(const struct exchange *x, const struct policy *shadow,
                           const struct verdict *other)
{
    const struct settings *settings = x->context->settings;
    struct log *log = x->context->log;
    bool by_shadow = other->kind != VERDICT_ALLOW;
    char id[33], sentence[SENTENCE_MAX];

    verdict_sentence(by_shadow ? shadow : x->policy, by_shadow ? other : &x->verdict,
                     &x->destination, sentence, sizeof(sentence));
    exchange_id(x, id);
    log_begin(log, LOG_INFO, "shadow");
    log_text(log, "id", text_of(id));
    exchange_log_method(log, x);
    exchange_log_destination(log, x);
    log_text(log, "verdict", text_of(exchange_verdict_name(x->verdict.kind)));
    log_text(log, "shadow", text_of(exchange_verdict_name(other->kind)));
    exchange_log_rule(log, "rule_line", "rule_file", &x->verdict, settings->manifest_file);
    exchange_log_rule(log, "shadow_rule_line", "shadow_rule_file", other,
                      settings->shadow_manifest_file);
    exchange_log_detail(log, sentence);
    log_end(log);
}

void exchange_shadow(struct exchange *x, struct text method)
{
    const struct policy *shadow = x->context->shadow;

    if (!shadow)
        return;
    struct verdict other = policy_judge(shadow, method, &x->destination);
    if (other.kind == x->verdict.kind)
        return;
    x->context->n_shadow_differences++;
    if (log_wants(x->context->log, LOG_INFO))
        log_difference(x, shadow, &other);
}
