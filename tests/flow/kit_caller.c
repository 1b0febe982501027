#include "tests/flow/kit_caller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PIECE = 32 * 1024, PATIENCE_S = 30, CHUNK = 3001, ENOUGH_MS = 100 };

const char *result_name(enum result result)
{
    static const char *const names[RESULTS_N] = { "right",  "failed clearly", "refused", "cut",
                                                  "closed", "left",           "WRONG",   "STUCK" };

    return names[result];
}

static void say(struct reply *reply, enum result result, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct reply *reply, enum result result, const char *format, ...)
{
    va_list arguments;

    reply->result = result;
    va_start(arguments, format);
    vsnprintf(reply->why, sizeof(reply->why), format, arguments);
    va_end(arguments);
}

/* ---- the connection ---- */

void caller_init(struct caller *caller, uint16_t port)
{
    *caller = (struct caller){ .port = port, .patience_s = PATIENCE_S, .fd = -1 };
    bytes_add(&caller->seen, "", 0);
}

void caller_leave(struct caller *caller)
{
    if (caller->fd >= 0)
        close(caller->fd);
    caller->fd = -1;
}

static void caller_reset(struct caller *caller)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    if (caller->fd >= 0)
        setsockopt(caller->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    caller_leave(caller);
}

void caller_fini(struct caller *caller)
{
    caller_leave(caller);
    bytes_free(&caller->seen);
}

static bool arrive(struct caller *caller)
{
    struct timeval patience = { .tv_sec = caller->patience_s };
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(caller->port),
                                   .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int on = 1;

    if (caller->fd >= 0)
        return true;
    caller->seen.n = caller->at = 0;
    caller->seen.at[0] = '\0';
    caller->ended = caller->reset = false;
    caller->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(caller->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(caller->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(caller->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return connect(caller->fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* What comes next. False at the end, or when nothing came for too long; then errno is EAGAIN. */
static bool fill(struct caller *caller)
{
    ssize_t n = recv(caller->fd, bytes_room(&caller->seen, PIECE), PIECE, 0);

    if (n > 0)
        caller->seen.n += (size_t)n;
    caller->seen.at[caller->seen.n] = '\0';
    if (n == 0)
        errno = 0;
    caller->ended = n == 0 || (n < 0 && errno != EAGAIN);
    caller->reset = n < 0 && errno != EAGAIN;
    return n > 0;
}

static const char *unread(const struct caller *caller)
{
    return caller->seen.at + caller->at;
}

static size_t n_unread(const struct caller *caller)
{
    return caller->seen.n - caller->at;
}

/* ---- writing a request ---- */

static void add_upload(struct bytes *out, const struct request *request)
{
    size_t chunk = request->framing == UPLOAD_CHUNKED ? CHUNK : request->upload;

    for (size_t at = 0; at < request->upload; at += chunk) {
        size_t n = request->upload - at < chunk ? request->upload - at : chunk;
        if (request->framing == UPLOAD_CHUNKED)
            bytes_print(out, "%zx\r\n", n);
        content_write(request->upload_seed, at, bytes_room(out, n), n);
        out->n += n;
        out->at[out->n] = '\0';
        if (request->framing == UPLOAD_CHUNKED)
            bytes_print(out, "\r\n");
    }
    if (request->framing == UPLOAD_CHUNKED)
        bytes_print(out, "0\r\n\r\n");
}

static void write_request(const struct request *request, struct bytes *out)
{
    char script[SCRIPT_TEXT_MAX];

    script_write(&request->script, script);
    bytes_print(out, "%s %s HTTP/1.1\r\nHost: %s\r\nX-Script: %s\r\n", request->method,
                request->path, request->host, script);
    if (request->framing != UPLOAD_NONE)
        bytes_print(out, "X-Body: %u %u\r\n", request->upload_seed, request->upload);
    if (request->framing == UPLOAD_LENGTH)
        bytes_print(out, "Content-Length: %u\r\n", request->upload);
    if (request->framing == UPLOAD_CHUNKED)
        bytes_print(out, "Transfer-Encoding: chunked\r\n");
    if (request->expects)
        bytes_print(out, "Expect: 100-continue\r\n");
    if (request->last)
        bytes_print(out, "Connection: close\r\n");
    bytes_print(out, "\r\n");
    add_upload(out, request);
}

/* The peer may have left: then what it said is read all the same. */
static void send_all(struct caller *caller, const char *bytes, size_t n, unsigned pieces)
{
    size_t piece = n / (pieces ? pieces : 1) + 1;

    for (size_t at = 0; at < n;) {
        size_t end = (at / piece + 1) * piece < n ? (at / piece + 1) * piece : n;
        ssize_t sent = send(caller->fd, bytes + at, end - at, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        at += (size_t)sent;
        if (pieces > 1)
            poll(NULL, 0, 1); /* pieces are what is tested */
    }
}

/* ---- reading an answer ---- */

/* False: the end came before, or nobody knows what comes; the reply says so. */
static bool no_more(struct caller *caller, struct reply *reply, const char *what)
{
    if (!caller->ended)
        say(reply, RESULT_STUCK, "nothing came for %u s; %s was waited for", caller->patience_s,
            what);
    else if (!reply->status)
        say(reply, RESULT_CLOSED, "%s before an answer", caller->reset ? "a reset" : "an end");
    else
        say(reply, RESULT_CUT, "%s before %s", caller->reset ? "a reset" : "an end", what);
    return false;
}

static char *take_until(struct caller *caller, const char *end, struct reply *reply,
                        const char *what)
{
    const char *found;

    while (!(found = strstr(unread(caller), end))) {
        if (!fill(caller)) {
            no_more(caller, reply, what);
            return NULL;
        }
    }
    char *taken = text_copy(unread(caller), (size_t)(found - unread(caller)) + strlen(end));
    caller->at += strlen(taken);
    return taken;
}

/* The answer to one request, as far as it has been read. */
struct answer {
    const struct request *request;
    struct reply *reply;
    char *head;
    bool robots; /* a robot's answer, else the sidecar's own */
    size_t size; /* of its content so far */
    struct bytes own;
};

static bool check_content(struct answer *answer, const char *bytes, size_t n)
{
    const struct script *script = &answer->request->script;

    if (!answer->robots)
        bytes_add(&answer->own, bytes, n);
    else if (answer->size + n > script->size || !content_is(script->seed, answer->size, bytes, n)) {
        say(answer->reply, RESULT_WRONG, "other bytes than were sent, behind %zu", answer->size);
        return false;
    }
    answer->size += n;
    return true;
}

static bool take_content(struct caller *caller, struct answer *answer, size_t n)
{
    while (n > 0) {
        if (n_unread(caller) == 0 && !fill(caller))
            return no_more(caller, answer->reply, "content");
        size_t piece = n_unread(caller) < n ? n_unread(caller) : n;
        if (!check_content(answer, unread(caller), piece))
            return false;
        caller->at += piece;
        n -= piece;
        if (n_unread(caller) == 0) {
            caller->at = caller->seen.n = 0;
            caller->seen.at[0] = '\0';
        }
    }
    return true;
}

static bool take_chunks(struct caller *caller, struct answer *answer)
{
    size_t n;

    do {
        char *line = take_until(caller, "\r\n", answer->reply, "a chunk's size"), *rest;
        if (!line)
            return false;
        n = strtoul(line, &rest, 16);
        bool good = rest > line && strcmp(rest, "\r\n") == 0;
        free(line);
        if (good && !take_content(caller, answer, n))
            return false;
        line = good ? take_until(caller, "\r\n", answer->reply, "a chunk's end") : NULL;
        if (!good || (line && strlen(line) != 2))
            say(answer->reply, RESULT_WRONG, "broken chunked coding behind %zu", answer->size);
        bool whole = line && strlen(line) == 2;
        free(line);
        if (!whole)
            return false;
    } while (n > 0);
    return true;
}

static bool take_to_the_end(struct caller *caller, struct answer *answer)
{
    do {
        if (!take_content(caller, answer, n_unread(caller)))
            return false;
    } while (fill(caller));
    return !caller->ended || caller->reset ? no_more(caller, answer->reply, "the end") : true;
}

static bool take_body(struct caller *caller, struct answer *answer)
{
    char *coding = head_field(answer->head, "Transfer-Encoding");
    char *length = head_field(answer->head, "Content-Length");
    unsigned status = answer->reply->status;
    bool whole;

    if (coding && length) {
        say(answer->reply, RESULT_WRONG, "two framings at once");
        whole = false;
    } else if (strcmp(answer->request->method, "HEAD") == 0 || status == 204 || status == 304)
        whole = true;
    else if (coding)
        whole = take_chunks(caller, answer);
    else if (length)
        whole = take_content(caller, answer, strtoul(length, NULL, 10));
    else
        whole = take_to_the_end(caller, answer);
    free(coding);
    free(length);
    return whole;
}

static bool take_head(struct caller *caller, struct answer *answer)
{
    do {
        free(answer->head);
        answer->head = take_until(caller, "\r\n\r\n", answer->reply, "a head");
        if (!answer->head)
            return false;
        if (strncmp(answer->head, "HTTP/1.1 ", 9) != 0) {
            say(answer->reply, RESULT_WRONG, "not a status line: %.60s", answer->head);
            return false;
        }
        answer->reply->status = (unsigned)strtoul(answer->head + 9, NULL, 10);
    } while (answer->reply->status < 200);
    return true;
}

/* ---- is it right? ---- */

static bool has_body(const struct request *request)
{
    return strcmp(request->method, "HEAD") != 0 && request->script.status != 204;
}

/* A clean end may be all there is to say that a response is over. */
static bool may_look_whole(const struct script *script)
{
    return script->fault == FAULT_NONE ||
           (script->framing == FRAMED_BY_END && script->fault == FAULT_CLOSE);
}

static void judge_robots(const struct answer *answer, const char *name)
{
    const struct script *script = &answer->request->script;
    struct reply *reply = answer->reply;

    reply->result = RESULT_RIGHT;
    if (strtoul(name, NULL, 10) != script->seed)
        say(reply, RESULT_WRONG, "the answer to request %s came for %u", name, script->seed);
    else if (answer->request->denied)
        say(reply, RESULT_WRONG, "a denied request was answered by an origin");
    else if (reply->status != script->status)
        say(reply, RESULT_WRONG, "status %u for %u", reply->status, script->status);
    else if (has_body(answer->request) && answer->size != script->size && !may_look_whole(script))
        say(reply, RESULT_WRONG, "%zu bytes look whole, and there are %u", answer->size,
            script->size);
    else if (has_body(answer->request) && answer->size != script->size &&
             script->fault == FAULT_NONE)
        say(reply, RESULT_WRONG, "%zu bytes, and there are %u", answer->size, script->size);
}

/* What is no robot's is the sidecar's own, or an origin's 401. */
static void judge_other(const struct answer *answer)
{
    struct reply *reply = answer->reply;
    bool to_head = strcmp(answer->request->method, "HEAD") == 0;
    bool own =
        to_head || (answer->own.at && strstr(answer->own.at, "\"source\":\"janus-sidecar\""));

    reply->result = answer->request->denied ? RESULT_RIGHT : RESULT_FAILED;
    if (reply->status == 401 &&
        (to_head || (answer->own.at && strcmp(answer->own.at, "sorry") == 0)))
        reply->result = RESULT_REFUSED;
    else if (!own || reply->status < 400)
        say(reply, RESULT_WRONG, "status %u from nobody", reply->status);
    else
        snprintf(reply->why, sizeof(reply->why), "%.190s", answer->own.at ? answer->own.at : "");
}

static bool says_close(const char *head)
{
    char *field = head_field(head, "Connection");
    bool close = field && strcasecmp(field, "close") == 0;

    free(field);
    return close;
}

static void take_answer(struct caller *caller, const struct request *request, struct reply *reply)
{
    struct answer answer = { .request = request, .reply = reply };

    *reply = (struct reply){ RESULT_CLOSED, 0, "" };
    if (take_head(caller, &answer)) {
        char *name = head_field(answer.head, "X-Robot");
        answer.robots = name != NULL;
        bool whole = take_body(caller, &answer);
        if (whole && name)
            judge_robots(&answer, name);
        else if (whole)
            judge_other(&answer);
        if (!whole || says_close(answer.head) || caller->ended)
            caller_leave(caller);
        free(name);
    } else {
        caller_leave(caller);
    }
    free(answer.head);
    bytes_free(&answer.own);
}

/* ---- asking ---- */

static void go(struct caller *caller, const struct request *request, struct reply *reply)
{
    say(reply, RESULT_LEFT, "as told");
    if (request->resets)
        caller_reset(caller);
    else
        caller_leave(caller);
}

/* Fewer, if the whole answer has fewer: it goes once nothing more comes. */
static void read_some(struct caller *caller, size_t n)
{
    struct pollfd one = { .fd = caller->fd, .events = POLLIN };

    while (n_unread(caller) < n && poll(&one, 1, ENOUGH_MS) == 1 && fill(caller))
        ;
}

void caller_ask(struct caller *caller, const struct request *request, struct reply *reply)
{
    if (request->leave_at || request->cut_at) {
        struct bytes out = { 0 };
        *reply = (struct reply){ RESULT_CLOSED, 0, "" };
        write_request(request, &out);
        size_t n =
            request->leave_at && request->leave_at - 1 < out.n ? request->leave_at - 1 : out.n;
        if (arrive(caller)) {
            send_all(caller, out.at, n, request->pieces);
            if (request->cut_at && !request->leave_at)
                read_some(caller, request->cut_at - 1);
        }
        go(caller, request, reply);
        bytes_free(&out);
        return;
    }
    caller_pipeline(caller, request, 1, reply);
}

void caller_pipeline(struct caller *caller, const struct request *requests, size_t n,
                     struct reply *replies)
{
    struct bytes out = { 0 };

    if (!arrive(caller)) {
        for (size_t i = 0; i < n; i++)
            say(&replies[i], RESULT_CLOSED, "cannot connect: %s", strerror(errno));
        caller_leave(caller);
        return;
    }
    for (size_t i = 0; i < n; i++)
        write_request(&requests[i], &out);
    send_all(caller, out.at, out.n, requests[0].pieces);
    for (size_t i = 0; i < n; i++) {
        if (caller->fd < 0)
            say(&replies[i], RESULT_CLOSED, "the answer before it was the last");
        else
            take_answer(caller, &requests[i], &replies[i]);
    }
    bytes_free(&out);
}

unsigned caller_say(struct caller *caller, const char *bytes, size_t n)
{
    struct reply reply = { RESULT_CLOSED, 0, "" };

    if (!arrive(caller))
        return 0;
    send_all(caller, bytes, n, 1);
    char *head = take_until(caller, "\r\n\r\n", &reply, "a head");
    unsigned status =
        head && strncmp(head, "HTTP/1.1 ", 9) == 0 ? (unsigned)strtoul(head + 9, NULL, 10) : 0;
    free(head);
    caller_leave(caller);
    return status;
}
