/* Proxy-Status: an item of RFC 8941, whatever bytes its details are made of. */
#include <string.h>

#include "proxy/proxy_status.h"
#include "tests/unit/stories.h"

static struct line {
    const char *name, *error;
    struct text details;
    const char *want;
} lines[] = {
    { "nothing to say", NULL, { NULL, 0 }, "Proxy-Status: janus-sidecar\r\n" },
    { "an error", "dns_error", { NULL, 0 }, "Proxy-Status: janus-sidecar; error=dns_error\r\n" },
    { "details", NULL, { "a b", 3 }, "Proxy-Status: janus-sidecar; details=\"a b\"\r\n" },
    { "both",
      "dns_error",
      { "x", 1 },
      "Proxy-Status: janus-sidecar; error=dns_error; details=\"x\"\r\n" },
    { "quotes and backslashes",
      NULL,
      { "a\"b\\", 4 },
      "Proxy-Status: janus-sidecar; details=\"a\\\"b\\\\\"\r\n" },
    { "a list's comma and a parameter's semicolon are only text",
      NULL,
      { "a, b; c=d", 9 },
      "Proxy-Status: janus-sidecar; details=\"a, b; c=d\"\r\n" },
    { "a line of its own cannot be made",
      NULL,
      { "a\r\nSet-Cookie: x", 16 },
      "Proxy-Status: janus-sidecar; details=\"a??Set-Cookie: x\"\r\n" },
    { "NUL, DEL and what is not ASCII",
      NULL,
      { "\0\x7f\xc3\xa9~", 5 },
      "Proxy-Status: janus-sidecar; details=\"????~\"\r\n" },
};

static void is_written(void **state)
{
    const struct line *story = *state;
    struct buffer out;

    buffer_init(&out, 1024);
    proxy_status_add(&out, story->error, story->details);
    struct text got = buffer_waiting(&out);
    assert_int_equal(got.len, strlen(story->want));
    assert_memory_equal(got.at, story->want, got.len);
    buffer_fini(&out);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, lines, is_written);
    return stories_run("proxy_status", &stories);
}
