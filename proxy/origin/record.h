/* proxy/origin/record.h - what is known of one family of a name, and until when. Pure.
 *
 * Times are of CLOCK_BOOTTIME: a TTL runs while the machine sleeps. Zero-initialised is: nothing is known. */
#ifndef PROXY_ORIGIN_RECORD_H
#define PROXY_ORIGIN_RECORD_H

#include "proxy/origin/dns.h"

struct record {
    struct ip
        *items;     /* of the last answer that was none of failure; to be used only if DNS_FOUND */
    size_t n, turn; /* turn: with which of them the next connection begins */
    bool answered;  /* there was such an answer */
    bool cut;       /* it had more */
    bool asking;    /* a question is under way */
    enum dns_outcome outcome;
    const char *why;           /* unless DNS_FOUND; static */
    uint64_t until_ms, ask_ms; /* the end of the outcome; when to ask ahead of it, never later */
};

void record_fini(struct record *record);
bool record_is_fresh(const struct record *record, uint64_t now_ms);
/* Whether the last answer had it. */
bool record_has(const struct record *record, const struct ip *ip);
/* Ends `asking`. True if the name leads elsewhere than by the answer before. A failure changes nothing that
 * still holds. */
bool record_take(struct record *record, const struct dns_answer *answer, uint64_t now_ms);
/* Believed until then at most. */
void record_shorten(struct record *record, uint64_t until_ms);

#endif
