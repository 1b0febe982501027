#include "proxy/origin/race.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/memory.h"
#include "proxy/helper.h"
#include "proxy/loop.h"
#include "proxy/origin/origin_context.h"
#include "proxy/socket.h"

struct attempt {
    LIST_ENTRY(attempt) link;
    struct race *race;
    struct stream_socket socket;
    struct trial trial;
    uint64_t begun_ms;
};

struct candidate {
    struct sockaddr_storage address;
    bool tried;
};

struct race {
    const struct origin_context *context;
    const char *host;
    const struct race_owner *owner;
    void *arg;
    struct candidate candidates[N_IP_FAMILIES * LIMIT_ADDRESSES];
    size_t n, n_left; /* candidates, and those not tried */
    enum ip_family next;
    bool begun, more;
    LIST_HEAD(, attempt) attempts;
    struct deadline head_start;
    size_t n_circuits; /* met open */
    uint64_t circuit_left_ms;
    enum outcome outcome; /* of the last attempt that failed */
    char detail[LIMIT_DETAIL_BYTES];
};

/* ---- attempts ---- */

static void end_attempt(struct attempt *attempt)
{
    trial_left(&attempt->trial); /* unless it was said what became of it */
    socket_close(&attempt->socket);
    LIST_REMOVE(attempt, link);
    free(attempt);
}

/* Ours, not the address's: no descriptor, no memory, no port left. */
static bool is_own_lack(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
           error == EADDRNOTAVAIL;
}

static void note_failure(struct race *race, struct trial *trial, int error)
{
    race->outcome = is_own_lack(error)      ? OUTCOME_OVERLOADED
                    : error == ECONNREFUSED ? OUTCOME_CONNECT_REFUSED
                                            : OUTCOME_CONNECT_FAILED;
    snprintf(race->detail, sizeof(race->detail), "%s", strerror(error));
    if (is_own_lack(error))
        trial_left(trial);
    else
        trial_failed(trial, race->detail);
}

/* Others that were silent for as long as their head start, when this one answered, are as good as dead. */
static void judge_losers(struct race *race, const struct attempt *winner)
{
    uint64_t now = loop_now_ms(race->context->loop);
    struct attempt *attempt;

    LIST_FOREACH(attempt, &race->attempts, link) {
        if (attempt != winner && now - attempt->begun_ms >= CONNECT_ATTEMPT_MS)
            trial_failed(&attempt->trial, "another address answered, this one was silent");
    }
}

static void win(struct attempt *attempt)
{
    struct race *race = attempt->race;
    struct trial trial = attempt->trial;
    int fd = socket_release(&attempt->socket);

    deadline_clear(&race->head_start);
    judge_losers(race, attempt);
    attempt->trial.on = false;
    race->owner->won(race->arg, fd, &trial);
}

static void go_on(struct race *race);

static void on_io(int fd, short what, void *arg)
{
    struct attempt *attempt = arg;
    struct race *race = attempt->race;
    socklen_t len = sizeof(int);
    int error = 0;

    socket_note(&attempt->socket, what);
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        note_failure(race, &attempt->trial, error);
        end_attempt(attempt);
        go_on(race);
    } else if (attempt->socket.writable) {
        win(attempt);
    }
}

static socklen_t length_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

static int begin_to_connect(const struct origin_context *context,
                            const struct sockaddr_storage *address)
{
    const struct sockaddr *to = (const struct sockaddr *)address;

    return context->helper ? helper_connect(context->helper, to, length_of(address))
                           : socket_connect(to, length_of(address));
}

/* False if it failed at once. */
static bool begin_attempt(struct race *race, struct trial *trial)
{
    int fd = begin_to_connect(race->context, &trial->address);
    struct attempt *attempt;

    if (fd < 0) {
        note_failure(race, trial, errno);
        return false;
    }
    attempt = mem_alloc(1, sizeof(*attempt));
    attempt->race = race;
    attempt->trial = *trial;
    attempt->begun_ms = loop_now_ms(race->context->loop);
    LIST_INSERT_HEAD(&race->attempts, attempt, link);
    if (socket_watch(&attempt->socket, race->context->loop, fd, on_io, attempt))
        return true;
    note_failure(race, &attempt->trial, ENOMEM);
    end_attempt(attempt);
    return false;
}

/* ---- whose turn it is ---- */

static struct candidate *find_candidate(struct race *race, enum ip_family family)
{
    for (size_t i = 0; i < race->n; i++) {
        struct candidate *candidate = &race->candidates[i];

        if (!candidate->tried &&
            ip_family_of((const struct sockaddr *)&candidate->address) == family)
            return candidate;
    }
    return NULL;
}

static enum ip_family other(enum ip_family family)
{
    return family == IP_V6 ? IP_V4 : IP_V6;
}

static struct candidate *take_candidate(struct race *race)
{
    struct candidate *candidate = find_candidate(race, race->next);

    if (!candidate)
        candidate = find_candidate(race, other(race->next));
    if (!candidate)
        return NULL;
    candidate->tried = true;
    race->n_left--;
    race->next = other(ip_family_of((const struct sockaddr *)&candidate->address));
    return candidate;
}

static bool may_try(struct race *race, struct trial *trial, const struct candidate *candidate)
{
    uint64_t left_ms = 0;

    if (trial_begins(trial, race->context, race->host, &candidate->address, &left_ms))
        return true;
    if (race->n_circuits++ == 0 || left_ms < race->circuit_left_ms)
        race->circuit_left_ms = left_ms;
    return false;
}

/* ---- the end ---- */

/* All that is left is left alone; an address that failed just now says more than that. */
static void say_circuits(struct race *race)
{
    race->outcome = OUTCOME_CIRCUIT_OPEN;
    snprintf(race->detail, sizeof(race->detail),
             race->circuit_left_ms ? "it failed again and again, and is tried again in %llu ms"
                                   : "it failed again and again; another request is trying it now",
             (unsigned long long)race->circuit_left_ms);
}

static void lose(struct race *race)
{
    deadline_clear(&race->head_start);
    if (race->n && race->n_circuits == race->n)
        say_circuits(race);
    race->owner->lost(race->arg, race->outcome, race->detail);
}

/* Begins with the next address. Without any that is left or under way or still to come, the race is lost,
 * and perhaps freed when this returns. */
static void go_on(struct race *race)
{
    struct candidate *candidate;
    struct trial trial;

    deadline_clear(&race->head_start);
    while ((candidate = take_candidate(race))) {
        if (!may_try(race, &trial, candidate) || !begin_attempt(race, &trial))
            continue;
        if (race->n_left || race->more)
            deadline_set(race->context->attempts, &race->head_start);
        return;
    }
    if (LIST_EMPTY(&race->attempts) && !race->more)
        lose(race);
}

static void on_head_start_over(struct deadline *deadline)
{
    go_on(CONTAINER_OF(deadline, struct race, head_start));
}

struct race *race_new(const struct origin_context *context, const char *host,
                      const struct race_owner *owner, void *arg)
{
    struct race *race = mem_alloc(1, sizeof(*race));

    race->context = context;
    race->host = host;
    race->owner = owner;
    race->arg = arg;
    race->head_start.passed = on_head_start_over;
    race->outcome = OUTCOME_CONNECT_FAILED;
    LIST_INIT(&race->attempts);
    return race;
}

static void add_candidates(struct race *race, const struct addresses *found, char *refused)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct sockaddr *address = (const struct sockaddr *)&found->items[i];

        if (race->n == sizeof(race->candidates) / sizeof(race->candidates[0]))
            return;
        if (!origin_may_connect(race->context, address)) {
            address_text(address, refused);
            continue;
        }
        race->candidates[race->n++].address = found->items[i];
        race->n_left++;
    }
}

/* What was refused is told only if nothing is left. What comes later waits for its turn, if somebody has a
 * head start. */
void race_add(struct race *race, const struct addresses *found, bool more)
{
    char refused[ADDRESS_TEXT_MAX] = "";

    if (!race->begun)
        race->next = found->first;
    race->begun = true;
    race->more = more;
    add_candidates(race, found, refused);
    if (race->n == 0 && refused[0]) {
        race->outcome = OUTCOME_ADDRESS_DENIED;
        snprintf(race->detail, sizeof(race->detail), "%s", refused);
    }
    if (!race->head_start.queue)
        go_on(race);
}

void race_stop(struct race *race, const char *why)
{
    struct attempt *attempt;

    LIST_FOREACH(attempt, &race->attempts, link)
        trial_failed(&attempt->trial, why);
}

void race_free(struct race *race)
{
    struct attempt *attempt, *next;

    if (!race)
        return;
    deadline_clear(&race->head_start);
    for (attempt = LIST_FIRST(&race->attempts); attempt; attempt = next) {
        next = LIST_NEXT(attempt, link);
        end_attempt(attempt);
    }
    free(race);
}
