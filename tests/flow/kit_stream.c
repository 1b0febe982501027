#include "tests/flow/kit_stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "tests/flow/kit_wait.h"
#include "tests/unit/stories.h"

SSL *stream_tls(SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);

    assert_non_null(ssl);
    SSL_set_fd(ssl, fd);
    SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return ssl;
}

static enum ending ending_of(const SSL *ssl, int result)
{
    if (!ssl)
        return result == 0 ? ENDING_CLEAN : ENDING_RESET;
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_ZERO_RETURN:
        return ENDING_CLEAN;
    case SSL_ERROR_SSL:
        return ENDING_CUT;
    default:
        return errno == ECONNRESET || errno == EPIPE ? ENDING_RESET : ENDING_CUT;
    }
}

static bool is_blocked(const SSL *ssl, int result)
{
    if (!ssl)
        return result < 0 && errno == EAGAIN;
    int error = SSL_get_error(ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

size_t stream_take(int fd, SSL *ssl, void *bytes, size_t room, enum ending *ending)
{
    ERR_clear_error();
    errno = 0;
    int n = ssl ? SSL_read(ssl, bytes, (int)room) : (int)recv(fd, bytes, room, 0);
    if (n <= 0 && !is_blocked(ssl, n))
        *ending = ending_of(ssl, n);
    return n > 0 ? (size_t)n : 0;
}

bool stream_offer(int fd, SSL *ssl, const void *bytes, size_t n, size_t *sent)
{
    ERR_clear_error();
    errno = 0;
    int done = ssl ? SSL_write(ssl, bytes, (int)n) : (int)send(fd, bytes, n, MSG_NOSIGNAL);
    *sent = done > 0 ? (size_t)done : 0;
    return done > 0 || n == 0 || is_blocked(ssl, done);
}

bool stream_await(int fd, SSL *ssl, int result, const char *what)
{
    int error = SSL_get_error(ssl, result);

    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        return false;
    wait_for(fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, what);
    return true;
}
