#include "proxy/grant_wire.h"

#include <assert.h>
#include <jansson.h>

/* ---- requests ---- */

/* Accept-Encoding, because without it any coding would be welcome (RFC 9110, 12.5.3). */
static void add_usual(struct buffer *out, const char *host)
{
    buffer_add(out, TEXT(" HTTP/1.1\r\n"));
    buffer_add_field(out, TEXT("Host"), text_of(host));
    buffer_add_field(out, TEXT("User-Agent"), TEXT("janus-sidecar"));
    buffer_add_field(out, TEXT("Accept"), TEXT("application/json"));
    buffer_add_field(out, TEXT("Accept-Encoding"), TEXT("identity"));
}

/* A struct token holds neither '"' nor '\\' nor anything that is not printable ASCII. */
void grant_write_validate(struct buffer *out, const char *host, struct text token)
{
    buffer_init(out, GRANT_REQUEST_MAX);
    buffer_add(out, TEXT("POST /api/vtexid/credential/validate"));
    add_usual(out, host);
    buffer_add_field(out, TEXT("Content-Type"), TEXT("application/json"));
    buffer_add(out, TEXT("Content-Length: "));
    buffer_add_uint(out, token.len + strlen("{\"token\":\"\"}"));
    buffer_add(out, TEXT("\r\n\r\n{\"token\":\""));
    buffer_add(out, token);
    buffer_add(out, TEXT("\"}"));
    assert(!out->overflowed);
}

/* What may stand in a segment as it is: the directive sends an e-mail address so. Everything else is
 * escaped, so that no code and no name makes another path. */
static bool is_plain(char c)
{
    char low = ascii_lower(c);

    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '~' || c == '@' || c == '+';
}

static void add_segment(struct buffer *out, const char *name, struct text value)
{
    static const char hex[] = "0123456789ABCDEF";

    buffer_add(out, text_of(name));
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        char escaped[3] = { '%', hex[c >> 4], hex[c & 15] };

        if (is_plain((char)c))
            buffer_add(out, (struct text){ value.at + i, 1 });
        else
            buffer_add(out, (struct text){ escaped, 3 });
    }
}

/* Dots, escaped or not, lead elsewhere. */
static bool is_segment(struct text value)
{
    return value.len && !text_eq(value, TEXT(".")) && !text_eq(value, TEXT(".."));
}

bool grant_can_ask(const struct grant_question *question)
{
    return is_segment(text_of(question->account)) && is_segment(text_of(question->user)) &&
           is_segment(question->product) && is_segment(question->resource);
}

void grant_write_granted(struct buffer *out, const char *host,
                         const struct grant_question *question, struct text app_token)
{
    buffer_init(out, GRANT_REQUEST_MAX);
    add_segment(out, "GET /api/license-manager/pvt/accounts/", text_of(question->account));
    add_segment(out, "/products/", question->product);
    add_segment(out, "/logins/", text_of(question->user));
    add_segment(out, "/resources/", question->resource);
    buffer_add(out, TEXT("/granted"));
    add_usual(out, host);
    buffer_add_field(out, TEXT("VtexIdclientAutCookie"), app_token);
    buffer_add(out, TEXT("\r\n"));
}

/* ---- answers ---- */

static enum grant_reading unclear(const char **why, const char *said)
{
    *why = said;
    return READING_UNCLEAR;
}

static const char *reading_of(unsigned status)
{
    if (status >= 500)
        return "it answered that it cannot answer now";
    if (status == 429)
        return "it answered that it was asked too often";
    if (status == 401 || status == 403)
        return "it refused the sidecar itself";
    if (status >= 300 && status < 400)
        return "it answered with a redirect, which is not followed";
    return "it answered neither yes nor no";
}

/* A name that would not come through as one segment, or be cut, is nobody's. */
static bool take_user(const json_t *value, char user[GRANT_USER_MAX + 1])
{
    size_t len = json_string_length(value);

    if (!json_is_string(value) || len == 0 || len > GRANT_USER_MAX)
        return false;
    memcpy(user, json_string_value(value), len + 1);
    return strlen(user) == len;
}

static enum grant_reading read_user(const json_t *object, const char *account,
                                    char user[GRANT_USER_MAX + 1], const char **why)
{
    const char *status = json_string_value(json_object_get(object, "authStatus"));
    const char *theirs = json_string_value(json_object_get(object, "account"));
    const char *audience = json_string_value(json_object_get(object, "audience"));

    if (!status)
        return unclear(why, "it answered 200 without an \"authStatus\"");
    if (strcmp(status, "Success") != 0 || !theirs || strcmp(theirs, account) != 0)
        return READING_NO;
    if (!take_user(json_object_get(object, "user"), user))
        return READING_NO;
    return audience && strcmp(audience, "webstore") == 0 ? READING_NO_SHOPPERS : READING_YES;
}

enum grant_reading grant_read_validate(unsigned status, struct text body, const char *account,
                                       char user[GRANT_USER_MAX + 1], const char **why)
{
    enum grant_reading reading;
    json_t *object;

    if (status == 401)
        return READING_NO;
    if (status != 200)
        return unclear(why, reading_of(status));
    object = json_loadb(body.at ? body.at : "", body.len, JSON_REJECT_DUPLICATES, NULL);
    reading = json_is_object(object)
                  ? read_user(object, account, user, why)
                  : unclear(why, "it answered 200 and something that is no JSON object");
    json_decref(object);
    return reading;
}

/* JSON's blanks, not the locale's. */
static struct text trim(struct text body)
{
    while (body.len && strchr(" \t\r\n", body.at[0]) && body.at[0])
        body = text_span(body.at + 1, body.at + body.len);
    while (body.len && strchr(" \t\r\n", body.at[body.len - 1]) && body.at[body.len - 1])
        body.len--;
    return body;
}

enum grant_reading grant_read_granted(unsigned status, struct text body, const char **why)
{
    if (status != 200)
        return unclear(why, reading_of(status));
    body = trim(body);
    if (text_eq(body, TEXT("true")))
        return READING_YES;
    return text_eq(body, TEXT("false"))
               ? READING_NO
               : unclear(why, "it answered 200 and something that is neither true nor false");
}
