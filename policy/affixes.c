#include "policy/affixes.h"

/* From the last byte to the first. */
static int compare_backwards(struct text a, struct text b, size_t n)
{
    for (size_t i = 1; i <= n; i++) {
        unsigned char x = (unsigned char)a.at[a.len - i], y = (unsigned char)b.at[b.len - i];

        if (x != y)
            return x - y;
    }
    return 0;
}

int affix_compare(enum affix_side side, struct text a, struct text b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = 0;

    if (n > 0)
        order = side == AFFIX_FRONT ? memcmp(a.at, b.at, n) : compare_backwards(a, b, n);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static bool is_affix(enum affix_side side, struct text text, struct text subject)
{
    return side == AFFIX_FRONT ? text_starts(subject, text) : text_ends(subject, text);
}

/* `at` or the first of its ancestors that is an affix of `subject`. */
static const struct affix *climb(enum affix_side side, const struct affix *at, struct text subject)
{
    while (at && !is_affix(side, at->text, subject))
        at = at->parent;
    return at;
}

/* Between an affix of a text and the text itself stand only texts with that affix: so the affixes
 * of each are found above the one before it. */
void affixes_link(enum affix_side side, struct affix *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        texts[i].parent = i > 0 ? climb(side, &texts[i - 1], texts[i].text) : NULL;
}

const struct affix *affixes_find(enum affix_side side, const struct affix *texts, size_t n,
                                 struct text subject)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (affix_compare(side, texts[middle].text, subject) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? climb(side, &texts[low - 1], subject) : NULL;
}
