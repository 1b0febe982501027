/* tests/unit/scrub_oracle.h - what masking means, said the slow way: every form is looked for at every
 * place of the whole. For test_scrub and the fuzzer, which feed the same bytes in pieces. */
#ifndef TESTS_UNIT_SCRUB_ORACLE_H
#define TESTS_UNIT_SCRUB_ORACLE_H

#include <stdlib.h>

#include "proxy/token/forms.h"
#include "proxy/token/scrub.h"

struct oracle {
    const struct forms *forms;
    const char *whole; /* as it came */
    size_t len;
    char *covered;  /* 1: belongs to an occurrence */
    char *may_show; /* 1: among the first bytes of one, and may have left before it was known */
};

static inline bool oracle_stands(const struct oracle *oracle, struct text form, size_t at, size_t n)
{
    return n <= oracle->len - at && memcmp(oracle->whole + at, form.at, n) == 0;
}

static inline void oracle_init(struct oracle *oracle, const struct forms *forms, const char *whole,
                               size_t len)
{
    *oracle = (struct oracle){ forms, whole, len, calloc(1, len + 1), calloc(1, len + 1) };
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < forms->n; k++) {
            if (oracle_stands(oracle, forms->items[k], i, forms->items[k].len))
                memset(oracle->covered + i, 1, forms->items[k].len);
        }
    }
}

static inline void oracle_fini(struct oracle *oracle)
{
    free(oracle->covered);
    free(oracle->may_show);
}

/* A piece ended at `end` of the whole: the earliest unfinished form of SCRUB_CERTAIN bytes or more is
 * held from there on. Shorter beginnings leave and are excused. Returns where it begins, or `end`. */
static inline size_t oracle_piece(struct oracle *oracle, size_t left, size_t end)
{
    size_t hold = end;

    for (size_t k = 0; k < oracle->forms->n; k++) {
        struct text form = oracle->forms->items[k];
        for (size_t n = form.len - 1; n > 0; n--) {
            if (n > end || !oracle_stands(oracle, form, end - n, n))
                continue;
            if (n >= SCRUB_CERTAIN)
                hold = end - n < hold ? end - n : hold;
            else
                memset(oracle->may_show + (end - n), 1, n);
        }
    }
    return hold < left ? left : hold;
}

/* True if bytes[0..n), which came out first, are what they have to be. */
static inline bool oracle_agrees(const struct oracle *oracle, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool shows = bytes[i] == oracle->whole[i];
        bool masked = bytes[i] == '*';
        if (oracle->covered[i] ? !masked && !(shows && oracle->may_show[i]) : !shows)
            return false;
    }
    return true;
}

#endif
