/* proxy/token/forms.h - the ways in which a token may stand in a response.
 *
 *   raw       as it is
 *   percent   RFC 3986, JavaScript's encodeURIComponent and encodeURI, HTML forms, Python's quote, and all
 *             but letters and digits; hex digits all in one case
 *   JSON      \/ and the \u00XX that common encoders write for  < > & ' ` + = /
 *   base64    in the three positions that it can have in a longer text, both alphabets. What shares a
 *             character with its neighbours is left off, so that `user:TOKEN` is found too.
 *
 * Each differs from the others: a JWT is the same raw, in JSON and in most percent-encodings. Pure. */
#ifndef PROXY_TOKEN_FORMS_H
#define PROXY_TOKEN_FORMS_H

#include "config/text.h"

enum {
    FORM_TOKEN_MIN = 8, /* a shorter token is a word that stands in ordinary text: not watched */
    FORM_BYTES_MAX = 6, /* the most that one byte of a token becomes */
    FORMS_MAX = 64,     /* of two tokens */
};

struct forms {
    struct text items[FORMS_MAX]; /* each FORM_TOKEN_MIN bytes or more; in `bytes` */
    size_t n;
    char *bytes; /* locked, all in one: the system may lock little for us */
    size_t len, size;
};

/* Adds those of `token` that are not there yet; none if it is too short. Zero-initialise `forms`.
 * The items may move. */
void forms_add(struct forms *forms, struct text token);
void forms_fini(struct forms *forms); /* wipes */

#endif
