#include "proxy/proxy_status.h"

/* RFC 8941, 3.3.3: printable ASCII, with a backslash before quotes and backslashes. */
static void add_string(struct buffer *out, struct text value)
{
    buffer_add(out, TEXT("\""));
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];

        if (c < ' ' || c > '~')
            c = '?';
        if (c == '"' || c == '\\')
            buffer_add(out, TEXT("\\"));
        buffer_add(out, (struct text){ &c, 1 });
    }
    buffer_add(out, TEXT("\""));
}

void proxy_status_add(struct buffer *out, const char *error, struct text details)
{
    buffer_add(out, TEXT("Proxy-Status: janus-sidecar"));
    if (error) {
        buffer_add(out, TEXT("; error="));
        buffer_add(out, text_of(error));
    }
    if (details.len) {
        buffer_add(out, TEXT("; details="));
        add_string(out, details);
    }
    buffer_add(out, TEXT("\r\n"));
}
