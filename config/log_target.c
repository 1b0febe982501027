#include "config/log_target.h"

#include <sys/un.h>

enum { SOCKET_PATH_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) };

static bool keep_path(struct text path, size_t max, struct log_target *out, const char **why)
{
    *why = path.len == 0 ? "expected a path behind the colon" : "the path is too long";
    if (path.len == 0 || path.len >= max || memchr(path.at, '\0', path.len))
        return false;
    memcpy(out->path, path.at, path.len);
    out->path[path.len] = '\0';
    return true;
}

bool log_target_parse(struct text text, struct log_target *out, const char **why)
{
    static const struct text file = TEXT_INIT("file:"), syslog = TEXT_INIT("syslog:"),
                             standard = TEXT_INIT("/dev/log");
    struct text behind;

    *out = (struct log_target){ .kind = LOG_TO_STDERR };
    if (text_eq(text, TEXT("stderr")))
        return true;
    if (text_starts(text, file)) {
        out->kind = LOG_TO_FILE;
        return keep_path(text_span(text.at + file.len, text.at + text.len), PATH_MAX, out, why);
    }
    if (text_starts(text, syslog)) {
        behind = text_span(text.at + syslog.len, text.at + text.len);
        out->kind = LOG_TO_SYSLOG;
        return keep_path(behind.len ? behind : standard, SOCKET_PATH_MAX, out, why);
    }
    *why = "expected stderr, syslog: or file:PATH";
    return false;
}
