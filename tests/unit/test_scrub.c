#include "tests/unit/stories.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/memory.h"
#include "tests/unit/scrub_oracle.h"

#define MIXED "k9+Zq/7w=="
#define ODD   "aB~?<c>&'d(e)!*`=+/Z9"
#define JWT   "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJl-_x"
#define STARS "********************************************************"
#define UUID  "0f8fad5b-d9cb-469f-a165-70867728950e"

/* ---- pieces ---- */

struct desk {
    struct forms forms;
    struct scrub *scrub;
    struct oracle oracle;
    unsigned found;
};

static void desk_init(struct desk *desk, const char *const tokens[2], struct text whole)
{
    struct text texts[2];
    size_t n = 0;

    *desk = (struct desk){ .found = 0 };
    for (; n < 2 && tokens[n]; n++) {
        texts[n] = text_of(tokens[n]);
        forms_add(&desk->forms, texts[n]);
    }
    desk->scrub = scrub_new(texts, n);
    assert_int_equal(desk->scrub == NULL, desk->forms.n == 0);
    oracle_init(&desk->oracle, &desk->forms, whole.at, whole.len);
}

static void desk_fini(struct desk *desk)
{
    oracle_fini(&desk->oracle);
    forms_fini(&desk->forms);
    scrub_free(desk->scrub);
}

/* Sends the whole through in pieces that end at `ends`; the last of them is the whole's end. What comes
 * out, and when, is what the oracle says. The bytes are in memory of exactly their size, so that the
 * sanitizers see who reads beyond. The caller frees. */
static char *pass(struct desk *desk, const size_t *ends, size_t n_ends)
{
    struct text whole = { desk->oracle.whole, desk->oracle.len };
    struct scrub_trail trail = { .n_gone = 0 };
    char *out = mem_alloc(1, whole.len + 1);
    size_t left = 0;

    desk->found = 0;
    memset(desk->oracle.may_show, 0, whole.len);
    for (size_t i = 0; i < n_ends; i++) {
        bool last = i + 1 == n_ends;
        size_t len = ends[i] - left;
        char *piece = malloc(len ? len : 1);
        if (len)
            memcpy(piece, whole.at + left, len);
        size_t n = scrub_piece(desk->scrub, &trail, piece, len, last, &desk->found);
        assert_true(n <= len);
        memcpy(out + left, piece, n);
        assert_memory_equal(piece + n, whole.at + left + n, len - n); /* held as it came */
        free(piece);
        assert_int_equal(left + n, last ? ends[i] : oracle_piece(&desk->oracle, left, ends[i]));
        left += n;
    }
    if (!oracle_agrees(&desk->oracle, out, left))
        fail_msg("the pieces end at %zu, %zu: \"%s\" became \"%s\"", ends[0],
                 n_ends > 1 ? ends[1] : 0, whole.at, out);
    return out;
}

/* ---- stories ---- */

static struct story {
    const char *name;
    const char *tokens[2];
    const char *in, *want;
} stories[] = {
    /* raw */
    { "raw", { JWT }, "a " JWT " b", "a " STARS " b" },
    { "nothing else", { JWT }, JWT, STARS },
    { "at the beginning", { JWT }, JWT "!", STARS "!" },
    { "at the end", { JWT }, "!" JWT, "!" STARS },
    { "twice", { JWT }, JWT JWT, STARS STARS },
    { "twice, apart",
      { UUID },
      UUID "," UUID,
      "************************************,************************************" },
    { "in JSON", { JWT }, "{\"token\":\"" JWT "\",\"n\":1}", "{\"token\":\"" STARS "\",\"n\":1}" },
    { "raw with specials", { MIXED }, "x" MIXED "=", "x**********=" },
    { "raw with every special", { ODD }, "<" ODD ">", "<*********************>" },
    { "behind its own beginning", { JWT }, "eyJhbGci" JWT, "eyJhbGci" STARS },
    { "behind most of itself",
      { UUID },
      "0f8fad5b-d9cb-469f-a165-70867728950" UUID,
      "0f8fad5b-d9cb-469f-a165-70867728950************************************" },

    /* percent-encoded */
    { "percent, upper", { MIXED }, "?t=k9%2BZq%2F7w%3D%3D&b", "?t=******************&b" },
    { "percent, lower", { MIXED }, "?t=k9%2bZq%2f7w%3d%3d&b", "?t=******************&b" },
    { "percent, slash kept", { MIXED }, "?t=k9%2BZq/7w%3D%3D&b", "?t=****************&b" },
    { "percent, slash kept, lower", { MIXED }, "?t=k9%2bZq/7w%3d%3d&b", "?t=****************&b" },
    { "percent, RFC 3986",
      { ODD },
      "aB~%3F%3Cc%3E%26%27d%28e%29%21%2A%60%3D%2B%2FZ9",
      "***********************************************" },
    { "encodeURIComponent",
      { ODD },
      "aB~%3F%3Cc%3E%26'd(e)!*%60%3D%2B%2FZ9",
      "*************************************" },
    { "encodeURI", { ODD }, "aB~?%3Cc%3E&'d(e)!*%60=+/Z9", "***************************" },
    { "a form",
      { ODD },
      "a=aB%7E%3F%3Cc%3E%26%27d%28e%29%21*%60%3D%2B%2FZ9",
      "a=***********************************************" },
    { "Python's quote()",
      { ODD },
      "aB~%3F%3Cc%3E%26%27d%28e%29%21%2A%60%3D%2B/Z9",
      "*********************************************" },
    { "all but letters and digits",
      { JWT },
      "eyJhbGciOiJFUzI1NiJ9%2EeyJzdWIiOiJhY21lIn0%2Ec2lnbmF0dXJl%2D%5Fx",
      "****************************************************************" },
    { "all but letters and digits, lower",
      { JWT },
      "eyJhbGciOiJFUzI1NiJ9%2eeyJzdWIiOiJhY21lIn0%2ec2lnbmF0dXJl%2d%5fx",
      "****************************************************************" },
    { "hex digits of both cases are nobody's",
      { MIXED },
      "k9%2BZq%2f7w%3D%3D",
      "k9%2BZq%2f7w%3D%3D" },

    /* JSON */
    { "JSON, PHP", { MIXED }, "\"k9+Zq\\/7w==\"", "\"***********\"" },
    { "JSON, Gson", { MIXED }, "\"k9+Zq/7w\\u003d\\u003d\"", "\"********************\"" },
    { "JSON, .NET", { MIXED }, "\"k9\\u002BZq/7w==\"", "\"***************\"" },
    { "JSON, all of it",
      { MIXED },
      "\"k9\\u002bZq\\u002f7w\\u003d\\u003d\"",
      "\"******************************\"" },
    { "JSON, Go",
      { ODD },
      "\"aB~?\\u003cc\\u003e\\u0026'd(e)!*`=+/Z9\"",
      "\"************************************\"" },
    { "JSON, .NET, more of it",
      { ODD },
      "\"aB~?\\u003Cc\\u003E\\u0026\\u0027d(e)!*\\u0060=\\u002B/Z9\"",
      "\"***************************************************\"" },
    { "JSON, PHP with JSON_HEX",
      { ODD },
      "\"aB~?\\u003Cc\\u003E\\u0026\\u0027d(e)!*`=+\\/Z9\"",
      "\"******************************************\"" },

    /* base64: what shares a character with its neighbours stays */
    { "base64", { MIXED }, "[azkrWnEvN3c9PQ==]", "[*************Q==]" },
    { "base64 with a byte before", { MIXED }, "[YWs5K1pxLzd3PT0=]", "[YW************0=]" },
    { "base64 with two before", { MIXED }, "[YWJrOStacS83dz09]", "[YWJ*************]" },
    { "base64 of user:token",
      { MIXED },
      "Basic dXNlcjprOStacS83dz09",
      "Basic dXNlcjp*************" },
    { "base64 with more behind", { MIXED }, "YWJrOStacS83dz09eHl6", "YWJ*************eHl6" },
    { "base64 of a JWT",
      { JWT },
      "ZXlKaGJHY2lPaUpGVXpJMU5pSjkuZXlKemRXSWlPaUpoWTIxbEluMC5jMmxuYm1GMGRYSmwtX3g=",
      "**************************************************************************g=" },
    { "base64 of user:JWT",
      { JWT },
      "dXNlcjpleUpoYkdjaU9pSkZVekkxTmlKOS5leUp6ZFdJaU9pSmhZMjFsSW4wLmMybG5ibUYwZFhKbC1feA==",
      "dXNlcjp**************************************************************************A==" },
    { "base64 with + and /",
      { ODD },
      "YUJ+PzxjPiYnZChlKSEqYD0rL1o5",
      "****************************" },
    { "base64 with + and /, one before",
      { ODD },
      "YWFCfj88Yz4mJ2QoZSkhKmA9Ky9aOQ==",
      "YW***************************Q==" },
    { "base64url", { ODD }, "YUJ-PzxjPiYnZChlKSEqYD0rL1o5", "****************************" },
    { "base64url, two before",
      { ODD },
      "YWJhQn4_PGM-JidkKGUpISpgPSsvWjk=",
      "YWJ***************************k=" },

    /* near misses: as they are */
    { "nothing", { JWT }, "", "" },
    { "a byte short at the end", { MIXED }, "k9+Zq/7w=", "k9+Zq/7w=" },
    { "a byte short at the beginning", { MIXED }, "9+Zq/7w==", "9+Zq/7w==" },
    { "another first byte", { MIXED }, "K9+Zq/7w==", "K9+Zq/7w==" },
    { "another third byte", { MIXED }, "k9-Zq/7w==", "k9-Zq/7w==" },
    { "another last byte", { MIXED }, "k9+Zq/7w=.", "k9+Zq/7w=." },
    { "a byte between", { MIXED }, "k9+Zq /7w==", "k9+Zq /7w==" },
    { "another case",
      { UUID },
      "0F8FAD5B-D9CB-469F-A165-70867728950E",
      "0F8FAD5B-D9CB-469F-A165-70867728950E" },
    { "another JWT",
      { JWT },
      "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJl-_y",
      "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJl-_y" },
    { "another JWT, then the token",
      { JWT },
      "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY21lIn0." JWT,
      "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhY21lIn0." STARS },
    { "stars", { JWT }, STARS, STARS },

    /* two of them */
    { "both generations", { JWT, MIXED }, MIXED " " JWT, "********** " STARS },
    { "the one before", { JWT, UUID }, UUID, "************************************" },
    { "one begins in the other's end",
      { "firstTOK-abcdef", "abcdef-SECONDone" },
      "-firstTOK-abcdef-SECONDone-",
      "-*************************-" },
    { "one begins the other",
      { "tokentoken-A", "tokentoken-A-and-more" },
      "tokentoken-A-and-less tokentoken-A-and-more",
      "************-and-less *********************" },
    { "one stands in the other",
      { "0123-inside-0123", "-inside-" },
      "0123-inside-0123 0123-inside-012 0123-inside",
      "**************** 0123********012 0123-inside" },
    { "the same twice", { UUID, UUID }, UUID, "************************************" },

    /* a token that repeats itself */
    { "one letter", { "aaaaaaaaaa" }, "baaaaaaaaab aaaaaaaaaaaaa", "baaaaaaaaab *************" },
    { "two letters", { "abababababab" }, "xababababababababa", "x****************a" },

    { "three letters, not quite", { "abcabcabcabc" }, "abc.abcabcabc.", "abc.abcabcabc." },

    /* short ones */
    { "eight bytes", { "s3cr3t!!" }, "the s3cr3t!! is", "the ******** is" },
    { "eight bytes in base64", { "s3cr3t!!" }, "czNjcjN0ISE=", "**********E=" },
    { "seven bytes are not watched", { "s3cr3t!" }, "the s3cr3t! is", "the s3cr3t! is" },
    { "no token", { NULL }, "the token is", "the token is" },
};

static void test_whole(void **state)
{
    const struct story *row = *state;
    struct text in = text_of(row->in);
    struct desk desk;

    desk_init(&desk, row->tokens, in);
    char *out = pass(&desk, &in.len, 1);
    assert_string_equal(out, row->want);
    assert_int_equal(desk.found > 0, strcmp(row->in, row->want) != 0);
    free(out);
    desk_fini(&desk);
}

static void test_two_pieces(void **state)
{
    const struct story *row = *state;
    struct text in = text_of(row->in);
    struct desk desk;

    desk_init(&desk, row->tokens, in);
    for (size_t i = 0; i <= in.len; i++)
        free(pass(&desk, (size_t[]){ i, in.len }, 2));
    desk_fini(&desk);
}

static void test_three_pieces(void **state)
{
    const struct story *row = *state;
    struct text in = text_of(row->in);
    struct desk desk;

    desk_init(&desk, row->tokens, in);
    for (size_t i = 0; i <= in.len; i++) {
        for (size_t k = 1; k <= 12 && i + k <= in.len; k++)
            free(pass(&desk, (size_t[]){ i, i + k, in.len }, 3));
    }
    desk_fini(&desk);
}

static void test_byte_by_byte(void **state)
{
    const struct story *row = *state;
    struct text in = text_of(row->in);
    struct desk desk;
    size_t ends[256];

    assert_true(in.len < 256);
    for (size_t i = 0; i <= in.len; i++)
        ends[i] = i + 1;
    ends[in.len] = in.len; /* an empty one at the end */
    desk_init(&desk, row->tokens, in);
    free(pass(&desk, ends, in.len + 1));
    desk_fini(&desk);
}

/* ---- counts ---- */

static struct count {
    const char *name;
    const char *in;
    size_t border;
    unsigned want;
} counts[] = {
    { "none", "nothing here", 5, 0 },
    { "one", "." UUID ".", 0, 1 },
    { "one in two pieces", "." UUID ".", 9, 1 },
    { "one, its first byte gone", "." UUID ".", 2, 1 },
    { "two", UUID UUID, 36, 2 },
    { "two in two pieces", UUID UUID, 40, 2 },
    { "one unfinished", UUID "0f8fad5b", 36, 1 },
};

static void test_count(void **state)
{
    const struct count *row = *state;
    struct text in = text_of(row->in);
    struct desk desk;

    desk_init(&desk, (const char *const[]){ UUID, NULL }, in);
    free(pass(&desk, (size_t[]){ row->border, in.len }, 2));
    assert_int_equal(desk.found, row->want);
    desk_fini(&desk);
}

/* ---- sizes ---- */

static uint64_t dice_state;

static unsigned dice(unsigned sides)
{
    dice_state = dice_state * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(dice_state >> 33) % sides;
}

static char *random_token(size_t len, const char *letters)
{
    char *token = mem_alloc(1, len + 1);

    for (size_t i = 0; i < len; i++)
        token[i] = letters[dice((unsigned)strlen(letters))];
    return token;
}

static const char jwt_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 16 KiB of punctuation: every encoder writes something else, and a hold can be 96 KiB. */
static void test_huge(void **state)
{
    enum { LEN = 16 * 1024 };
    char *token = random_token(LEN, "+/=<>&'`!*()~-._:@?$#%^{}|[]"), *in = mem_alloc(8, LEN);
    struct forms forms = { .n = 0 };
    unsigned found = 0;

    (void)state;
    forms_add(&forms, (struct text){ token, LEN });
    assert_true(forms.n > 20);
    struct scrub *scrub = scrub_new(&(struct text){ token, LEN }, 1);
    for (size_t i = 0; i < forms.n; i++) {
        struct scrub_trail trail = { .n_gone = 0 };
        struct text form = forms.items[i];
        in[0] = '.';
        memcpy(in + 1, form.at, form.len);
        assert_int_equal(scrub_piece(scrub, &trail, in, form.len, false, &found), 1);
        assert_int_equal(found, i);
        in[form.len + 1] = '.';
        assert_int_equal(scrub_piece(scrub, &trail, in + 1, form.len + 1, false, &found),
                         form.len + 1);
        assert_int_equal(found, i + 1);
        for (size_t k = 0; k < form.len; k++)
            assert_int_equal(in[1 + k], '*');
        assert_int_equal(in[form.len + 1], '.');
    }
    scrub_free(scrub);
    forms_fini(&forms);
    free(token);
    free(in);
}

/* A JWT and text that can stand in a token have no form that is another's: raw, percent by two, base64 by three. */
static void test_forms_of_jwt(void **state)
{
    struct forms forms = { .n = 0 };

    (void)state;
    forms_add(&forms, TEXT(JWT));
    assert_int_equal(forms.n, 6);
    forms_add(&forms, TEXT(JWT));
    assert_int_equal(forms.n, 6);
    forms_fini(&forms);
}

/* ---- the matcher changes, or comes late ---- */

static void test_rotation(void **state)
{
    struct scrub *old = scrub_new(&TEXT(UUID), 1);
    struct scrub *both = scrub_new((struct text[]){ TEXT(JWT), TEXT(UUID) }, 2);
    struct scrub_trail trail = { .n_gone = 0 };
    char in[] = "..0f8fad5b-d9cb-469f-a165-70867728950e..";
    unsigned found = 0;

    (void)state;
    assert_int_equal(scrub_piece(old, &trail, in, 20, false, &found), 2);
    assert_int_equal(scrub_piece(both, &trail, in + 2, sizeof(in) - 3, true, &found),
                     sizeof(in) - 3);
    assert_string_equal(in, "..************************************..");
    assert_int_equal(found, 1);
    scrub_free(old);
    scrub_free(both);
    scrub_free(NULL);
}

/* What was promised to be masked is, even if there is nothing to look for any more. */
static void test_taken_away(void **state)
{
    struct scrub *scrub =
        scrub_new((struct text[]){ TEXT("firstTOK-abcdef"), TEXT("abcdef-SECONDone") }, 2);
    struct scrub_trail trail = { .n_gone = 0 };
    char in[] = ".firstTOK-abcdef..";
    unsigned found = 0;

    (void)state;
    assert_int_equal(scrub_piece(scrub, &trail, in, 16, false, &found), 10);
    assert_string_equal(in, ".*********abcdef..");
    assert_int_equal(scrub_piece(NULL, &trail, in + 10, 8, false, &found), 8);
    assert_string_equal(in, ".***************..");
    assert_int_equal(found, 1);
    scrub_free(scrub);
}

/* ---- random bodies ---- */

struct body {
    char *bytes;
    size_t len;
};

static void plant(struct body *body, struct text what)
{
    memcpy(body->bytes + body->len, what.at, what.len);
    body->len += what.len;
}

/* Tokens, their beginnings and ends, and letters that tokens are made of. */
static void grow_body(struct body *body, const struct forms *forms, bool with_tokens)
{
    for (unsigned n = 1 + dice(12); n > 0; n--) {
        struct text form = forms->items[dice((unsigned)forms->n)];
        size_t cut = 1 + dice((unsigned)form.len - 1);
        unsigned what = dice(with_tokens ? 5 : 4);

        if (what == 0)
            plant(body, (struct text){ form.at, cut });
        else if (what == 1)
            plant(body, (struct text){ form.at + cut, form.len - cut });
        else if (what == 4)
            plant(body, form);
        for (unsigned i = dice(40); what > 1 && i > 0; i--)
            plant(body, (struct text){ &"ab{\":+/% eyJ"[dice(12)], 1 });
        if (!with_tokens)
            plant(body, TEXT("#")); /* so that no two halves meet */
    }
}

static void test_random(void **state)
{
    bool with_tokens = *state != NULL;
    char *bytes = malloc(64 * 1024);

    dice_state = 7;
    for (int round = 0; round < 600; round++) {
        const char *letters = dice(3) == 0 ? "ab" : dice(2) ? "ab+/=<&'" : jwt_letters;
        char *first = random_token(8 + dice(60), letters);
        char *second = random_token(8 + dice(60), letters);
        const char *tokens[2] = { first, dice(2) ? second : NULL };
        struct forms forms = { .n = 0 };
        struct body body = { bytes, 0 };
        size_t ends[64 + 1], n = 0;
        struct desk desk;

        forms_add(&forms, text_of(tokens[0]));
        grow_body(&body, &forms, with_tokens);
        desk_init(&desk, tokens, (struct text){ body.bytes, body.len });
        for (size_t at = 0; n < 64 && at < body.len; at += dice(1 + dice(120)))
            ends[n++] = at;
        ends[n++] = body.len;
        free(pass(&desk, ends, n));
        if (!with_tokens && letters == jwt_letters)
            assert_int_equal(desk.found, 0);
        desk_fini(&desk);
        forms_fini(&forms);
        free(first);
        free(second);
    }
    free(bytes);
}

/* Nothing is held of ordinary text, wherever it is cut. */
static void test_not_delayed(void **state)
{
    static const char text[] =
        "event: update\ndata: {\"id\":17,\"name\":\"eye\",\"jwt\":\"eyJ\"}\n\n";
    struct scrub *scrub = scrub_new(&TEXT(JWT), 1);

    (void)state;
    for (size_t i = 1; i < sizeof(text); i++) {
        struct scrub_trail trail = { .n_gone = 0 };
        char piece[sizeof(text)];
        unsigned found = 0;
        memcpy(piece, text, i);
        assert_int_equal(scrub_piece(scrub, &trail, piece, i, false, &found), i);
        assert_int_equal(found, 0);
    }
    scrub_free(scrub);
}

int main(void)
{
    static struct stories all;
    static const int tokens;

    STORIES_ADD(&all, stories, test_whole);
    STORIES_ADD(&all, stories, test_two_pieces);
    STORIES_ADD(&all, stories, test_three_pieces);
    STORIES_ADD(&all, stories, test_byte_by_byte);
    STORIES_ADD(&all, counts, test_count);
    stories_add(&all, "16 KiB of punctuation", test_huge, NULL);
    stories_add(&all, "a JWT has six forms", test_forms_of_jwt, NULL);
    stories_add(&all, "rotation in the middle of an occurrence", test_rotation, NULL);
    stories_add(&all, "the matcher is taken away", test_taken_away, NULL);
    stories_add(&all, "random bodies with tokens", test_random, (void *)(uintptr_t)&tokens);
    stories_add(&all, "random bodies without", test_random, NULL);
    stories_add(&all, "ordinary text is not delayed", test_not_delayed, NULL);
    return stories_run("scrub", &all);
}
