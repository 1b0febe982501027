#include "proxy/access_log.h"

#include <stdlib.h>

#include "config/memory.h"
#include "proxy/access_log_parts.h"
#include "proxy/http/syntax.h"
#include "proxy/limits.h"

enum {
    LINE_MAX_BYTES = ACCESS_PREFIX_BYTES + LIMIT_LOG_LINE_BYTES,
    URL_MAX_BYTES = LIMIT_LOG_LINE_BYTES + 32, /* parts of one line, "https://" and "?an=%3F" */
    STATUS_MAX = 999,
};

struct access_log {
    FILE *input;
    unsigned long line;
    size_t len;
    bool ended; /* the line has its end: nothing of it is missing */
    char bytes[LINE_MAX_BYTES];
    char url[URL_MAX_BYTES];
};

static const struct text keys[N_KEYS] = {
    [KEY_TIME] = TEXT_INIT("time"),
    [KEY_LEVEL] = TEXT_INIT("level"),
    [KEY_EVENT] = TEXT_INIT("event"),
    [KEY_METHOD] = TEXT_INIT("method"),
    [KEY_METHOD_CUT] = TEXT_INIT("method_cut"),
    [KEY_SCHEME] = TEXT_INIT("scheme"),
    [KEY_DESTINATION] = TEXT_INIT("destination"),
    [KEY_PATH] = TEXT_INIT("path"),
    [KEY_PATH_CUT] = TEXT_INIT("path_cut"),
    [KEY_PATH_MASKED] = TEXT_INIT("path_masked"),
    [KEY_AN] = TEXT_INIT("an"),
    [KEY_VERDICT] = TEXT_INIT("verdict"),
    [KEY_STATUS] = TEXT_INIT("status"),
    [KEY_OUTCOME] = TEXT_INIT("outcome"),
};

struct access_log *access_log_new(FILE *input)
{
    struct access_log *log = mem_alloc(1, sizeof(*log));

    log->input = input;
    return log;
}

void access_log_free(struct access_log *log)
{
    free(log);
}

/* ---- lines ---- */

enum line_read { LINE_READ, LINE_TOO_LONG, LINE_NONE };

/* What does not fit is read away and not kept. */
static enum line_read read_line(struct access_log *log)
{
    bool fits = true;
    int c;

    log->len = 0;
    log->ended = false;
    while ((c = getc_unlocked(log->input)) != EOF && c != '\n') {
        fits = fits && log->len < sizeof(log->bytes);
        if (fits)
            log->bytes[log->len++] = (char)c;
    }
    log->ended = c == '\n';
    if (!log->ended && log->len == 0)
        return LINE_NONE;
    log->line++;
    if (log->len && log->bytes[log->len - 1] == '\r')
        log->len--; /* it went through a Windows machine */
    return fits ? LINE_READ : LINE_TOO_LONG;
}

static bool starts_at(const char *at, const char *end, struct text start)
{
    return (size_t)(end - at) >= start.len && memcmp(at, start.at, start.len) == 0;
}

/* Where our part of the line begins; NULL if it is not ours. The first place counts and no other:
 * behind it stands what clients sent, which may look like anything. */
static char *find_start(struct access_log *log)
{
    char *end = log->bytes + log->len;

    for (char *at = log->bytes; at < end; at++) {
        if ((at == log->bytes || at[-1] == ' ' || at[-1] == '\t') &&
            (starts_at(at, end, TEXT("time=")) || starts_at(at, end, TEXT("{\"time\":")) ||
             starts_at(at, end, TEXT("{ \"time\":"))))
            return at;
    }
    return NULL;
}

/* ---- fields ---- */

/* Takes one byte of a quoted value off the front, unescaped; -1: it is none. */
static int next_quoted(char **at, const char *end)
{
    const char *in = *at;
    size_t left = (size_t)(end - in);
    unsigned char c = (unsigned char)*in;

    if (c < 0x20 || c >= 0x7f)
        return -1; /* we would have escaped it */
    if (c != '\\') {
        *at += 1;
        return c;
    }
    if (left >= 2 && (in[1] == '"' || in[1] == '\\')) {
        *at += 2;
        return in[1];
    }
    if (left < 4 || in[1] != 'x' || ascii_hex(in[2]) < 0 || ascii_hex(in[3]) < 0)
        return -1;
    *at += 4;
    return ascii_hex(in[2]) * 16 + ascii_hex(in[3]);
}

/* Unescapes in place: what comes out is never longer than what went in. */
static bool take_quoted(char **at, const char *end, struct text *out)
{
    char *in = *at + 1, *to = in;
    const char *from = in;

    while (in < end && *in != '"') {
        int c = next_quoted(&in, end);
        if (c < 0)
            return false;
        *to++ = (char)c;
    }
    *at = in + 1;
    *out = text_span(from, to);
    return in < end;
}

static bool take_plain(char **at, const char *end, struct text *out)
{
    const char *from = *at;

    for (; *at < end && **at != ' '; ++*at) {
        unsigned char c = (unsigned char)**at;
        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return false;
    }
    *out = text_span(from, *at);
    return out->len > 0; /* an empty value is written as "" */
}

static bool take_field(char **at, const char *end, struct text *key, struct text *value)
{
    const char *from = *at;
    bool taken;

    while (*at < end && ((**at >= 'a' && **at <= 'z') || **at == '_'))
        ++*at;
    *key = text_span(from, *at);
    if (key->len == 0 || *at == end || *(*at)++ != '=')
        return false;
    taken = *at < end && **at == '"' ? take_quoted(at, end, value) : take_plain(at, end, value);
    if (!taken || (*at < end && **at != ' '))
        return false;
    while (*at < end && **at == ' ')
        ++*at;
    return true;
}

bool access_keep_field(struct fields *fields, struct text key, struct text value)
{
    for (size_t i = 0; i < N_KEYS; i++) {
        if (!text_eq(key, keys[i]))
            continue;
        if (fields->value[i].at)
            return false;
        fields->value[i] = value;
    }
    return true;
}

bool access_is_key(struct text key, enum key which)
{
    return text_eq(key, keys[which]);
}

bool access_is_exchange(const struct fields *fields)
{
    return text_eq(fields->value[KEY_EVENT], TEXT("exchange"));
}

/* "time=... level=... event=exchange": the beginning of our lines, in this order. */
static bool take_beginning(char **at, const char *end, struct fields *fields)
{
    for (size_t i = KEY_TIME; i <= KEY_EVENT; i++) {
        struct text key;

        if (!take_field(at, end, &key, &fields->value[i]) || !access_is_key(key, i))
            return false;
    }
    return access_is_exchange(fields);
}

static bool take_rest(char **at, const char *end, struct fields *fields)
{
    struct text key, value;

    while (*at < end) {
        if (!take_field(at, end, &key, &value) || !access_keep_field(fields, key, value))
            return false;
    }
    return true;
}

/* ---- what they say ---- */

/* What would end the authority in a URL. Anything else the URL's own parser judges. */
static bool is_authority(struct text value)
{
    if (!value.at)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (strchr("/?#@\\ ", value.at[i])) /* NUL too */
            return false;
    }
    return value.len > 0;
}

static bool is_path(struct text value)
{
    return value.at && text_starts(value, TEXT("/")) && !memchr(value.at, '?', value.len);
}

/* tenant_name_in_query(): a name, or "?". */
static bool is_account(struct text value)
{
    if (!value.at)
        return true; /* nobody is named */
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return text_eq(value, TEXT("?"));
    }
    return value.len > 0;
}

static bool is_verdict(struct text value)
{
    return text_eq(value, TEXT("allow")) || text_eq(value, TEXT("deny")) ||
           text_eq(value, TEXT("refuse")) || text_eq(value, TEXT("would-deny"));
}

static bool is_sound(const struct fields *fields)
{
    const struct text *value = fields->value;

    return syntax_all(value[KEY_METHOD], BYTE_TCHAR) && is_authority(value[KEY_DESTINATION]) &&
           is_path(value[KEY_PATH]) && is_verdict(value[KEY_VERDICT]) &&
           (!value[KEY_SCHEME].at || text_eq(value[KEY_SCHEME], TEXT("http"))) &&
           is_account(value[KEY_AN]);
}

static void add(struct access_log *log, struct text *url, struct text part)
{
    if (part.len)
        memcpy(log->url + url->len, part.at, part.len);
    url->len += part.len;
}

static struct text url_of(struct access_log *log, const struct fields *fields)
{
    struct text url = { log->url, 0 }, an = fields->value[KEY_AN];

    add(log, &url, fields->value[KEY_SCHEME].at ? TEXT("http://") : TEXT("https://"));
    add(log, &url, fields->value[KEY_DESTINATION]);
    add(log, &url, fields->value[KEY_PATH]);
    if (an.at) {
        add(log, &url, TEXT("?an="));
        add(log, &url, text_eq(an, TEXT("?")) ? TEXT("%3F") : an);
    }
    return url;
}

/* The status and the outcome stand behind all else that is read here. Where the writer had no room for
 * them, or the input ends within them, something before may be missing too. */
static bool is_whole(const struct access_log *log, const struct text *value)
{
    struct text last = value[KEY_OUTCOME].at ? value[KEY_OUTCOME] : value[KEY_STATUS];

    return value[KEY_STATUS].at && (log->ended || last.at + last.len < log->bytes + log->len) &&
           !value[KEY_METHOD_CUT].at && !value[KEY_PATH_CUT].at && !value[KEY_PATH_MASKED].at;
}

static enum access_line judge_fields(struct access_log *log, const struct fields *fields,
                                     struct access_record *out)
{
    const struct text *value = fields->value;
    unsigned long long status;

    if (fields->cut || !is_whole(log, value))
        return ACCESS_LINE_INCOMPLETE;
    if (!text_to_uint(value[KEY_STATUS], STATUS_MAX, &status))
        return ACCESS_LINE_BROKEN;
    if (!value[KEY_DESTINATION].at && !value[KEY_PATH].at && !value[KEY_VERDICT].at)
        return ACCESS_LINE_UNJUDGED;
    if (!is_sound(fields))
        return ACCESS_LINE_BROKEN;
    out->time = value[KEY_TIME];
    out->method = value[KEY_METHOD];
    out->url = url_of(log, fields);
    out->verdict = value[KEY_VERDICT];
    out->status = (unsigned)status;
    out->outcome = value[KEY_OUTCOME];
    return ACCESS_LINE_EXCHANGE;
}

enum access_line access_log_next(struct access_log *log, struct access_record *out)
{
    enum line_read read = read_line(log);
    struct fields fields = { 0 };
    const char *end = log->bytes + log->len;
    bool json;
    char *at;

    *out = (struct access_record){ .line = log->line };
    if (read != LINE_READ)
        return read == LINE_NONE ? ACCESS_LINE_END : ACCESS_LINE_BROKEN;
    at = find_start(log);
    json = at && *at == '{';
    if (!at || !(json ? access_json_beginning : take_beginning)(&at, end, &fields))
        return ACCESS_LINE_OTHER;
    if (!(json ? access_json_rest : take_rest)(&at, end, &fields))
        return ACCESS_LINE_BROKEN;
    return judge_fields(log, &fields, out);
}
