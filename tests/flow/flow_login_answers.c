/* A login at VTEX ID: what is made of each answer, and that nothing of it is said. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_bytes.h"
#include "tests/flow/kit_login.h"
#include "tests/unit/stories.h"

/* ---- one driver for all ---- */

/* Stories that change nothing share a driver: it starts with the first and ends with the last. One
 * that fails leaves none behind. */
static bool told;

static void begin_shared(void)
{
    if (!scene.driver)
        login_begin(NULL);
    told = false;
}

static int settle_shared(void **state)
{
    if (!told)
        return login_discard(state);
    origin_settle(scene.origin);
    return 0;
}

/* ---- answers ---- */

enum way { WHOLE, BYTES };
enum parting { STAYS, CLOSES, CUTS, RESETS };

#define UNUSABLE    "failed the token that it answered cannot be used: "
#define PROTOCOL    "failed the origin's response is not valid HTTP: "
#define AUTH(inner) "{\"authStatus\":\"Success\"," inner "}"

/* `head` without a body is the whole answer; with one, its length is added. */
static struct answer {
    const char *name, *head, *body, *want;
    enum way way;
    enum parting parting;
} answered[] = {
    { "success", OK, GOOD_BODY, ARRIVED, WHOLE, STAYS },
    { "byte by byte", OK, GOOD_BODY, ARRIVED, BYTES, STAYS },
    { "chunked",
      OK "Transfer-Encoding: chunked\r\n\r\n"
         "a\r\n{\"authStat\r\n3e;x=y\r\nus\":\"Success\",\"token\":\"good-token\",\"expires\":"
         "4102444800,\"a\":1}\r\n0\r\n\r\n",
      NULL, ARRIVED, WHOLE, STAYS },
    { "chunked, byte by byte, with a trailer",
      OK "Transfer-Encoding: chunked\r\n\r\n"
         "a\r\n{\"authStat\r\n3e;x=y\r\nus\":\"Success\",\"token\":\"good-token\",\"expires\":"
         "4102444800,\"a\":1}\r\n0\r\nX-T: 1\r\n\r\n",
      NULL, ARRIVED, BYTES, STAYS },
    { "ended by the connection", OK "Connection: close\r\n\r\n" GOOD_BODY, NULL, ARRIVED, WHOLE,
      CLOSES },
    { "ended by the connection, byte by byte", OK "\r\n" GOOD_BODY, NULL, ARRIVED, BYTES, CLOSES },
    { "HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n" GOOD_BODY, NULL, ARRIVED, WHOLE, CLOSES },
    { "interim responses come first",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" OK, GOOD_BODY,
      ARRIVED, BYTES, STAYS },
    { "expires in quotes", OK, AUTH("\"token\":\"good-token\",\"expires\":\"4102444800\""), ARRIVED,
      WHOLE, STAYS },
    { "no expires", OK, AUTH("\"token\":\"good-token\""), "arrived good-token 0", WHOLE, STAYS },
    { "more behind it is left", OK LENGTH(66) GOOD_BODY "HTTP/1.1 200 OK\r\n", NULL, ARRIVED, WHOLE,
      STAYS },
    { "a cut behind the end is no matter", OK, GOOD_BODY, ARRIVED, WHOLE, CUTS },

    { "401", "HTTP/1.1 401 Unauthorized\r\n", "{\"authStatus\":\"" LEAK "\"}",
      "failed it answered 401: " WRONG, WHOLE, STAYS },
    { "403", "HTTP/1.1 403 Forbidden\r\n", LEAK,
      "failed it answered 403: the app key may not log in there", WHOLE, STAYS },
    { "404", "HTTP/1.1 404 Not Found\r\n", LEAK, "failed it answered 404: a login is answered 200",
      WHOLE, STAYS },
    { "429", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\n", LEAK,
      "failed it answered 429: it was asked too often", WHOLE, STAYS },
    { "503", "HTTP/1.1 503 Service Unavailable\r\n", LEAK,
      "failed it answered 503: VTEX ID cannot answer now", WHOLE, STAYS },
    { "a redirect is not followed",
      "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://other.partner.example/" LEAK "\r\n", "",
      "failed it answered 307: a redirect, which is never followed with an app key", WHOLE, STAYS },
    { "204", "HTTP/1.1 204 No Content\r\n\r\n", NULL,
      "failed it answered 204: a login is answered 200", WHOLE, STAYS },
    { "201 with all that is needed", "HTTP/1.1 201 Created\r\n", GOOD_BODY,
      "failed it answered 201: a login is answered 200", WHOLE, STAYS },

    { "not JSON", OK, "<html>" LEAK "</html>",
      "failed it answered 200 and something that is no JSON object", WHOLE, STAYS },
    { "a bare token", OK, LEAK, "failed it answered 200 and something that is no JSON object",
      WHOLE, STAYS },
    { "an array", OK, "[\"" LEAK "\"]",
      "failed it answered 200 and something that is no JSON object", WHOLE, STAYS },
    { "nothing", OK, "", "failed it answered 200 and something that is no JSON object", WHOLE,
      STAYS },
    { "JSON and more", OK, GOOD_BODY LEAK,
      "failed it answered 200 and something that is no JSON object", WHOLE, STAYS },
    { "a name given twice", OK, AUTH("\"token\":\"a\",\"token\":\"" LEAK "\""),
      "failed it answered 200 and something that is no JSON object", WHOLE, STAYS },
    { "no authStatus", OK, "{\"token\":\"" LEAK "\",\"expires\":4102444800}",
      "failed it answered 200 without an \"authStatus\"", WHOLE, STAYS },
    { "WrongCredentials with 200", OK, "{\"authStatus\":\"WrongCredentials\"}",
      "failed it answered WrongCredentials: " WRONG, WHOLE, STAYS },
    { "another authStatus", OK, "{\"authStatus\":\"" LEAK "\",\"token\":\"" LEAK "\"}",
      "failed it answered 200 and an \"authStatus\" other than Success", WHOLE, STAYS },
    { "no token", OK, AUTH("\"expires\":4102444800"),
      UNUSABLE "the JSON object has no \"token\" that is a string", WHOLE, STAYS },
    { "a token that is a number", OK, AUTH("\"token\":1"),
      UNUSABLE "the JSON object has no \"token\" that is a string", WHOLE, STAYS },
    { "an empty token", OK, AUTH("\"token\":\"\",\"expires\":4102444800"),
      UNUSABLE "there is no token in it", WHOLE, STAYS },
    { "a token with a line end", OK, AUTH("\"token\":\"a\\r\\nX: " LEAK "\""),
      UNUSABLE "it holds a byte that a token cannot have (a blank, a quote, a line end inside?)",
      WHOLE, STAYS },
    { "a token that ends a cookie", OK, AUTH("\"token\":\"a;" LEAK "\""),
      UNUSABLE "it holds a byte that a token cannot have (a blank, a quote, a line end inside?)",
      WHOLE, STAYS },
    { "expires in words", OK, AUTH("\"token\":\"a\",\"expires\":\"" LEAK "\""),
      UNUSABLE "\"expires\" is not in seconds since 1970", WHOLE, STAYS },
    { "expired", OK, AUTH("\"token\":\"" LEAK "\",\"expires\":1700000000"),
      "failed the token that it answered has expired already; is this machine's clock right?",
      WHOLE, STAYS },

    { "encoded", OK "Content-Encoding: gzip\r\n", GOOD_BODY,
      "failed it answered with a Content-Encoding, which was not asked for", WHOLE, STAYS },
    { "longer than allowed, by its length", OK LENGTH(20481) LEAK, NULL,
      PROTOCOL "its body is too large", WHOLE, STAYS },
    { "a broken head", OK "Content-Length : 1\r\n\r\n" LEAK, NULL,
      PROTOCOL "a header name is empty or holds a byte that names may not have", WHOLE, STAYS },
    { "two lengths", OK "Content-Length: 1\r\n" LENGTH(2) LEAK, NULL, PROTOCOL, WHOLE, STAYS },
    { "a length and chunks", OK "Transfer-Encoding: chunked\r\n" LENGTH(2) LEAK, NULL, PROTOCOL,
      WHOLE, STAYS },
    { "a broken chunk", OK "Transfer-Encoding: chunked\r\n\r\nLEAK\r\n", NULL,
      PROTOCOL "the chunked coding of its body is broken", WHOLE, STAYS },
    { "HTTP/2", "HTTP/2.0 200 OK\r\n\r\n" LEAK, NULL, PROTOCOL, WHOLE, STAYS },
    { "an empty line first", "\r\n" OK, GOOD_BODY,
      PROTOCOL "an empty line stands before the status line", WHOLE, STAYS },
    { "101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: " LEAK "\r\n\r\n", NULL,
      PROTOCOL "it switches protocols without being asked", WHOLE, STAYS },

    { "closed without an answer", "", NULL, INCOMPLETE, WHOLE, CLOSES },
    { "cut without an answer", "", NULL, INCOMPLETE "...", WHOLE, CUTS },
    { "reset without an answer", "", NULL, INCOMPLETE, WHOLE, RESETS },
    { "cut in the head", OK "Content-Le", NULL, INCOMPLETE "...", WHOLE, CUTS },
    { "closed in the head", OK "Content-Le", NULL, INCOMPLETE, WHOLE, CLOSES },
    { "closed in the body", OK LENGTH(67) GOOD_BODY, NULL, INCOMPLETE, WHOLE, CLOSES },
    { "reset in the body", OK LENGTH(67) GOOD_BODY, NULL, INCOMPLETE, WHOLE, RESETS },
    { "closed before the last chunk",
      OK "Transfer-Encoding: chunked\r\n\r\n42\r\n" GOOD_BODY "\r\n", NULL, INCOMPLETE, WHOLE,
      CLOSES },
    { "cut where only the end of the connection ends it", OK "\r\n" GOOD_BODY, NULL,
      INCOMPLETE "...", WHOLE, CUTS },
};

static void say(struct origin_conn *conn, const char *text, enum way way)
{
    if (way == WHOLE && *text)
        origin_say(conn, text);
    for (; way == BYTES && *text; text++)
        origin_send(conn, text, 1);
}

static void say_answer(struct origin_conn *conn, const struct answer *story)
{
    char text[2048];

    if (story->body)
        snprintf(text, sizeof(text), "%sContent-Length: %zu\r\n\r\n%s", story->head,
                 strlen(story->body), story->body);
    else
        snprintf(text, sizeof(text), "%s", story->head);
    say(conn, text, story->way);
    if (story->parting == CLOSES)
        origin_close(conn);
    else if (story->parting == CUTS)
        origin_cut(conn);
    else if (story->parting == RESETS)
        origin_reset(conn);
}

/* A sentence that ends with ": " leaves the detail to the parser's own tests. */
static void answer(void **state)
{
    const struct answer *story = *state;
    static const char start[] = "answer: ";

    begin_shared();
    struct origin_conn *conn = login_asked();
    assert_string_equal(origin_server_name(conn), HOST);
    say_answer(conn, story);
    char *line = process_await(scene.driver, start);
    size_t n = strlen(story->want);
    if (strcmp(story->want, PROTOCOL) == 0)
        line[strlen(start) + n] = '\0';
    login_expect_words(line + strlen(start), story->want);
    free(line);
    origin_untouched(scene.origin); /* nobody follows, nobody tries again */
    login_holds_no_secret();
    told = true;
}

/* ---- too much of it ---- */

static struct flood {
    const char *name, *head, *piece_lead, *want;
    size_t piece, n;
} floods[] = {
    { "too many chunks", OK "Transfer-Encoding: chunked\r\n\r\n", "400\r\n",
      PROTOCOL "its body is too large", 1024, 21 },
    { "no end in sight", OK "\r\n", "", PROTOCOL "its body is too large", 1024, 21 },
    { "a head without an end", OK, "X: ", PROTOCOL "its head is larger than 64 KiB", 1024, 64 },
    { "interim responses without an end", "", "HTTP/1.1 102 Processing\r\n\r\n",
      PROTOCOL "too many interim responses", 0, 33 },
};

static void flood(void **state)
{
    const struct flood *story = *state;
    struct bytes all = { 0 };

    begin_shared();
    struct origin_conn *conn = login_asked();
    bytes_add(&all, story->head, strlen(story->head));
    for (size_t i = 0; i < story->n; i++) {
        bytes_add(&all, story->piece_lead, strlen(story->piece_lead));
        memset(bytes_room(&all, story->piece), 'x', story->piece);
        all.n += story->piece;
        if (story->piece)
            bytes_add(&all, "\r\n", 2);
    }
    origin_send(conn, all.at, all.n);
    bytes_free(&all);
    login_answers(story->want);
    assert_int_not_equal(origin_await_end(conn), ENDING_NONE);
    told = true;
}

/* After all of them the same driver logs in once more, and nothing of theirs was kept. */
static void after_all(void **state)
{
    (void)state;
    begin_shared();
    login_say_good(login_asked());
    login_answers(ARRIVED);
    login_end();
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, answered, answer);
    STORIES_ADD(&stories, floods, flood);
    for (size_t i = 0; i < stories.n; i++)
        stories.tests[i].teardown_func = settle_shared;
    stories_add(&stories, "after all of these", after_all, NULL);
    stories.tests[stories.n - 1].teardown_func = login_discard;
    return stories_run("login_answers", &stories);
}
