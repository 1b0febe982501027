#include "tests/flow/kit_robot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/flow/kit_bytes.h"
#include "tests/flow/kit_script.h"
#include "tests/unit/stories.h"

enum { BACKLOG = 1024, PIECE = 32 * 1024, PATIENCE_S = 60, STACK = 256 * 1024 };

struct robot {
    SSL_CTX *tls;
    int fd;
    uint16_t port;
    pthread_t listener;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t left;
    LIST_HEAD(, talk) talks;
    unsigned token;
    struct robot_counts counts;
    char complaint[400];
};

/* One connection, its thread's own but for the link. */
struct talk {
    LIST_ENTRY(talk) link;
    struct robot *robot;
    int fd;
    SSL *ssl;
    struct bytes seen;
    size_t at; /* of seen: up to here it was read */
    char *head;
    struct script script;
    bool keep;
};

static void complain(struct robot *robot, const char *what, const char *about)
{
    pthread_mutex_lock(&robot->lock);
    if (!robot->complaint[0])
        snprintf(robot->complaint, sizeof(robot->complaint), "%s: %.300s", what, about);
    pthread_mutex_unlock(&robot->lock);
}

static void count(struct robot *robot, unsigned *what)
{
    pthread_mutex_lock(&robot->lock);
    ++*what;
    pthread_mutex_unlock(&robot->lock);
}

/* ---- bytes ---- */

static ssize_t take(struct talk *talk, char *bytes, size_t n)
{
    ERR_clear_error();
    return talk->ssl ? SSL_read(talk->ssl, bytes, (int)n) : recv(talk->fd, bytes, n, 0);
}

static bool fill(struct talk *talk)
{
    ssize_t n = take(talk, bytes_room(&talk->seen, PIECE), PIECE);

    if (n > 0)
        talk->seen.n += (size_t)n;
    talk->seen.at[talk->seen.n] = '\0';
    return n > 0;
}

static const char *unread(const struct talk *talk)
{
    return talk->seen.at + talk->at;
}

static size_t n_unread(const struct talk *talk)
{
    return talk->seen.n - talk->at;
}

static bool need(struct talk *talk, size_t n)
{
    while (n_unread(talk) < n) {
        if (!fill(talk))
            return false;
    }
    return true;
}

static bool give(struct talk *talk, const char *bytes, size_t n)
{
    while (n > 0) {
        ERR_clear_error();
        ssize_t sent = talk->ssl ? SSL_write(talk->ssl, bytes, (int)n)
                                 : send(talk->fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* ---- reading a request ---- */

/* Up to and with `end`, which need not be there yet. The caller frees; NULL: the peer left. */
static char *take_until(struct talk *talk, const char *end)
{
    const char *found;

    while (!(found = strstr(unread(talk), end))) {
        if (!fill(talk))
            return NULL;
    }
    char *taken = text_copy(unread(talk), (size_t)(found - unread(talk)) + strlen(end));
    talk->at += strlen(taken);
    return taken;
}

struct upload {
    unsigned seed;
    size_t size, seen;
    bool wrong;
};

static bool take_content(struct talk *talk, struct upload *upload, size_t n)
{
    while (n > 0) {
        if (!need(talk, 1))
            return false;
        size_t piece = n_unread(talk) < n ? n_unread(talk) : n;
        if (!content_is(upload->seed, upload->seen, unread(talk), piece))
            upload->wrong = true;
        upload->seen += piece;
        talk->at += piece;
        n -= piece;
        if (talk->at == talk->seen.n) {
            talk->at = talk->seen.n = 0;
            talk->seen.at[0] = '\0';
        }
    }
    return true;
}

static bool take_chunks(struct talk *talk, struct upload *upload)
{
    char *line;
    size_t n;

    do {
        line = take_until(talk, "\r\n");
        if (!line)
            return false;
        n = strtoul(line, NULL, 16);
        free(line);
        if (!take_content(talk, upload, n))
            return false;
        line = take_until(talk, "\r\n");
        if (!line)
            return false;
        upload->wrong = upload->wrong || strlen(line) != 2;
        free(line);
    } while (n > 0);
    return true;
}

/* True if the whole body came; what it is, is told. */
/* "SEED SIZE": what the body must be. */
static void read_expectation(const char *text, struct upload *upload)
{
    char *end;

    upload->seed = (unsigned)strtoul(text, &end, 10);
    upload->wrong = end == text || *end != ' ';
    text = end;
    upload->size = strtoul(text, &end, 10);
    upload->wrong = upload->wrong || end == text;
}

static bool take_body(struct talk *talk)
{
    char *length = head_field(talk->head, "Content-Length");
    char *coding = head_field(talk->head, "Transfer-Encoding");
    char *body = head_field(talk->head, "X-Body");
    struct upload upload = { 0 };
    bool whole = true;

    if (body)
        read_expectation(body, &upload);
    if (coding)
        whole = take_chunks(talk, &upload);
    else if (length)
        whole = take_content(talk, &upload, strtoul(length, NULL, 10));
    if (upload.wrong || (whole && upload.seen != upload.size))
        complain(talk->robot, "a request's body is not what was sent", talk->head);
    free(length);
    free(coding);
    free(body);
    return whole;
}

/* ---- answering ---- */

static void say_goodbye(struct talk *talk)
{
    if (talk->ssl) {
        ERR_clear_error();
        SSL_shutdown(talk->ssl);
    }
}

static void leave_by(struct talk *talk, enum script_fault fault)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    talk->keep = false;
    count(talk->robot, &talk->robot->counts.faults);
    if (fault == FAULT_CLOSE)
        say_goodbye(talk);
    if (fault == FAULT_RESET)
        setsockopt(talk->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static bool give_in_pieces(struct talk *talk, const char *bytes, size_t n, unsigned pieces)
{
    size_t piece = n / (pieces ? pieces : 1) + 1;

    for (size_t at = 0; at < n; at += piece) {
        if (at > 0)
            poll(NULL, 0, 1); /* pieces are what is tested */
        if (!give(talk, bytes + at, n - at < piece ? n - at : piece))
            return false;
    }
    return true;
}

static void answer(struct talk *talk)
{
    const struct script *script = &talk->script;
    struct bytes out = { 0 };

    script_response(script, strncmp(talk->head, "HEAD ", 5) == 0, &out);
    bool cut = script->fault != FAULT_NONE && script->fault_at < out.n;
    if (script->delay_ms)
        poll(NULL, 0, (int)script->delay_ms);
    if (!give_in_pieces(talk, out.at, cut ? script->fault_at : out.n, script->pieces))
        talk->keep = false;
    else if (script->fault != FAULT_NONE)
        leave_by(talk, script->fault);
    if (script->leaves || script->framing == FRAMED_BY_END) {
        if (talk->keep)
            say_goodbye(talk);
        talk->keep = false;
    }
    bytes_free(&out);
}

/* ---- who may be answered ---- */

static bool is_store(const char *host)
{
    return host && strstr(host, ".vtexcommercestable.com.br");
}

static bool token_is_too_old(struct talk *talk)
{
    char *host = head_field(talk->head, "Host");
    const char *token = strstr(talk->head, ROBOT_TOKEN);
    bool old = false;

    if (!is_store(host)) {
        if (token)
            complain(talk->robot, "a foreign host sees the token", talk->head);
    } else if (!token) {
        complain(talk->robot, "the store sees no token", talk->head);
    } else {
        pthread_mutex_lock(&talk->robot->lock);
        old = strtoul(token + strlen(ROBOT_TOKEN), NULL, 10) < talk->robot->token;
        pthread_mutex_unlock(&talk->robot->lock);
    }
    free(host);
    return old;
}

static void refuse(struct talk *talk)
{
    static const char refusal[] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nsorry";
    size_t n = sizeof(refusal) - 1;

    count(talk->robot, &talk->robot->counts.refusals);
    if (strncmp(talk->head, "HEAD ", 5) == 0)
        n -= 5;
    if (!give(talk, refusal, n))
        talk->keep = false;
}

static bool read_script(struct talk *talk)
{
    char *text = head_field(talk->head, "X-Script");
    bool read = text && script_read(text, &talk->script);

    if (!read)
        complain(talk->robot, "no script, or one that was changed", talk->head);
    free(text);
    return read;
}

static bool expects_continue(const struct talk *talk)
{
    char *field = head_field(talk->head, "Expect");
    bool expects = field != NULL;

    free(field);
    return expects;
}

/* One request; false when the connection is over. */
static bool converse(struct talk *talk)
{
    free(talk->head);
    talk->head = take_until(talk, "\r\n\r\n");
    if (!talk->head || !read_script(talk))
        return false;
    count(talk->robot, &talk->robot->counts.requests);
    talk->keep = true;
    bool refused = token_is_too_old(talk);
    if (!refused && expects_continue(talk) && !give(talk, "HTTP/1.1 100 Continue\r\n\r\n", 25))
        return false;
    if (talk->script.early && !refused) {
        answer(talk);
        return talk->keep && take_body(talk);
    }
    if (refused && expects_continue(talk)) {
        refuse(talk);
        return false;
    }
    if (!take_body(talk))
        return false;
    if (refused)
        refuse(talk);
    else
        answer(talk);
    return talk->keep;
}

/* ---- connections ---- */

static void end_talk(struct talk *talk)
{
    struct robot *robot = talk->robot;

    SSL_free(talk->ssl);
    bytes_free(&talk->seen);
    free(talk->head);
    pthread_mutex_lock(&robot->lock);
    LIST_REMOVE(talk, link);
    close(talk->fd);
    pthread_cond_broadcast(&robot->left);
    pthread_mutex_unlock(&robot->lock);
    free(talk);
}

static void *run_talk(void *arg)
{
    struct talk *talk = arg;

    bytes_add(&talk->seen, "", 0);
    if (!talk->ssl || SSL_accept(talk->ssl) == 1) {
        while (converse(talk))
            ;
    }
    end_talk(talk);
    OPENSSL_thread_stop();
    return NULL;
}

static void start_talk(struct robot *robot, int fd)
{
    struct timeval patience = { .tv_sec = PATIENCE_S };
    struct talk *talk = calloc(1, sizeof(*talk));
    pthread_attr_t attributes;
    pthread_t thread;
    int on = 1;

    talk->robot = robot;
    talk->fd = fd;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (robot->tls) {
        talk->ssl = SSL_new(robot->tls);
        SSL_set_fd(talk->ssl, fd);
    }
    pthread_mutex_lock(&robot->lock);
    LIST_INSERT_HEAD(&robot->talks, talk, link);
    robot->counts.connections++;
    pthread_mutex_unlock(&robot->lock);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK);
    if (pthread_create(&thread, &attributes, run_talk, talk) != 0)
        abort();
    pthread_attr_destroy(&attributes);
}

static void *run_listener(void *arg)
{
    struct robot *robot = arg;
    int fd;

    while ((fd = accept4(robot->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == ECONNABORTED ||
           errno == EINTR) {
        if (fd >= 0)
            start_talk(robot, fd);
    }
    return NULL;
}

struct robot *robot_new(SSL_CTX *tls)
{
    struct robot *robot = calloc(1, sizeof(*robot));
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(address);

    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes with write() */
    robot->tls = tls;
    pthread_mutex_init(&robot->lock, NULL);
    pthread_cond_init(&robot->left, NULL);
    LIST_INIT(&robot->talks);
    robot->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(robot->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(robot->fd, BACKLOG), 0);
    getsockname(robot->fd, (struct sockaddr *)&address, &len);
    robot->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&robot->listener, NULL, run_listener, robot), 0);
    return robot;
}

void robot_hang_up(struct robot *robot)
{
    struct talk *talk;

    pthread_mutex_lock(&robot->lock);
    LIST_FOREACH(talk, &robot->talks, link)
        shutdown(talk->fd, SHUT_RDWR);
    while (!LIST_EMPTY(&robot->talks))
        pthread_cond_wait(&robot->left, &robot->lock);
    pthread_mutex_unlock(&robot->lock);
}

void robot_free(struct robot *robot)
{
    shutdown(robot->fd, SHUT_RDWR); /* wakes the listener */
    pthread_join(robot->listener, NULL);
    robot_hang_up(robot);
    close(robot->fd);
    SSL_CTX_free(robot->tls);
    pthread_mutex_destroy(&robot->lock);
    pthread_cond_destroy(&robot->left);
    free(robot);
}

uint16_t robot_port(const struct robot *robot)
{
    return robot->port;
}

void robot_want_token(struct robot *robot, unsigned number)
{
    pthread_mutex_lock(&robot->lock);
    robot->token = number;
    pthread_mutex_unlock(&robot->lock);
}

struct robot_counts robot_counts(struct robot *robot)
{
    pthread_mutex_lock(&robot->lock);
    struct robot_counts counts = robot->counts;
    pthread_mutex_unlock(&robot->lock);
    return counts;
}

const char *robot_complaint(struct robot *robot)
{
    pthread_mutex_lock(&robot->lock);
    const char *complaint = robot->complaint[0] ? robot->complaint : NULL;
    pthread_mutex_unlock(&robot->lock);
    return complaint;
}
