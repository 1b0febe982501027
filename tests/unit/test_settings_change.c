/* Two sets of settings beside one another: what differs, and what changes places. */
#include "tests/unit/stories.h"

#include <stdlib.h>
#include <string.h>

#include "config/settings_change.h"
#include "config/settings_rows.h"

enum { WORDS_MAX = 12 };

static struct settings *load(const char *const *words)
{
    const char *argv[WORDS_MAX + 3] = { "run", "--account", "storeacct" };
    struct diags diags = { 0 };
    int argc = 3;

    for (; words && *words; words++)
        argv[argc++] = *words;
    struct settings *settings = settings_load(argc, (char **)(uintptr_t)argv, NULL, &diags);
    assert_int_equal(diags.fatal, 0);
    diags_fini(&diags);
    return settings;
}

static void note(void *context, const char *name, bool live)
{
    char *seen = context;
    size_t used = strlen(seen);

    snprintf(seen + used, 256 - used, "%s%s ", name, live ? "" : "!");
}

#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

static struct change {
    const char *name;
    const char *const *before, *const *after;
    const char *seen; /* what needs a restart has a "!" */
} changes[] = {
    { "the same", WORDS("--mode", "report"), WORDS("--mode", "report"), "" },
    { "a choice", NULL, WORDS("--mode", "report"), "mode " },
    { "a time", WORDS("--idle-timeout", "3s"), NULL, "idle-timeout " },
    { "a size", NULL, WORDS("--max-body", "1KiB"), "max-body " },
    { "a flag", NULL, WORDS("--strict"), "strict " },
    { "a flag that turns something off", NULL, WORDS("--no-janus-alias"), "no-janus-alias " },
    { "a text", NULL, WORDS("--placeholder", "another-text"), "placeholder " },
    { "a text that was none", NULL, WORDS("--ca-file", "a.pem"), "ca-file " },
    { "a list", WORDS("--plaintext-host", "a.example"),
      WORDS("--plaintext-host", "b.example", "--plaintext-host", "c.example"), "plaintext-host " },
    { "a list that was empty", NULL, WORDS("--connect-to", "::127.0.0.1:1"), "connect-to " },
    { "choices", NULL, WORDS("--policy-kinds", "license"), "policy-kinds " },
    { "numbers of users", NULL, WORDS("--allow-uid", "7"), "allow-uid " },
    { "two of them", NULL, WORDS("--via", "on", "--max-requests", "7"), "via max-requests " },
    { "listeners need a restart", NULL, WORDS("--listen", "127.0.0.1:1"), "listen! " },
    { "so do token sources", NULL, WORDS("--token-file", "t"), "token-file! " },
    { "and the sandbox", NULL, WORDS("--sandbox", "off", "--mode", "report"), "mode sandbox! " },
    { "and addresses that are allowed", NULL, WORDS("--allow-address", "10.0.0.0/8"),
      "allow-address! " },
};

static void test_change(void **state)
{
    const struct change *row = *state;
    struct settings *in_force = load(row->before), *fresh = load(row->after);
    char seen[256] = "", left[256] = "";
    bool restart = strchr(row->seen, '!');

    settings_each_change(in_force, fresh, note, seen);
    assert_string_equal(seen, row->seen);
    settings_take_live(in_force, fresh);
    settings_free(fresh);
    fresh = load(row->after);
    settings_each_change(in_force, fresh, note, left); /* what is left needs a restart */
    assert_int_equal(strlen(left) > 0, restart);
    assert_null(strstr(left, "mode "));
    settings_free(fresh);
    settings_free(in_force);
}

/* The values themselves, and not only their texts. */
static void test_values(void **state)
{
    struct settings *in_force = load(WORDS("--plaintext-host", "a.example")),
                    *fresh = load(WORDS("--plaintext-host", "b.example", "--plaintext-host",
                                        "c.example", "--max-body", "1KiB", "--via", "on"));

    (void)state;
    settings_take_live(in_force, fresh);
    assert_int_equal(in_force->plaintext_hosts.n, 2);
    assert_string_equal(in_force->plaintext_hosts.items[1], "c.example");
    assert_int_equal(fresh->plaintext_hosts.n, 1);
    assert_int_equal(in_force->max_body_bytes, 1024);
    assert_int_equal(in_force->via, VIA_ON);
    settings_free(fresh);
    settings_free(in_force);
}

int main(void)
{
    struct stories stories = { 0 };

    STORIES_ADD(&stories, changes, test_change);
    stories_add(&stories, "values change places", test_values, NULL);
    return stories_run("settings change", &stories);
}
