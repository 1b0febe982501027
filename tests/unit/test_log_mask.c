/* What looks like a credential does not get into the log. */
#include "tests/unit/stories.h"

#include <stdlib.h>

#include "config/text.h"
#include "proxy/log_mask.h"

#define JWT "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"

static struct row {
    const char *name, *text, *want; /* want NULL: it stays */
} rows[] = {
    { "authToken", "/a/authToken=SECRET", "/a/authToken=***" },
    { "in small letters", "/a;authtoken=SECRET/b", "/a;authtoken=***/b" },
    { "its equals sign escaped", "/a/authToken%3DSECRET/b", "/a/authToken%3D***/b" },
    { "escaped in small letters", "/a/AUTHTOKEN%3dSECRET;x", "/a/AUTHTOKEN%3d***;x" },
    { "the cookie's name", "/VtexIdclientAutCookie=SECRET&a=b", "/VtexIdclientAutCookie=***&a=b" },
    { "access_token", "/access_token=SECRET,b", "/access_token=***,b" },
    { "the pair's token", "/apptoken=SECRET", "/apptoken=***" },
    { "behind another name", "/x-authToken=SECRET", "/x-authToken=***" },
    { "two of them", "/authToken=SECRET/authToken=SECRET2", "/authToken=***/authToken=***" },
    { "a JWT", "/login/" JWT "/done", "/login/***/done" },
    { "a JWT at the end", "/" JWT, "/***" },
    { "a JWT without a signature", "/eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0./x", "/***/x" },
    { "a JWT behind a word", "the path /x" JWT " is closed", "the path /x*** is closed" },
    { "a JWT as a value", "/a=" JWT "&b", "/a=***&b" },
    { "both", "/authToken=SECRET/" JWT, "/authToken=***/***" },
    { "in a sentence", "do not open the path \"/authToken=SECRET\"; declare",
      "do not open the path \"/authToken=***\"; declare" },

    { "nothing", "", NULL },
    { "an ordinary path", "/api/catalog_system/pub/products/search", NULL },
    { "equals signs", "/a=b/c=d;e=f", NULL },
    { "an escape", "/a%3Ab%3Dc", NULL },
    { "the name alone", "/authToken/a=b", NULL },
    { "the name and nothing behind it", "/authToken=/a", NULL },
    { "eyJ of something else", "/eyJesus/a=b", NULL },
    { "one dot", "/eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0", NULL },
    { "too short for a JWT", "/eyJ.a.b", NULL },
};

/* In memory that ends where the text does. */
static void is_masked(void **state)
{
    const struct row *row = *state;
    size_t len = strlen(row->text), had = len;
    char *text = malloc(len + !len);

    memcpy(text, row->text, len);
    assert_int_equal(log_mask(text, &len), row->want != NULL);
    const char *want = row->want ? row->want : row->text;
    assert_int_equal(len, strlen(want));
    assert_memory_equal(text, want, len);
    assert_true(len <= had);
    free(text);
}

static void twice_is_once(void **state)
{
    char text[] = "/authToken=SECRET/" JWT;
    size_t len = strlen(text), once;

    (void)state;
    log_mask(text, &len);
    once = len;
    log_mask(text, &len);
    assert_int_equal(len, once);
    assert_memory_equal(text, "/authToken=***/***", len);
}

int main(void)
{
    static struct stories all;

    STORIES_ADD(&all, rows, is_masked);
    stories_add(&all, "twice is once", twice_is_once, NULL);
    return stories_run("log_mask", &all);
}
