#include "proxy/admin.h"

#include <arpa/inet.h>
#include <event2/listener.h>
#include <evhtp/evhtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/memory.h"
#include "proxy/limits.h"
#include "proxy/loop.h"
#include "proxy/socket_unix.h"

enum { ADMIN_TIMEOUT_S = 10, ADMIN_BACKLOG = 64 };

struct admin {
    evhtp_t *server;
    struct admin_rules rules;
    evhtp_connection_t *connections[LIMIT_ADMIN_CONNECTIONS];
    size_t n_connections;
    struct event *again; /* accepts again after a pause */
};

/* ---- ceilings that libevhtp does not have ---- */

/* One header is at most 8 KiB by htparser; how many there are is not limited. */
static evhtp_res on_header(evhtp_request_t *request, evhtp_header_t *header, void *arg)
{
    size_t n = 0;
    const evhtp_kv_t *each;

    (void)header;
    (void)arg;
    TAILQ_FOREACH(each, request->headers_in, next) {
        if (++n > LIMIT_ADMIN_HEADERS)
            return EVHTP_RES_ERROR;
    }
    return EVHTP_RES_OK;
}

static void replace(struct admin *admin, const evhtp_connection_t *old, evhtp_connection_t *new)
{
    for (size_t i = 0; i < LIMIT_ADMIN_CONNECTIONS; i++) {
        if (admin->connections[i] == old) {
            admin->connections[i] = new;
            return;
        }
    }
}

static evhtp_res on_closed(evhtp_connection_t *connection, void *arg)
{
    struct admin *admin = arg;

    replace(admin, connection, NULL);
    admin->n_connections--;
    return EVHTP_RES_OK;
}

static evhtp_res on_accepted(evhtp_connection_t *connection, void *arg)
{
    struct admin *admin = arg;

    if (admin->n_connections == LIMIT_ADMIN_CONNECTIONS)
        return EVHTP_RES_ERROR;
    replace(admin, NULL, connection);
    admin->n_connections++;
    evhtp_connection_set_hook(connection, evhtp_hook_on_header, (evhtp_hook)on_header, admin);
    evhtp_connection_set_hook(connection, evhtp_hook_on_connection_fini, (evhtp_hook)on_closed,
                              admin);
    return EVHTP_RES_OK;
}

/* libevhtp forgets its connections when the server is freed. */
static void close_connections(struct admin *admin)
{
    for (size_t i = 0; i < LIMIT_ADMIN_CONNECTIONS; i++) {
        if (admin->connections[i])
            evhtp_connection_free(admin->connections[i]); /* on_closed() clears the place */
    }
}

/* Out of descriptors, a level-triggered listener would spin: it rests for a moment instead. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    static const struct timeval pause = { 0, ACCEPT_PAUSE_MS * 1000 };
    evhtp_t *server = arg;
    struct admin *admin = server->arg;

    evconnlistener_disable(listener);
    event_add(admin->again, &pause);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct admin *admin = arg;

    (void)fd;
    (void)what;
    evconnlistener_enable(admin->server->server);
}

/* ---- answers ---- */

static void add_header(evhtp_request_t *request, const char *name, const char *value)
{
    evhtp_headers_add_header(request->headers_out, evhtp_header_new(name, value, 0, 1));
}

static void answer_as(evhtp_request_t *request, evhtp_res status, const char *type,
                      const char *body)
{
    char length[24];

    snprintf(length, sizeof(length), "%zu", strlen(body));
    add_header(request, "Content-Type", type);
    add_header(request, "Content-Length", length);
    add_header(request, "Cache-Control", "no-store");
    add_header(request, "Connection",
               "close"); /* libevhtp loses the second of two pipelined requests */
    evhtp_request_disable_flag(request, EVHTP_REQ_FLAG_KEEPALIVE);
    if (evhtp_request_get_method(request) != htp_method_HEAD)
        evbuffer_add(request->buffer_out, body, strlen(body));
    evhtp_send_reply(request, status);
}

static void answer(evhtp_request_t *request, evhtp_res status, const char *body)
{
    answer_as(request, status, "application/json", body);
}

/* ---- who may ---- */

static void refuse(evhtp_request_t *request, evhtp_res status, const char *code,
                   const char *message)
{
    char body[512];

    snprintf(body, sizeof(body),
             "{\"code\":\"%s\",\"message\":\"%s\",\"source\":\"janus-sidecar\"}\n", code, message);
    answer(request, status, body);
}

/* "name", "name:80", "[::1]:80", "127.0.0.1": without the port and the brackets. */
static struct text host_alone(struct text host)
{
    const char *end;

    if (host.len && host.at[0] == '[') {
        end = memchr(host.at, ']', host.len);
        return end ? text_span(host.at + 1, end) : host;
    }
    end = host.len ? memchr(host.at, ':', host.len) : NULL;
    return end ? text_span(host.at, end) : host;
}

static bool is_address(struct text host)
{
    char literal[INET6_ADDRSTRLEN];
    struct in6_addr ignored;

    if (host.len >= sizeof(literal))
        return false;
    memcpy(literal, host.at, host.len);
    literal[host.len] = '\0';
    return inet_pton(AF_INET, literal, &ignored) == 1 ||
           inet_pton(AF_INET6, literal, &ignored) == 1;
}

static bool is_our_host(const struct admin *admin, const char *value)
{
    struct text host = host_alone(text_trim(text_of(value)));
    const struct strings *hosts = admin->rules.hosts;

    if (text_eq_nocase(host, TEXT("localhost")) || is_address(host))
        return true;
    for (size_t i = 0; i < hosts->n; i++) {
        if (text_eq_nocase(host, text_of(hosts->items[i])))
            return true;
    }
    return false;
}

/* Every Host line: a second one is no way around. No browser reaches a Unix socket, and none leaves Host
 * out. */
static bool has_our_hosts(const struct admin *admin, evhtp_request_t *request)
{
    const evhtp_kv_t *each;
    struct unix_peer peer;

    if (unix_peer_of(request->conn->sock, &peer))
        return true;
    TAILQ_FOREACH(each, request->headers_in, next) {
        if (strcasecmp(each->key, "Host") == 0 && !is_our_host(admin, each->val))
            return false;
    }
    return true;
}

static const char *why_refused(const struct admin *admin, evhtp_request_t *request, bool action)
{
    const char *secret = evhtp_header_find(request->headers_in, "X-Janus-Caller");

    if (evhtp_kv_find(request->headers_in, "Origin") ||
        evhtp_kv_find(request->headers_in, "Sec-Fetch-Site"))
        return "Browsers may not use this listener.";
    if (!has_our_hosts(admin, request))
        return "Host must be an address, localhost, or a name of --admin-host.";
    if (!callers_admit(admin->rules.callers, request->conn->sock))
        return "This user may not use this listener (--allow-uid, --allow-gid).";
    if (action && !callers_know(admin->rules.callers, text_of(secret)))
        return "X-Janus-Caller must hold the secret of --caller-secret-file.";
    return NULL;
}

/* A page in the developer's browser can reach loopback: it may neither read nor do anything here. */
static bool refused(const struct admin *admin, evhtp_request_t *request, bool action)
{
    htp_method method = evhtp_request_get_method(request);
    const char *why = why_refused(admin, request, action && method == htp_method_POST);

    if (why) {
        refuse(request, EVHTP_RES_FORBIDDEN, "CallerRefused", why);
    } else if (action && method != htp_method_POST) {
        add_header(request, "Allow", "POST");
        refuse(request, EVHTP_RES_METHNALLOWED, "MethodNotAllowed", "Use POST.");
    } else if (!action && method != htp_method_GET && method != htp_method_HEAD) {
        add_header(request, "Allow", "GET, HEAD");
        refuse(request, EVHTP_RES_METHNALLOWED, "MethodNotAllowed", "Use GET.");
    } else {
        return false;
    }
    return true;
}

static void on_healthz(evhtp_request_t *request, void *arg)
{
    if (!refused(arg, request, false))
        answer(request, EVHTP_RES_OK, "{\"status\":\"alive\"}\n");
}

static const struct admin_page *page_of(const struct admin *admin, const evhtp_request_t *request)
{
    const char *accept = evhtp_header_find(request->headers_in, "Accept");

    for (size_t i = 0; i < admin->rules.n_pages; i++) {
        const struct admin_page *page = &admin->rules.pages[i];
        if (strcmp(page->path, request->uri->path->full) == 0 &&
            (!page->wanted || page->wanted(accept)))
            return page;
    }
    return NULL;
}

static void not_found(evhtp_request_t *request, const struct admin *admin)
{
    char body[512];
    int len =
        snprintf(body, sizeof(body), "{\"code\":\"NotFound\",\"message\":\"Known here: /healthz");

    for (size_t i = 0; i < admin->rules.n_pages && len < (int)sizeof(body); i++) {
        if (!admin->rules.pages[i].wanted)
            len += snprintf(body + len, sizeof(body) - (size_t)len, ", %s",
                            admin->rules.pages[i].path);
    }
    if (len < (int)sizeof(body))
        snprintf(body + len, sizeof(body) - (size_t)len, ".\",\"source\":\"janus-sidecar\"}\n");
    answer(request, EVHTP_RES_NOTFOUND, body);
}

static void answer_page(evhtp_request_t *request, const struct admin *admin,
                        const struct admin_page *page)
{
    unsigned status = EVHTP_RES_OK;
    const char *query = (const char *)request->uri->query_raw;
    char *body = page->answer(admin->rules.context, query ? query : "", &status);

    answer_as(request, (evhtp_res)status, page->type ? page->type : "application/json", body);
    free(body);
}

static void on_page(evhtp_request_t *request, void *arg)
{
    struct admin *admin = arg;
    const struct admin_page *page = page_of(admin, request);

    if (refused(admin, request, page && page->action))
        return;
    if (page)
        answer_page(request, admin, page);
    else
        not_found(request, admin);
}

struct admin *admin_new(struct loop *loop, int fd, const struct admin_rules *rules)
{
    struct admin *admin = mem_alloc(1, sizeof(*admin));
    struct timeval timeout = { ADMIN_TIMEOUT_S, 0 };

    admin->rules = *rules;
    admin->server = evhtp_new(loop_base(loop), NULL);
    evhtp_set_timeouts(admin->server, &timeout, &timeout);
    evhtp_set_max_body_size(admin->server, LIMIT_ADMIN_BODY_BYTES);
    evhtp_set_post_accept_cb(admin->server, on_accepted, admin);
    evhtp_set_cb(admin->server, "/healthz", on_healthz, admin);
    evhtp_set_gencb(admin->server, on_page, admin);
    evhtp_accept_socket(admin->server, fd, ADMIN_BACKLOG);
    admin->server->arg = admin;
    admin->again = event_new(loop_base(loop), -1, 0, on_again, admin);
    evconnlistener_set_error_cb(admin->server->server, on_accept_error);
    return admin;
}

void admin_free(struct admin *admin)
{
    if (!admin)
        return;
    close_connections(admin);
    event_free(admin->again);
    evhtp_unbind_socket(admin->server);
    evhtp_free(admin->server);
    free(admin);
}
