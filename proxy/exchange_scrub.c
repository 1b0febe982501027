/* The app token in what comes back: every response is watched, whoever asked, because an origin may
 * keep what it was sent and show it elsewhere. */
#include "proxy/exchange_parts.h"

/* Asked anew for each piece: after a rotation the new token counts at once. */
static const struct scrub *scrub_of(const struct exchange *x)
{
    return x->context->settings->scrub == SCRUB_OFF ? NULL : token_desk_scrub(x->context->desk);
}

static bool may_go_on(struct exchange *x, unsigned found, const char *where)
{
    x->scrubbed += found;
    if (!found || x->context->settings->scrub != SCRUB_CUT)
        return true;
    exchange_fail(x, OUTCOME_TOKEN_IN_RESPONSE, where);
    return false;
}

bool exchange_scrub_head(struct exchange *x, struct text head)
{
    const struct scrub *scrub = scrub_of(x);
    unsigned found = 0;

    if (scrub)
        scrub_whole(scrub, intake_bytes(&x->intake, head), head.len, &found);
    return may_go_on(x, found, "in its head");
}

bool exchange_scrub_body(struct exchange *x)
{
    struct text content = intake_content(&x->intake);
    const struct scrub *scrub = x->compressed ? NULL : scrub_of(x);
    unsigned found = 0;

    x->down.content = content.len;
    if (content.len)
        x->down.content = scrub_piece(scrub, &x->trail, intake_bytes(&x->intake, content),
                                      content.len, x->response.done, &found);
    return may_go_on(x, found, "in its body");
}

/* What a token cannot be seen in (IANA's content codings). Under any other name, `identity` or one that
 * nobody knows, clients take the body as it is. */
bool exchange_is_compressed(const struct head *head)
{
    static const struct text codings[] = {
        TEXT_INIT("gzip"), TEXT_INIT("x-gzip"),   TEXT_INIT("deflate"),      TEXT_INIT("br"),
        TEXT_INIT("zstd"), TEXT_INIT("compress"), TEXT_INIT("x-compress"),   TEXT_INIT("dcb"),
        TEXT_INIT("dcz"),  TEXT_INIT("exi"),      TEXT_INIT("pack200-gzip"), TEXT_INIT("aes128gcm"),
    };

    for (size_t i = 0;
         head->count[HEADER_CONTENT_ENCODING] && i < sizeof(codings) / sizeof(codings[0]); i++) {
        if (head_has_token(head, HEADER_CONTENT_ENCODING, codings[i]))
            return true;
    }
    return false;
}
