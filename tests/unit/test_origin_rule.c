#include "tests/unit/stories.h"

#include <stdio.h>

#include "config/origin_rule.h"

#define ZERO  "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ONES  "sha256///////////////////////////////////////////8="
#define HELLO "sha256/LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=" /* SHA-256 of "hello" */

/* ---- certificates of ours ---- */

static struct certificate_story {
    const char *name, *text;
    const char *host, *certificate, *key; /* NULL: refused */
} certificates[] = {
    { "one file", "a.test=c.pem", "a.test", "c.pem", "c.pem" },
    { "two files", "a.test=c.pem;k.pem", "a.test", "c.pem", "k.pem" },
    { "blanks around", " a.test = c.pem ; k.pem ", "a.test", "c.pem", "k.pem" },
    { "a pattern", "*.a.test=c.pem", "*.a.test", "c.pem", "c.pem" },
    { "any host", "*=c.pem", "*", "c.pem", "c.pem" },
    { "capitals and a dot at the end", "A.Test.=c.pem", "a.test", "c.pem", "c.pem" },
    { "an IPv4 address", "10.0.0.1=c.pem", "10.0.0.1", "c.pem", "c.pem" },
    { "an IPv6 address, in its canonical form", "FD00:0::1=c.pem", "fd00::1", "c.pem", "c.pem" },
    { "a path with an equals sign", "a.test=x=1.pem", "a.test", "x=1.pem", "x=1.pem" },
    { "no host", "=c.pem", NULL, NULL, NULL },
    { "no equals sign", "c.pem", NULL, NULL, NULL },
    { "no file", "a.test=", NULL, NULL, NULL },
    { "no certificate, but a key", "a.test=;k.pem", NULL, NULL, NULL },
    { "an empty key", "a.test=c.pem;", NULL, NULL, NULL },
    { "a port", "a.test:443=c.pem", NULL, NULL, NULL },
    { "a scheme", "https://a.test=c.pem", NULL, NULL, NULL },
    { "a path", "a.test/x=c.pem", NULL, NULL, NULL },
    { "a leading dot", ".a.test=c.pem", NULL, NULL, NULL },
    { "a dot alone", ".=c.pem", NULL, NULL, NULL },
    { "letters beyond ASCII", "b\xc3\xbc.test=c.pem", NULL, NULL, NULL },
    { "brackets", "[::1]=c.pem", NULL, NULL, NULL },
    { "nothing", "", NULL, NULL, NULL },
};

static void reads_certificate(void **state)
{
    const struct certificate_story *story = *state;
    static struct client_certificate read;
    const char *why = NULL;
    bool good = client_certificate_parse(text_of(story->text), &read, &why);

    assert_int_equal(good, story->host != NULL);
    if (!good) {
        assert_non_null(why);
        return;
    }
    assert_string_equal(read.host, story->host);
    assert_string_equal(read.certificate, story->certificate);
    assert_string_equal(read.key, story->key);
}

static void long_texts(void **state)
{
    static char text[2 * PATH_MAX];
    static struct client_certificate read;
    const char *why;

    (void)state;
    snprintf(text, sizeof(text), "a.test=%0*d", PATH_MAX - 1, 1);
    assert_true(client_certificate_parse(text_of(text), &read, &why));
    snprintf(text, sizeof(text), "a.test=%0*d", PATH_MAX, 1);
    assert_false(client_certificate_parse(text_of(text), &read, &why));
    snprintf(text, sizeof(text), "%0*d=c.pem", HOST_MAX, 1);
    assert_true(client_certificate_parse(text_of(text), &read, &why));
    snprintf(text, sizeof(text), "%0*d=c.pem", HOST_MAX + 1, 1);
    assert_false(client_certificate_parse(text_of(text), &read, &why));
}

/* ---- pins ---- */

static struct pin_story {
    const char *name, *text;
    size_t n; /* 0: refused */
    uint8_t first, last;
} pin_stories[] = {
    { "one", "a.test=" ZERO, 1, 0, 0 },
    { "all ones", "a.test=" ONES, 1, 0xff, 0xff },
    { "a digest with a plus sign", "a.test=" HELLO, 1, 0x2c, 0x24 },
    { "several", "a.test=" HELLO "; " ZERO ";" ONES, 3, 0x2c, 0x24 },
    { "none", "a.test=", 0, 0, 0 },
    { "no host", ZERO, 0, 0, 0 },
    { "another digest", "a.test=sha1/2jmj7l5rSw0yVb/vlWAYkK/YBwk=", 0, 0, 0 },
    { "no digest's name", "a.test=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0, 0, 0 },
    { "too short", "a.test=sha256/AAAA", 0, 0, 0 },
    { "without its end", "a.test=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0, 0, 0 },
    { "one digit more", "a.test=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0, 0, 0 },
    { "bits to spare that are set", "a.test=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", 0,
      0, 0 },
    { "base64url", "a.test=sha256/_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0, 0, 0 },
    { "hex", "a.test=sha256/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", 0, 0,
      0 },
    { "an empty one behind", "a.test=" ZERO ";", 0, 0, 0 },
    { "one good, one bad", "a.test=" ZERO ";sha256/no", 0, 0, 0 },
    { "seventeen",
      "a.test=" ZERO ";" ZERO ";" ZERO ";" ZERO ";" ZERO ";" ZERO ";" ZERO ";" ZERO ";" ZERO
      ";" ZERO ";" ZERO ";" ZERO ";" ZERO ";" ZERO ";" ZERO ";" ZERO ";" ZERO,
      0, 0, 0 },
};

static void reads_pins(void **state)
{
    const struct pin_story *story = *state;
    struct pins read;
    const char *why = NULL;
    bool good = pins_parse(text_of(story->text), &read, &why);

    assert_int_equal(good, story->n > 0);
    if (!good) {
        assert_non_null(why);
        return;
    }
    assert_int_equal(read.n, story->n);
    assert_int_equal(read.digests[0][0], story->first);
    assert_int_equal(read.digests[0][PIN_BYTES - 1], story->last);
}

static struct single singles[] = { { "as long as a path and a host may be", long_texts } };

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, certificates, reads_certificate);
    STORIES_ADD(&stories, pin_stories, reads_pins);
    STORIES_ADD(&stories, singles, single_run);
    return stories_run("origin_rule", &stories);
}
