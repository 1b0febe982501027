/* Any bytes as a value of a line. What must hold, in both forms:
 *
 *   it is one line, of printable ASCII, no longer than a line may be
 *   as JSON it is an object with the keys that were written, and no more
 *   what is read back as a path is the bytes that were written, or is told to be a part
 *   what is masked is not longer than it was, and masking it again changes nothing */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proxy/access_log.h"
#include "proxy/limits.h"
#include "proxy/log.h"
#include "proxy/log_mask.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static int fd; /* one for all runs: making one a run would be most of the work */

static size_t write_line(enum log_format format, struct text value, char *out, size_t room)
{
    struct log *log;

    CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    log = log_open(NULL, log_sink_to(fd, true), LOG_INFO, format);
    log_begin(log, LOG_INFO, "exchange");
    log_text(log, "method", TEXT("GET"));
    log_text(log, "destination", TEXT("a.test"));
    log_text(log, "path", value);
    log_text(log, "verdict", TEXT("allow"));
    log_number(log, "status", 200);
    log_end(log);
    log_free(log);
    ssize_t n = pread(fd, out, room - 1, 0);
    CHECK(n > 0);
    out[n] = '\0';
    return (size_t)n;
}

static void check_bytes(const char *line, size_t n)
{
    CHECK(n <= LIMIT_LOG_LINE_BYTES && line[n - 1] == '\n');
    for (size_t i = 0; i + 1 < n; i++)
        CHECK(line[i] >= 0x20 && line[i] < 0x7f);
}

static void check_object(const char *line)
{
    static const char *const known[] = { "time",        "level", "event",   "method",
                                         "destination", "path",  "verdict", "status" };
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    size_t n = 0;

    CHECK(json_is_object(object));
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        n += json_object_get(object, known[i]) != NULL;
    CHECK(n == json_object_size(object));
    json_decref(object);
}

static void check_read_back(char *line, size_t n, struct text path)
{
    struct text start = TEXT("https://a.test");
    FILE *file = fmemopen(line, n, "r");
    struct access_log *log = access_log_new(file);
    struct access_record record;

    enum access_line kind = access_log_next(log, &record);
    if (kind == ACCESS_LINE_EXCHANGE)
        CHECK(record.url.len == start.len + path.len &&
              memcmp(record.url.at + start.len, path.at, path.len) == 0);
    else /* cut, or no path at all */
        CHECK(kind == ACCESS_LINE_INCOMPLETE || kind == ACCESS_LINE_BROKEN);
    access_log_free(log);
    fclose(file);
}

static void check_mask(struct text value)
{
    char *bytes = text_dup(value);
    size_t n = value.len, once;

    bool masked = log_mask(bytes, &n);
    CHECK(n <= value.len);
    CHECK(masked || (n == value.len && memcmp(bytes, value.at, n) == 0));
    once = n;
    log_mask(bytes, &n);
    CHECK(n == once);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static char line[2 * LIMIT_LOG_LINE_BYTES];
    struct text value = { (const char *)data, size };

    if (!fd)
        CHECK((fd = memfd_create("log", MFD_CLOEXEC)) > 0);
    if (size == 0)
        return 0;
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        size_t n = write_line((enum log_format)format, value, line, sizeof(line));
        check_bytes(line, n);
        if (format == LOG_JSON)
            check_object(line);
        check_read_back(line, n, value);
    }
    check_mask(value);
    return 0;
}
