/* Any bytes as a log. What must hold:
 *
 *   it ends, and every line is told once, in order
 *   what comes out as a request is a token, and a URL of http or https whose query is the account's
 *   a first line is of the same kind behind what a collector puts before it */
#include <stdio.h>
#include <stdlib.h>

#include "proxy/access_log.h"
#include "proxy/http/syntax.h"
#include "proxy/limits.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static unsigned long lines_of(const unsigned char *data, size_t size)
{
    unsigned long n = 0;

    for (size_t i = 0; i < size; i++)
        n += data[i] == '\n';
    return n + (size > 0 && data[size - 1] != '\n');
}

static void check_record(const struct access_record *record)
{
    struct text url = record->url;
    const char *query = memchr(url.at, '?', url.len);

    CHECK(syntax_all(record->method, BYTE_TCHAR));
    CHECK(text_starts(url, TEXT("https://")) || text_starts(url, TEXT("http://")));
    CHECK(url.len <= LIMIT_LOG_LINE_BYTES + ACCESS_PREFIX_BYTES + 32);
    CHECK(!query || text_starts(text_span(query, url.at + url.len), TEXT("?an=")));
    CHECK(!query || !memchr(query + 1, '?', (size_t)(url.at + url.len - query - 1)));
    CHECK(record->status <= 999);
    CHECK(record->verdict.len > 0);
}

static void read_all(const unsigned char *data, size_t size)
{
    char *bytes = text_dup((struct text){ (const char *)data, size });
    FILE *input = fmemopen(bytes, size, "r");
    struct access_log *log = access_log_new(input);
    struct access_record record;
    enum access_line kind;
    unsigned long line = 0;

    while ((kind = access_log_next(log, &record)) != ACCESS_LINE_END) {
        CHECK(record.line == ++line);
        if (kind == ACCESS_LINE_EXCHANGE)
            check_record(&record);
    }
    CHECK(line == lines_of(data, size));
    access_log_free(log);
    fclose(input);
    free(bytes);
}

static enum access_line first_kind(const char *prefix, const unsigned char *data, size_t size)
{
    static char bytes[2 * LIMIT_LOG_LINE_BYTES];
    size_t before = strlen(prefix);

    memcpy(bytes, prefix, before);
    memcpy(bytes + before, data, size);
    FILE *input = fmemopen(bytes, before + size, "r");
    struct access_log *log = access_log_new(input);
    struct access_record record;
    enum access_line kind = access_log_next(log, &record);
    access_log_free(log);
    fclose(input);
    return kind;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size == 0)
        return 0;
    read_all(data, size);
    if (size < LIMIT_LOG_LINE_BYTES && data[0] != '\r')
        CHECK(first_kind("", data, size) == first_kind("sidecar-1  | ", data, size));
    return 0;
}
