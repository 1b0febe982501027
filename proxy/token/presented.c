#include "proxy/token/presented.h"

#include <jansson.h>

#include "proxy/token/jwt.h"

#define NAME TEXT("VtexIdclientAutCookie")

/* By its own word, which is all that is needed to refuse it. */
static bool is_of_a_shopper(struct text token)
{
    json_t *claims = jwt_claims(token);
    const char *audience = json_string_value(json_object_get(claims, "audience"));
    bool store = audience && text_eq(text_of(audience), TEXT("webstore"));

    json_decref(claims);
    return store;
}

static enum presented weigh(struct text token)
{
    return is_of_a_shopper(token) ? PRESENTED_STORE : PRESENTED_SOME;
}

/* Each value of the cookie, in order; those of headers that go no further are passed over. */
static bool next_cookie(const struct head *head, size_t *i, struct text *rest, struct text *value)
{
    struct text whole, name;

    for (;;) {
        while (cookie_next(rest, &whole, &name, value))
            if (text_eq(name, NAME) && value->len)
                return true;
        while (*i < head->n_headers &&
               (head->headers[*i].id != HEADER_COOKIE || head->headers[*i].nominated))
            ++*i;
        if (*i == head->n_headers)
            return false;
        *rest = head->headers[(*i)++].value;
    }
}

static enum presented presented_in_cookie(const struct head *head, const struct identity *identity)
{
    struct text rest = TEXT(""), value;
    size_t i = 0;

    while (next_cookie(head, &i, &rest, &value)) {
        if (!text_eq(value, identity->placeholder))
            return weigh(value);
        if (identity->cookie != FATE_DROP)
            return PRESENTED_SOME;
    }
    return PRESENTED_NONE;
}

static enum presented presented_in_header(const struct head *head, const struct identity *identity)
{
    const struct header *header = &head->headers[head->first[HEADER_VTEX_ID]];

    if (identity->add_vtex_id)
        return PRESENTED_SOME;
    if (identity->user_token.at)
        return identity->kind == IDENTITY_STORE ? PRESENTED_STORE : weigh(identity->user_token);
    if (!head->count[HEADER_VTEX_ID] || header->nominated || !header->value.len)
        return PRESENTED_NONE;
    if (identity->vtex_id == FATE_APP_TOKEN)
        return PRESENTED_SOME;
    return identity->vtex_id == FATE_DROP ? PRESENTED_NONE : weigh(header->value);
}

enum presented presented_by(const struct head *head, const struct identity *identity)
{
    enum presented cookie = presented_in_cookie(head, identity);

    return cookie == PRESENTED_NONE ? presented_in_header(head, identity) : cookie;
}

bool presented_token(const struct head *head, struct text *token)
{
    struct text rest = TEXT(""), value;
    size_t i = 0;

    *token = TEXT_NONE;
    while (next_cookie(head, &i, &rest, &value)) {
        if (token->at && !text_eq(*token, value))
            return false;
        *token = value;
    }
    if (token->at)
        return true;
    for (i = 0; i < head->n_headers; i++) {
        const struct header *header = &head->headers[i];

        if (header->id != HEADER_VTEX_ID || header->nominated || !header->value.len)
            continue;
        if (token->at && !text_eq(*token, header->value))
            return false;
        *token = header->value;
    }
    return true;
}
