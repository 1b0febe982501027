#include "tests/unit/source_fixture.h"

#include <stdlib.h>

#include "proxy/token/source_session.h"
#include "proxy/watch.h"

#define PAST   "e30.eyJleHAiOjF9.sig"             /* {"exp":1} */
#define FUTURE "e30.eyJleHAiOjQxMDI0NDQ4MDB9.sig" /* {"exp":4102444800} */
/* {"exp":4102444800,"account":"storeacct"} and "other" */
#define OURS   "e30.eyJleHAiOjQxMDI0NDQ4MDAsImFjY291bnQiOiJzdG9yZWFjY3QifQ.sig"
#define THEIRS "e30.eyJleHAiOjQxMDI0NDQ4MDAsImFjY291bnQiOiJvdGhlciJ9.sig"

#define SESSION(account, token)                                                                    \
    "{\"account\":\"" account "\",\"login\":\"a@b.example\",\"token\":\"" token "\"}"
#define LOGIN "run: vtex login storeacct"

/* ---- what stands in the files ---- */

static struct form {
    const char *name;
    const char *tokens, *session; /* NULL: no such file */
    const char *token;            /* NULL: a failure */
    const char *why;
    int warnings, fatal; /* of check */
} forms[] = {
    { "a token for the account", "{\"storeacct\":\"" FUTURE "\"}", NULL, FUTURE, NULL, 0, 0 },
    { "among others", "{\"a\":\"" PAST "\",\n\t\"storeacct\":\"" FUTURE "\",\"b\":{}}\n", NULL,
      FUTURE, NULL, 0, 0 },
    { "a session of the account", NULL, SESSION("storeacct", FUTURE), FUTURE, NULL, 0, 0 },
    { "as older toolbelts write it", NULL,
      "{\n\t\"account\": \"storeacct\",\n\t\"lastAccount\": \"other\",\n\t\"login\": "
      "\"a@b.example\",\n"
      "\t\"token\": \"" FUTURE "\"\n}",
      FUTURE, NULL, 0, 0 },
    { "tokens.json comes first", "{\"storeacct\":\"" OURS "\"}", SESSION("storeacct", FUTURE), OURS,
      NULL, 0, 0 },
    { "another account is current", "{\"storeacct\":\"" FUTURE "\",\"other\":\"" THEIRS "\"}",
      SESSION("other", THEIRS), FUTURE, NULL, 0, 0 },
    { "an expired one there, a live one here", "{\"storeacct\":\"" PAST "\"}",
      SESSION("storeacct", FUTURE), FUTURE, NULL, 0, 0 },
    { "a broken file there, a live one here", "{\"storeacct\":", SESSION("storeacct", FUTURE),
      FUTURE, NULL, 0, 0 },
    { "no entry there, a live one here", "{}", SESSION("storeacct", FUTURE), FUTURE, NULL, 0, 0 },
    { "a token that names the account", NULL, SESSION("storeacct", OURS), OURS, NULL, 0, 0 },

    { "nothing", NULL, NULL, NULL, "there is no session yet; " LOGIN, 1, 0 },
    { "logged out", "{}", "{}", NULL, "nobody is logged in to storeacct; " LOGIN, 1, 0 },
    { "logged out, as null", "{\"storeacct\":null}", SESSION("storeacct", ""), NULL,
      "nobody is logged in", 1, 0 },
    { "a number for a token", "{\"storeacct\":5}", NULL, NULL, "nobody is logged in", 1, 0 },
    { "a refresh token is none", "{\"storeacct_refresh_token\":\"" FUTURE "\"}", NULL, NULL,
      "nobody is logged in", 1, 0 },
    { "a session of another account", NULL, SESSION("other", FUTURE), NULL,
      "of the account other, not of storeacct; " LOGIN, 1, 0 },
    { "an account that begins alike", NULL, SESSION("storeacct2", FUTURE), NULL, "not of storeacct",
      1, 0 },
    { "an account in another case", NULL, SESSION("StoreAcct", FUTURE), NULL, "not of storeacct", 1,
      0 },
    { "an account of control bytes", NULL, SESSION("\\u001b[31m\\n", FUTURE), NULL,
      "\\x1b[31m\\x0a", 1, 0 },
    { "the new account with the last one's token", NULL, SESSION("storeacct", THEIRS), NULL,
      "of the account other, not of storeacct; " LOGIN, 1, 0 },
    { "expired in tokens.json", "{\"storeacct\":\"" PAST "\"}", SESSION("other", FUTURE), NULL,
      "the session of storeacct has expired; " LOGIN, 1, 0 },
    { "expired in session.json", NULL, SESSION("storeacct", PAST), NULL, "has expired; " LOGIN, 1,
      0 },
    { "broken JSON", NULL, "{\"account\":\"storeacct\"", NULL,
      "session.json: it is no JSON object; is it cut off?", 0, 1 },
    { "empty files", "", "", NULL, ".json: it is no JSON object", 0, 1 },
    { "an array", "[]", NULL, NULL, "tokens.json: it is no JSON object", 0, 1 },
    { "two of the same name", "{\"storeacct\":\"" FUTURE "\",\"storeacct\":\"" OURS "\"}", NULL,
      NULL, "no JSON object", 0, 1 },
    { "half a token", "{\"storeacct\":\"eyJhbGci\"}", NULL, NULL,
      "tokens.json: it begins like a JWT", 0, 1 },
    { "a header in the token", "{\"storeacct\":\"a\\r\\nX: y\"}", NULL, NULL,
      "tokens.json: it holds a byte", 0, 1 },
};

static void check_finds(const char *dir, const char *why, int warnings, int fatal)
{
    struct diags diags = { 0 };

    source_session_check(dir, "storeacct", &diags);
    assert_int_equal(diags.warnings, warnings);
    assert_int_equal(diags.fatal, fatal);
    if (why && !strstr(diags.items[0].what, why))
        fail_msg("%s", diags.items[0].what);
    diags_fini(&diags);
}

static void expect(const struct desk *desk, const char *token, const char *why)
{
    if (token)
        assert_string_equal(desk->token, token);
    else if (desk->token[0] || !strstr(desk->why, why))
        fail_msg("%s%s, not %s", desk->token, desk->why, why);
}

static void test_form(void **state)
{
    const struct form *row = *state;
    struct desk desk;

    desk_init(&desk);
    if (row->tokens)
        desk_write(&desk, "tokens.json", row->tokens, 0600);
    if (row->session)
        desk_write(&desk, "session.json", row->session, 0600);
    check_finds(desk.folder, row->why, row->warnings, row->fatal);
    desk_give(&desk, source_session_new(desk.loop, desk.folder, "storeacct"));
    desk_await(&desk, NULL); /* unasked */
    expect(&desk, row->token, row->why);
    assert_false(desk.will_change);
    desk_spin(&desk);
    assert_int_equal(desk.answers, 1); /* one for both files */
    desk_fetch(&desk);
    desk_await(&desk, NULL);
    expect(&desk, row->token, row->why);
    desk_spin(&desk);
    assert_int_equal(desk.answers, 2);
    desk_fini(&desk);
}

/* ---- changes ---- */

static void test_changes(void **state)
{
    char path[128];
    struct desk desk;

    (void)state;
    desk_init(&desk);
    desk_give(&desk, source_session_new(desk.loop, desk.folder, "storeacct"));
    desk_await(&desk, "no session yet");
    desk_write(&desk, "session.json", SESSION("storeacct", FUTURE), 0600);
    desk_await(&desk, FUTURE);
    desk_replace(&desk, "session.json", SESSION("other", FUTURE));
    desk_await(&desk, "of the account other");
    desk_replace(&desk, "tokens.json", "{\"storeacct\":\"" OURS "\"}");
    desk_await(&desk, OURS);
    desk_replace(&desk, "tokens.json", "{\"storeacct\":\"" PAST "\"}");
    desk_await(&desk, "has expired");
    desk_replace(&desk, "session.json", "{\"account\":");
    desk_await(&desk, "session.json: it is no JSON object");
    desk_replace(&desk, "session.json", SESSION("storeacct", FUTURE));
    desk_await(&desk, FUTURE);
    assert_int_equal(unlink(desk_path(&desk, "session.json", path)), 0);
    desk_fetch(&desk);
    desk_await(&desk, "has expired"); /* tokens.json is still there */
    desk_fini(&desk);
}

static void test_being_written(void **state)
{
    static const char whole[] = SESSION("storeacct", FUTURE);
    char path[128];
    struct desk desk;

    (void)state;
    desk_init(&desk);
    int fd = open(desk_path(&desk, "session.json", path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, whole, 20), 20);
    desk_give(&desk, source_session_new(desk.loop, desk.folder, "storeacct"));
    desk_await(&desk, WATCH_BEING_WRITTEN);
    assert_true(desk.will_change);
    assert_int_equal(write(fd, whole + 20, strlen(whole) - 20), (ssize_t)strlen(whole) - 20);
    close(fd);
    desk_await(&desk, FUTURE);
    desk_fini(&desk);
}

/* As `ln -sfn` swaps it. */
static void test_linked_folder(void **state)
{
    char link[128], next[128], one[128], two[128];
    struct desk desk;

    (void)state;
    desk_init(&desk);
    assert_int_equal(mkdir(desk_path(&desk, "one", one), 0700), 0);
    assert_int_equal(mkdir(desk_path(&desk, "two", two), 0700), 0);
    desk_write(&desk, "one/tokens.json", "{\"storeacct\":\"" FUTURE "\"}", 0600);
    desk_write(&desk, "two/tokens.json", "{\"storeacct\":\"" OURS "\"}", 0600);
    assert_int_equal(symlink("one", desk_path(&desk, "session", link)), 0);
    desk_give(&desk, source_session_new(desk.loop, link, "storeacct"));
    desk_await(&desk, FUTURE);
    assert_int_equal(symlink(two, desk_path(&desk, "next", next)), 0);
    assert_int_equal(rename(next, link), 0);
    desk_await(&desk, OURS);
    desk_replace(&desk, "two/tokens.json", "{\"storeacct\":\"" PAST "\"}");
    desk_await(&desk, "has expired");
    desk_fini(&desk);
}

static void test_no_folder_yet(void **state)
{
    char folder[128];
    struct desk desk;

    (void)state;
    desk_init(&desk);
    desk_path(&desk, "session", folder);
    check_finds(folder, "there is no session yet", 1, 0);
    desk_give(&desk, source_session_new(desk.loop, folder, "storeacct"));
    desk_await(&desk, "there is no session yet");
    assert_int_equal(mkdir(folder, 0700), 0);
    desk_write(&desk, "session/session.json", SESSION("storeacct", FUTURE), 0600);
    desk_fetch(&desk); /* unasked it looks every 10 s */
    desk_await(&desk, FUTURE);
    desk_fini(&desk);
}

static void test_no_folder(void **state)
{
    char path[128];
    struct desk desk;

    (void)state;
    desk_init(&desk);
    desk_write(&desk, "session", "a file", 0600);
    check_finds(desk_path(&desk, "session", path), "it cannot be opened", 0, 1);
    assert_int_equal(mkdir(desk_path(&desk, "session.json", path), 0700), 0);
    check_finds(desk.folder, "session.json: it is not a file that can be read", 0, 1);
    desk_fini(&desk);
}

static void test_unreadable(void **state)
{
    uid_t nobody = 65534;
    struct desk desk;

    (void)state;
    desk_init(&desk);
    desk_write(&desk, "session.json", SESSION("storeacct", FUTURE), 0);
    assert_int_equal(chmod(desk.folder, 0755), 0);
    if (geteuid() == 0)
        assert_int_equal(seteuid(nobody), 0);
    check_finds(desk.folder, "session.json: it may not be read", 0, 1);
    desk_give(&desk, source_session_new(desk.loop, desk.folder, "storeacct"));
    desk_await(&desk, "session.json: it may not be read");
    if (geteuid() == nobody)
        assert_int_equal(seteuid(0), 0);
    desk_fini(&desk);
}

static void test_too_large(void **state)
{
    static char bytes[64 * 1024 + 2];
    struct desk desk;

    (void)state;
    desk_init(&desk);
    memset(bytes, ' ', sizeof(bytes) - 1);
    bytes[0] = '{';
    bytes[sizeof(bytes) - 2] = '}';
    desk_write(&desk, "tokens.json", bytes, 0600);
    check_finds(desk.folder, "tokens.json: it is larger than 64 KiB", 0, 1);
    desk_write(&desk, "tokens.json", bytes + 2, 0600);
    check_finds(desk.folder, "tokens.json: it is no JSON object", 0, 1);
    bytes[2] = '{';
    desk_write(&desk, "tokens.json", bytes + 2, 0600);
    check_finds(desk.folder, "nobody is logged in", 1, 0);
    desk_fini(&desk);
}

static void test_home(void **state)
{
    struct desk desk;

    (void)state;
    desk_init(&desk);
    desk_write(&desk, "tokens.json", "{\"storeacct\":\"" FUTURE "\"}", 0600);
    assert_int_equal(setenv("HOME", "/tmp", 1), 0);
    char *name = strrchr(desk.folder, '/') + 1, dir[128];
    snprintf(dir, sizeof(dir), "~/%s", name);
    check_finds(dir, NULL, 0, 0);
    desk_give(&desk, source_session_new(desk.loop, dir, "storeacct"));
    desk_await(&desk, FUTURE);
    assert_int_equal(setenv("HOME", desk.folder, 1), 0);
    check_finds("~/", NULL, 0, 0);
    check_finds("~root/", "no session yet", 1, 0); /* only ~/ */
    assert_int_equal(unsetenv("HOME"), 0);
    check_finds(dir, "no session yet", 1, 0);
    desk_fini(&desk);
}

/* Whatever it does, the files are as they were. */
static void test_read_only(void **state)
{
    static const char text[] = "{\"storeacct\":\"" FUTURE "\"}";
    char path[128], now[256] = "";
    struct stat before, after;
    struct desk desk;

    (void)state;
    desk_init(&desk);
    desk_write(&desk, "tokens.json", text, 0400);
    desk_path(&desk, "tokens.json", path);
    assert_int_equal(stat(path, &before), 0);
    desk_give(&desk, source_session_new(desk.loop, desk.folder, "storeacct"));
    desk_await(&desk, FUTURE);
    token_source_free(desk.source);
    desk.source = NULL;
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_mode == after.st_mode &&
                before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
                before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, now, sizeof(now) - 1), (ssize_t)strlen(text));
    close(fd);
    assert_string_equal(now, text);
    desk_fini(&desk);
}

static void test_freed(void **state)
{
    struct desk desk;

    (void)state;
    desk_init(&desk);
    desk_write(&desk, "tokens.json", "{\"storeacct\":\"" FUTURE "\"}", 0600);
    desk_give(&desk, source_session_new(desk.loop, desk.folder, "storeacct"));
    desk_fetch(&desk);
    token_source_free(desk.source); /* with a question under way */
    desk_spin(&desk);
    assert_int_equal(desk.answers, 0);
    desk_give(&desk, source_session_new(desk.loop, desk.folder, "storeacct"));
    desk.frees = true;
    desk_await(&desk, FUTURE);
    desk_spin(&desk);
    assert_int_equal(desk.answers, 1);
    desk_fini(&desk);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, forms, test_form);
    stories_add(&stories, "changes are noticed", test_changes, NULL);
    stories_add(&stories, "a file that is being written", test_being_written, NULL);
    stories_add(&stories, "a folder behind a link that is swapped", test_linked_folder, NULL);
    stories_add(&stories, "a folder that is not there yet", test_no_folder_yet, NULL);
    stories_add(&stories, "no folder, and no file", test_no_folder, NULL);
    stories_add(&stories, "a file that may not be read", test_unreadable, NULL);
    stories_add(&stories, "64 KiB and no more", test_too_large, NULL);
    stories_add(&stories, "~/ is HOME", test_home, NULL);
    stories_add(&stories, "the files stay as they are", test_read_only, NULL);
    stories_add(&stories, "freed", test_freed, NULL);
    return stories_run("source_session", &stories);
}
