/* What is sent with `more`, over a real connection: it waits for what follows, and not for longer. */
#include "tests/unit/stories.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proxy/loop.h"
#include "proxy/socket.h"

enum { PIECES_MAX = 3, CORKED_MS = 150 /* the kernel itself waits no longer than 200 */ };

static struct sending {
    const char *name;
    struct {
        size_t bytes;
        bool more;
    } pieces[PIECES_MAX];
    bool pushed;
    size_t waits; /* in our kernel, behind it all */
} sendings[] = {
    { "one piece leaves", { { 100, false } }, false, 0 },
    { "a piece that is followed waits", { { 100, true } }, false, 100 },
    { "and leaves with what follows", { { 100, true }, { 50, false } }, false, 0 },
    { "two wait together", { { 100, true }, { 50, true } }, false, 150 },
    { "pushed, it leaves", { { 100, true } }, true, 0 },
    { "pushed with nothing held back", { { 100, false } }, true, 0 },
    { "what follows waits again", { { 100, true }, { 1, false }, { 7, true } }, false, 7 },
};

struct pair {
    struct loop *loop;
    struct stream_socket ours;
    int theirs;
};

static void on_io(int fd, short what, void *context)
{
    struct pair *pair = context;

    (void)fd;
    socket_note(&pair->ours, what);
}

static void pair_open(struct pair *pair)
{
    struct listen_address at = { .socket_len = sizeof(struct sockaddr_in) };
    struct sockaddr_in *four = (struct sockaddr_in *)(void *)&at.socket;
    socklen_t len = sizeof(*four);

    four->sin_family = AF_INET;
    four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listening = socket_listen(&at, 1);
    assert_true(listening >= 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)four, &len), 0);
    int fd = socket_connect((struct sockaddr *)four, len);
    assert_true(fd >= 0);
    do {
        pair->theirs = accept(listening, NULL, NULL);
    } while (pair->theirs < 0 && (errno == EAGAIN || errno == EINTR));
    assert_true(pair->theirs >= 0);
    close(listening);
    pair->loop = loop_new();
    assert_true(socket_watch(&pair->ours, pair->loop, fd, on_io, pair));
    pair->ours.writable = true;
}

static void pair_close(struct pair *pair)
{
    socket_close(&pair->ours);
    close(pair->theirs);
    loop_free(pair->loop);
}

static void send_all(struct pair *pair, const struct sending *sending)
{
    static char bytes[100];

    for (size_t i = 0; i < PIECES_MAX && sending->pieces[i].bytes; i++) {
        struct iovec piece = { bytes, sending->pieces[i].bytes };
        pair->ours.more = sending->pieces[i].more;
        assert_int_equal(socket_send(&pair->ours, &piece, 1), piece.iov_len);
    }
    if (sending->pushed)
        socket_push(&pair->ours);
}

static void waits(void **state)
{
    const struct sending *sending = *state;
    struct pair pair;
    int unsent;
    uint64_t began;

    do { /* again if somebody kept us from the processor for so long that the kernel gave up waiting */
        pair_open(&pair);
        began = loop_now_us();
        send_all(&pair, sending);
        assert_int_equal(ioctl(pair.ours.fd, SIOCOUTQNSD, &unsent), 0);
        pair_close(&pair);
    } while (loop_now_us() - began > (uint64_t)CORKED_MS * 1000);
    assert_int_equal(unsent, sending->waits);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, sendings, waits);
    return stories_run("socket", &stories);
}
