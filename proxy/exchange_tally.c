/* What an exchange leaves in the loop's numbers, when it has ended. */
#include "proxy/exchange_parts.h"

static enum tally_verdict verdict_of(const struct exchange *x)
{
    if (!x->judged)
        return TALLY_UNJUDGED;
    if (x->would_deny[0])
        return TALLY_WOULD_DENY;
    return x->verdict.kind == VERDICT_ALLOW  ? TALLY_ALLOW
           : x->verdict.kind == VERDICT_DENY ? TALLY_DENY
                                             : TALLY_REFUSE;
}

/* A microsecond at least: 0 means that there is none. */
static uint64_t span(uint64_t from, uint64_t to)
{
    return to > from ? to - from : 1;
}

uint64_t exchange_ours_us(const struct exchange *x)
{
    return x->seeking_us ? span(x->begun_us + x->token_wait_us, x->seeking_us) : 0;
}

uint64_t exchange_first_byte_us(const struct exchange *x)
{
    return x->head_us && x->asked_us ? span(x->asked_us, x->head_us) : 0;
}

void exchange_tally(const struct exchange *x, uint64_t now_us)
{
    struct tally_exchange ended = {
        .verdict = verdict_of(x),
        .outcome = x->outcome,
        .request_bytes = x->request.bytes,
        .response_bytes = x->bytes_down,
        .total_us = span(x->begun_us, now_us),
        .ours_us = exchange_ours_us(x),
        .first_byte_us = exchange_first_byte_us(x),
    };

    if (x->judged)
        ended.host = (struct text){ x->destination.host, x->destination.host_len };
    tally_ended(x->context->tally, &ended);
}
