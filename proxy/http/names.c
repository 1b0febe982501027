#include "proxy/http/names.h"

struct known_name {
    struct text name;
    enum header_id id;
};

#define KNOWN(literal, id)                                                                         \
    {                                                                                              \
        { literal, sizeof(literal) - 1 }, id                                                       \
    }

/* Ordered by length, so that a name is compared only with names of its own length. */
static const struct known_name known[] = {
    KNOWN("te", HEADER_TE),
    KNOWN("host", HEADER_HOST),
    KNOWN("date", HEADER_DATE),
    KNOWN("cookie", HEADER_COOKIE),
    KNOWN("expect", HEADER_EXPECT),
    KNOWN("origin", HEADER_ORIGIN),
    KNOWN("upgrade", HEADER_UPGRADE),
    KNOWN("trailer", HEADER_TRAILER),
    KNOWN("connection", HEADER_CONNECTION),
    KNOWN("keep-alive", HEADER_KEEP_ALIVE),
    KNOWN("x-janus-auth", HEADER_JANUS_AUTH),
    KNOWN("authorization", HEADER_AUTHORIZATION),
    KNOWN("content-length", HEADER_CONTENT_LENGTH),
    KNOWN("sec-fetch-site", HEADER_SEC_FETCH_SITE),
    KNOWN("x-vtex-proxy-to", HEADER_PROXY_TO),
    KNOWN("x-vtex-use-https", HEADER_USE_HTTPS),
    KNOWN("proxy-connection", HEADER_PROXY_CONNECTION),
    KNOWN("x-vtex-api-appkey", HEADER_APP_KEY),
    KNOWN("transfer-encoding", HEADER_TRANSFER_ENCODING),
    KNOWN("x-vtex-remote-port", HEADER_REMOTE_PORT),
    KNOWN("proxy-authorization", HEADER_PROXY_AUTHORIZATION),
    KNOWN("vtexidclientautcookie", HEADER_VTEX_ID),
};

enum { LONGEST = 21 };

/* first_of_length[n] is the first row whose name has n bytes or more; filled on first use. */
static unsigned char first_of_length[LONGEST + 2];

static void index_lengths(void)
{
    size_t row = 0;

    for (size_t len = 0; len < sizeof(first_of_length); len++) {
        while (row < sizeof(known) / sizeof(known[0]) && known[row].name.len < len)
            row++;
        first_of_length[len] = (unsigned char)row;
    }
}

enum header_id header_id_of(struct text name)
{
    if (name.len < 2 || name.len > LONGEST)
        return HEADER_OTHER;
    if (first_of_length[LONGEST + 1] == 0)
        index_lengths();
    for (size_t row = first_of_length[name.len]; row < first_of_length[name.len + 1]; row++) {
        if (text_eq_nocase(known[row].name, name))
            return known[row].id;
    }
    return HEADER_OTHER;
}
