/* The keeper between sources and exchanges that are played here, on clocks that are set here. */
#include "tests/unit/stories.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/log.h"
#include "proxy/loop.h"
#include "proxy/token/keeper.h"
#include "proxy/token/scrub.h"

enum { WAITERS = 3, SOURCES = 2, START_S = 1800000000 };

/* ---- a clock ---- */

static struct moment now;

static struct moment pretended(void)
{
    return now;
}

static void pass(int64_t ms)
{
    now.wall_ms += ms;
    now.boot_ms += (uint64_t)ms;
}

/* ---- sources ---- */

struct played {
    struct token_source source;
    int n_asked;
};

static struct played *sources[SOURCES];

static void on_fetch(struct token_source *source)
{
    ((struct played *)(void *)source)->n_asked++;
}

static void on_free(struct token_source *source)
{
    free(source);
}

static const struct token_source_kind kinds[SOURCES] = {
    { "first", NULL, on_fetch, on_free },
    { "second", NULL, on_fetch, on_free },
};

static struct token_source *source_new(int i)
{
    struct played *played = mem_alloc(1, sizeof(*played));

    played->source.kind = &kinds[i];
    played->source.label = kinds[i].name;
    sources[i] = played;
    return &played->source;
}

/* "name", or "name+90": it expires in 90 seconds. */
static struct token *token_of(const char *written)
{
    const char *plus = strchr(written, '+'), *why;
    struct text name = { written, plus ? (size_t)(plus - written) : strlen(written) };
    struct token *token = token_new(name, &why);

    assert_non_null(token);
    if (plus)
        token_limit(token, (time_t)(now.wall_ms / 1000 + strtol(plus + 1, NULL, 10)));
    return token;
}

static void give(int i, const char *written)
{
    token_source_arrived(&sources[i]->source, token_of(written));
}

static void fail_one(int i, const char *why, bool will_change)
{
    token_source_failed(&sources[i]->source, why, will_change);
}

/* ---- a desk with all of it ---- */

struct desk {
    struct loop *loop;
    struct token_keeper *keeper;
    struct log *log;
    int pipe[2];
    char logged[8192];
};

/* Somebody who waits, and what they do when they are told. */
struct somebody {
    struct token_waiter waiter;
    struct desk *desk;
    struct somebody *takes_off; /* leaves in the other's name */
    const char *gives;          /* a token that arrives meanwhile */
    bool again;                 /* waits once more, the first time */
    int told;
};

static char trace[64];
static struct somebody people[WAITERS];

static void note(const struct somebody *self, char base)
{
    size_t n = strlen(trace);

    assert_true(n + 1 < sizeof(trace));
    trace[n] = (char)(base + (self - people));
    trace[n + 1] = '\0';
}

static void on_arrived(struct token_waiter *waiter)
{
    struct somebody *self = (struct somebody *)(void *)waiter;

    note(self, 'a');
    assert_false(waiter->waiting);
    assert_non_null(token_desk_current(
        token_keeper_desk(self->desk->keeper))); /* told only when there is one */
    if (self->takes_off)
        token_desk_leave(token_keeper_desk(self->desk->keeper), &self->takes_off->waiter);
    if (self->told++ == 0 && self->gives)
        give(0, self->gives);
    if (self->told == 1 && self->again)
        token_desk_wait(token_keeper_desk(self->desk->keeper), waiter);
}

static void on_unrenewed(struct token_waiter *waiter)
{
    assert_false(waiter->waiting);
    note((struct somebody *)(void *)waiter, 'A');
}

static const struct token_rules rules = {
    .lifetime_ms = 100000,
    .skew_ms = 1000,
    .overlap_ms = 5000,
    .backoff = { 1000, 8000 },
    .now = pretended,
};

static void desk_open(struct desk *desk, int n_sources)
{
    trace[0] = '\0';
    now = (struct moment){ (int64_t)START_S * 1000, 5000000 };
    assert_int_equal(pipe2(desk->pipe, O_NONBLOCK | O_CLOEXEC), 0);
    desk->loop = loop_new();
    desk->log = log_new(NULL, desk->pipe[1], LOG_DEBUG);
    desk->keeper = token_keeper_new(desk->loop, desk->log, &rules);
    for (int i = 0; i < n_sources; i++)
        token_keeper_add(desk->keeper, source_new(i));
    for (int i = 0; i < WAITERS; i++)
        people[i] =
            (struct somebody){ .waiter = { .arrived = on_arrived, .unrenewed = on_unrenewed },
                               .desk = desk };
    token_keeper_start(desk->keeper);
}

static void desk_close(struct desk *desk)
{
    for (int i = 0; i < WAITERS; i++)
        token_desk_leave(token_keeper_desk(desk->keeper), &people[i].waiter);
    token_keeper_free(desk->keeper);
    log_free(desk->log);
    ssize_t n = read(desk->pipe[0], desk->logged, sizeof(desk->logged) - 1);
    desk->logged[n > 0 ? n : 0] = '\0';
    close(desk->pipe[0]);
    close(desk->pipe[1]);
    loop_free(desk->loop);
    assert_null(strstr(desk->logged, "secret")); /* no token in any log */
}

static void assert_current(struct desk *desk, const char *name)
{
    struct token *token = token_desk_current(token_keeper_desk(desk->keeper));

    if (!name) {
        assert_null(token);
        return;
    }
    assert_non_null(token);
    assert_int_equal(token_text(token).len, strlen(name));
    assert_memory_equal(token_text(token).at, name, strlen(name));
}

/* ---- scripts: what happens, step by step ----
 *
 *   1=T 2=T   the first or second source gives T      1! 2!   it fails      1w   somebody is at work on it
 *   +N        N ms pass                               ~N      the wall clock is set N ms ahead (or back)
 *   ?T        T is current   ?-   none is             1?N 2?N it has been asked N times so far
 *   gN        the current one is of generation N         w       the alarm rings
 *   r         somebody says that there is something new (SIGHUP)
 */

static struct script {
    const char *name, *steps, *logged;
} scripts[] = {
    /* one source */
    { "none has come", "1?1 ?-", "" },
    { "an opaque one", "1=secret ?secret g1", "does not say when it expires" },
    { "one that says", "1=secret+90 ?secret", "expires_in_s=89" },
    { "it is named by a fingerprint", "1=secret", "fingerprint=" },
    { "an expired one is not taken", "1=secret+-5 ?-", "has expired already" },
    { "an expired one behind a live one: the live one stays", "1=old+90 1=new+-5 ?old g1", "" },
    { "the newest of three", "1=a+90 1=b+80 1=c+70 ?c g3", "" },
    { "the same again is no new one", "1=a+90 1=a+90 ?a g1", "" },
    { "asked at the start, and not again while the question is open", "1?1 +60000 ?- 1?1", "" },
    { "not asked while its token is young", "1=a+100 +70000 ?a 1?1", "" },
    { "asked at four fifths of its life", "1=a+100 +85000 ?a w 1?2", "" },
    { "asked once then", "1=a+100 +85000 w 1?2 +5000 w 1?2", "" },
    { "dead a little before it expires", "1=a+100 +98900 ?a +200 ?-", "has died" },
    { "the skew is a tenth of a short life at most", "1=a+5 +4400 ?a +200 ?-", "" },
    { "a failed renewal leaves the last good one", "1=a+100 +85000 w 1! ?a +10000 ?a",
      "stays in use" },
    { "and after its death there is none", "1=a+100 +85000 w 1! +14500 ?-", "end with 503" },
    { "asked again after a pause", "1! +50 w +8000 w 1?2", "" },
    { "not before the shortest pause", "1! +49 w 1?1", "" },
    { "the longest pause has a ceiling",
      "1! +8000 w 1! +8000 w 1! +8000 w 1! +8000 w 1! +8000 w 1?6", "" },
    { "after an answer the pauses begin anew",
      "1! +8000 w 1! +8000 w 1=a+100 +85000 w 1! +1000 w 1?5", "" },
    { "complained of once for each reason", "1! +8000 w 1! +8000 w 1!", "given no live token" },
    { "a request asks when none is live", "1=a+100 1! +200000 ?- 1?2", "" },
    { "an opaque one lives for its time", "1=a +98900 ?a +200 ?-", "" },
    { "and lives on when its source stands by it", "1=a +85000 w 1=a +85000 w ?a 1?3 g1", "" },
    { "what expires does not", "1=a+100 +85000 w 1=a+15 +14900 ?-", "" },
    /* clocks */
    { "the wall clock goes ahead: dead", "1=a+100 ~99500 ?-", "" },
    { "and comes back: live", "1=a+100 ~99500 ?- ~-99500 ?a", "" },
    { "the wall clock is set back: no longer life", "1=a+100 ~-50000 +98900 ?a +200 ?-", "" },
    { "sleep: the first look after it asks", "1=a+100 +3600000 ?- 1?2", "" },
    { "and is answered", "1=a+100 +3600000 ?- 1=b+100 ?b g2", "" },
    /* two sources */
    { "both are asked while there is none", "1?1 2?1", "" },
    { "the second one's will do", "2=b+100 ?b", "source=second" },
    { "the first one's is preferred", "2=b+100 1=a+100 ?a g2", "" },
    { "and is not pushed aside", "1=a+100 2=b+100 ?a g1", "" },
    { "the second is not asked while the first has one", "1=a+100 2! +60000 w 2?1", "" },
    { "when the first dies, the second one's is there", "1=a+100 2=b+300 +99500 ?b g2", "" },
    { "and the first comes back", "1=a+100 2=b+300 +99500 ?b 1=c+100 ?c g3", "" },
    { "the first's renewal fails: the second is asked before its end",
      "1=a+100 2! +85000 w 1! 2?1 +6000 w 2?2", "" },
    { "but not sooner", "1=a+100 2! +85000 w 1! +2000 w 2?1", "" },
    /* told that there is something new */
    { "told of news: asked, however young its token", "1=a+100 r 1?2", "" },
    { "what comes is used", "1=a+100 r 1=b+100 ?b g2", "" },
    { "a question that is open serves", "r r 1?1", "" },
    { "the same again: its renewal stays as planned", "1=a+100 r 1=a+100 +60000 w 1?2", "" },
    { "a failure takes nothing away", "1=a+100 r 1! ?a g1", "stays in use" },
    { "and is tried again", "1=a+100 r 1! +1000 w 1?3", "" },
    { "until it gives the same again", "1=a+100 r 1! +1000 w 1=a+100 +60000 w 1?3", "" },
    { "a failure unasked for is over with the same again, too",
      "1=a+100 1! +1000 w 1?2 1=a+100 +60000 w 1?2", "" },
    { "when it is due, the same again is no renewal", "1=a+100 +85000 w 1=a+15 +1000 w 1?3", "" },
    { "up to the one in use", "1! 2=b+100 r 1?2 2?2", "" },
    { "and not beyond", "1=a+100 2! r 1?2 2?1", "" },
};

static void play(struct desk *desk, const char *step)
{
    int i = step[0] == '2';

    if (step[0] == '+')
        pass(strtol(step + 1, NULL, 10));
    else if (step[0] == '~')
        now.wall_ms += strtol(step + 1, NULL, 10);
    else if (step[0] == 'w')
        token_keeper_attend(desk->keeper); /* as the alarm does */
    else if (step[0] == 'r')
        token_keeper_refresh(desk->keeper);
    else if (step[0] == '?')
        assert_current(desk, step[1] == '-' ? NULL : step + 1);
    else if (step[0] == 'g')
        assert_int_equal(token_generation(token_desk_current(token_keeper_desk(desk->keeper))),
                         strtol(step + 1, NULL, 10));
    else if (step[1] == '=')
        give(i, step + 2);
    else if (step[1] == '!' || step[1] == 'w')
        fail_one(i, "it is out of order", step[1] == 'w');
    else
        assert_int_equal(sources[i]->n_asked, strtol(step + 2, NULL, 10));
}

static void play_all(struct desk *desk, const char *steps)
{
    char copy[256], *rest = copy;

    snprintf(copy, sizeof(copy), "%s", steps);
    for (const char *step; (step = strsep(&rest, " "));)
        play(desk, step);
}

static void test_script(void **state)
{
    const struct script *row = *state;
    struct desk desk;

    desk_open(&desk, strpbrk(row->steps, "2") && strstr(row->steps, "2?") ? 2
                     : strstr(row->steps, "2=")                           ? 2
                                                                          : 1);
    play_all(&desk, row->steps);
    desk_close(&desk);
    assert_non_null(strstr(desk.logged, row->logged));
}

/* A holder keeps the token that it began with. */
static void test_held(void **state)
{
    struct token *held;
    struct desk desk;

    (void)state;
    desk_open(&desk, 1);
    give(0, "first");
    held = token_ref(token_desk_current(token_keeper_desk(desk.keeper)));
    give(0, "second");
    desk_close(&desk);
    assert_memory_equal(token_text(held).at, "first", 5);
    assert_int_equal(token_generation(held), 1);
    token_unref(held);
}

/* ---- what is looked for in responses ---- */

static struct watched {
    const char *name, *steps;
    const char *sees; /* of "first-token second-token third-token" */
} watcheds[] = {
    { "nothing", "w", "first-token second-token third-token" },
    { "the only one", "1=first-token", "*********** second-token third-token" },
    { "the last two", "1=first-token 1=second-token", "*********** ************ third-token" },
    { "no more than two", "1=first-token 1=second-token 1=third-token",
      "first-token ************ ***********" },
    { "the same again does not count", "1=first-token 1=second-token 1=second-token",
      "*********** ************ third-token" },
    { "after the overlap too", "1=first-token 1=second-token +6000 w",
      "*********** ************ third-token" },
    { "an expired one was never sent", "1=first-token 1=second-token+-5",
      "*********** second-token third-token" },
    { "a short one is not watched", "1=first", "first-token second-token third-token" },
    { "the one before a short one", "1=first-token 1=second",
      "*********** second-token third-token" },
};

static void test_watched(void **state)
{
    const struct watched *row = *state;
    char text[] = "first-token second-token third-token";
    struct scrub_trail trail = { .n_gone = 0 };
    struct desk desk;
    unsigned found = 0;

    desk_open(&desk, 1);
    play_all(&desk, row->steps);
    if (token_desk_scrub(token_keeper_desk(desk.keeper)))
        scrub_piece(token_desk_scrub(token_keeper_desk(desk.keeper)), &trail, text, strlen(text),
                    true, &found);
    assert_string_equal(text, row->sees);
    desk_close(&desk);
}

/* ---- waiting ---- */

static struct waiting {
    const char *name;
    const char *steps;
    const char *want; /* who was told, in order; a, b and c wait from the beginning */
    int a_takes_off;  /* 1: b, 2: c; 0: nobody */
    const char *a_gives;
    bool a_again;
} waitings[] = {
    { "nobody is told of nothing", "1!", "", 0, NULL, false },
    { "all are told, in order", "1=x", "abc", 0, NULL, false },
    { "once", "1=x 1=y", "abc", 0, NULL, false },
    { "not of an expired one", "1=x+-5", "", 0, NULL, false },
    { "of the live one that follows", "1=x+-5 1=y", "abc", 0, NULL, false },
    { "the first takes the second off", "1=x", "ac", 1, NULL, false },
    { "the first takes the last off", "1=x", "ab", 2, NULL, false },
    { "the first waits again, behind the others", "1=x", "abca", 0, NULL, true },
    { "another live one arrives meanwhile", "1=x", "abc", 0, "y", false },
    { "an expired one arrives meanwhile", "1=x", "abc", 0, "y+-5", false },
};

static void test_waiting(void **state)
{
    const struct waiting *row = *state;
    struct desk desk;

    desk_open(&desk, 1);
    people[0].takes_off = row->a_takes_off ? &people[row->a_takes_off] : NULL;
    people[0].gives = row->a_gives;
    people[0].again = row->a_again;
    for (int i = 0; i < WAITERS; i++)
        token_desk_wait(token_keeper_desk(desk.keeper), &people[i].waiter);
    play_all(&desk, row->steps);
    desk_close(&desk);
    assert_string_equal(trace, row->want);
}

static void test_left(void **state)
{
    struct desk desk;

    (void)state;
    desk_open(&desk, 1);
    token_desk_leave(token_keeper_desk(desk.keeper), &people[0].waiter); /* never waited */
    for (int i = 0; i < WAITERS; i++)
        token_desk_wait(token_keeper_desk(desk.keeper), &people[i].waiter);
    token_desk_leave(token_keeper_desk(desk.keeper), &people[1].waiter);
    token_desk_leave(token_keeper_desk(desk.keeper), &people[1].waiter);
    give(0, "x");
    desk_close(&desk);
    assert_string_equal(trace, "ac");
    token_keeper_free(NULL);
}

/* ---- refused ----
 *
 *   steps as above, and  R  the current one is refused to the next person    P  the same, who has tried the
 *   one before as well   O  the oldest of the pinned ones is refused         K  the current one is taken
 *   k  it is taken by a request that had been refused    L  all who wait leave
 * What came of each refusal: n nothing, r a renewal is asked for, o another token. */

static struct refusal {
    const char *name, *steps, *recourses, *told;
    int n_asked; /* of the first source, in all */
} refusals[] = {
    { "a renewal is asked for", "1=x+100 R", "r", "", 2 },
    { "once for all", "1=x+100 R R R", "rrr", "", 2 },
    { "all are told of the new one", "1=x+100 R R R 1=y+100", "rrr", "abc", 2 },
    { "nothing new: told so", "1=x+100 R R 1=x+100", "rr", "AB", 2 },
    { "a failure: told so", "1=x+100 R R 1!", "rr", "AB", 2 },
    { "an expired one: told so", "1=x+100 R 1=y+-5", "r", "A", 2 },
    { "the newer one is there already", "1=x+100 pin 1=y+100 +6000 O", "o", "", 1 },
    { "the one before may still be known", "1=x+100 1=y+100 R", "o", "", 1 },
    { "but is tried once", "1=x+100 1=y+100 R P", "or", "", 2 },
    { "not for long", "1=x+100 1=y+100 +5001 R", "r", "", 2 },
    { "not when it is dead", "1=x+100 +98000 1=y+100 +1500 R", "r", "", 2 },
    { "a new one that is refused as well: not at once again", "1=x+100 R 1=y+100 P", "rn", "a", 2 },
    { "but later", "1=x+100 R 1=y+100 +1001 P", "rr", "a", 3 },
    { "and then after longer", "1=x+100 R 1=y+100 +1001 P 1=z+100 +1001 P +1000 P", "rrnr", "ab",
      4 },
    { "what others take is not to blame", "1=x+100 R 1=y+100 +1001 K P", "rn", "a", 2 },
    { "unless they took it long ago", "1=x+100 R 1=y+100 K +2001 P", "rr", "a", 3 },
    { "a new one that helped: at once again", "1=x+100 R 1=y+100 k P", "rr", "a", 3 },
    { "what others take is asked for at the first refusal", "1=x+100 K R", "r", "", 2 },
    { "a renewal under way serves", "1=x+100 +85000 w R 1=y+100", "r", "a", 2 },
    { "somebody is at work on it: nobody is told yet", "1=x+100 R 1w", "r", "", 2 },
    { "but when it has come", "1=x+100 R 1w R 1w R 1=y+100", "rrr", "abc", 2 },
    { "or nothing has", "1=x+100 R 1w R 1=x+100", "rr", "AB", 2 },
    { "or it breaks", "1=x+100 R 1w R 1!", "rr", "AB", 2 },
    { "at work on it for ever: not asked at each refusal", "1=x+100 1w +60 R 1w L R", "rn", "", 2 },
};

static struct token *pinned;

static char refuse(struct desk *desk, char how)
{
    static const char letters[] = {
        [RECOURSE_NONE] = 'n', [RECOURSE_OTHER] = 'o', [RECOURSE_RENEWAL] = 'r'
    };
    struct token *other,
        *refused = how == 'O' ? pinned : token_desk_current(token_keeper_desk(desk->keeper));
    struct somebody *who = people;

    while (who->waiter.waiting || who->told)
        who++;
    enum token_recourse recourse =
        token_desk_rejected(token_keeper_desk(desk->keeper), token_generation(refused), how == 'R',
                            &other, &who->waiter);
    assert_true(recourse != RECOURSE_OTHER || (other && other != refused));
    return letters[recourse];
}

static void everybody_leaves(struct desk *desk)
{
    for (int i = 0; i < WAITERS; i++) {
        people[i].told += people[i].waiter.waiting;
        token_desk_leave(token_keeper_desk(desk->keeper), &people[i].waiter);
    }
}

static void test_refusal(void **state)
{
    const struct refusal *row = *state;
    char copy[256], got[16] = "", *rest = copy;
    struct desk desk;

    desk_open(&desk, 1);
    snprintf(copy, sizeof(copy), "%s", row->steps);
    for (const char *step; (step = strsep(&rest, " "));) {
        size_t n = strlen(got);
        if (strchr("RPO", step[0]))
            got[n] = refuse(&desk, step[0]);
        else if (step[0] == 'p')
            pinned = token_ref(token_desk_current(token_keeper_desk(desk.keeper)));
        else if (step[0] == 'K' || step[0] == 'k')
            token_desk_accepted(token_keeper_desk(desk.keeper),
                                token_desk_current(token_keeper_desk(desk.keeper)), step[0] == 'k');
        else if (step[0] == 'L')
            everybody_leaves(&desk);
        else
            play(&desk, step);
    }
    assert_int_equal(sources[0]->n_asked, row->n_asked);
    desk_close(&desk);
    token_unref(pinned);
    pinned = NULL;
    assert_string_equal(got, row->recourses);
    assert_string_equal(trace, row->told);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, scripts, test_script);
    STORIES_ADD(&stories, waitings, test_waiting);
    STORIES_ADD(&stories, watcheds, test_watched);
    STORIES_ADD(&stories, refusals, test_refusal);
    stories_add(&stories, "a holder keeps what it began with", test_held, NULL);
    stories_add(&stories, "who has left is not told", test_left, NULL);
    return stories_run("keeper", &stories);
}
