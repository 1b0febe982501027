#include "proxy/http/names.h"

struct known_name {
    struct text name;
    enum header_id id;
};

/* Ordered by length, so that a name is compared only with names of its own length. */
static const struct known_name known[] = {
    { TEXT_INIT("te"), HEADER_TE },
    { TEXT_INIT("host"), HEADER_HOST },
    { TEXT_INIT("date"), HEADER_DATE },
    { TEXT_INIT("cookie"), HEADER_COOKIE },
    { TEXT_INIT("expect"), HEADER_EXPECT },
    { TEXT_INIT("origin"), HEADER_ORIGIN },
    { TEXT_INIT("upgrade"), HEADER_UPGRADE },
    { TEXT_INIT("trailer"), HEADER_TRAILER },
    { TEXT_INIT("connection"), HEADER_CONNECTION },
    { TEXT_INIT("keep-alive"), HEADER_KEEP_ALIVE },
    { TEXT_INIT("tracestate"), HEADER_TRACESTATE },
    { TEXT_INIT("traceparent"), HEADER_TRACEPARENT },
    { TEXT_INIT("x-janus-auth"), HEADER_JANUS_AUTH },
    { TEXT_INIT("max-forwards"), HEADER_MAX_FORWARDS },
    { TEXT_INIT("authorization"), HEADER_AUTHORIZATION },
    { TEXT_INIT("content-length"), HEADER_CONTENT_LENGTH },
    { TEXT_INIT("sec-fetch-site"), HEADER_SEC_FETCH_SITE },
    { TEXT_INIT("x-janus-caller"), HEADER_JANUS_CALLER },
    { TEXT_INIT("x-vtex-proxy-to"), HEADER_PROXY_TO },
    { TEXT_INIT("x-vtex-use-https"), HEADER_USE_HTTPS },
    { TEXT_INIT("proxy-connection"), HEADER_PROXY_CONNECTION },
    { TEXT_INIT("content-encoding"), HEADER_CONTENT_ENCODING },
    { TEXT_INIT("x-vtex-api-appkey"), HEADER_APP_KEY },
    { TEXT_INIT("transfer-encoding"), HEADER_TRANSFER_ENCODING },
    { TEXT_INIT("x-vtex-remote-port"), HEADER_REMOTE_PORT },
    { TEXT_INIT("proxy-authorization"), HEADER_PROXY_AUTHORIZATION },
    { TEXT_INIT("vtexidclientautcookie"), HEADER_VTEX_ID },
};

enum { LONGEST = 21 };

/* first_of_length[n] is the first row whose name has n bytes or more. */
static unsigned char first_of_length[LONGEST + 2];

/* Before main(), so that no two threads can meet here. */
__attribute__((constructor)) static void index_lengths(void)
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
    for (size_t row = first_of_length[name.len]; row < first_of_length[name.len + 1]; row++) {
        if (known[row].name.at[0] == ascii_lower(name.at[0]) &&
            text_eq_nocase(known[row].name, name))
            return known[row].id;
    }
    return HEADER_OTHER;
}
