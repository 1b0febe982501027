/* Request to destination. Lines of the input: method, target, Host, X-Vtex-Proxy-To,
 * X-Vtex-Remote-Port, X-Vtex-Use-Https; a line that is missing was not sent. What must hold for
 * every accepted request:
 *
 *   the host is canonical: it parses again, to itself
 *   the authority parses again, as Host of the same place
 *   path and query are bytes of the target, and the path begins with '/'
 *   plain HTTP goes to the plaintext host only */
#include <stdio.h>
#include <stdlib.h>

#include "policy/authority.h"

#define CHECK(condition) ((condition) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct text take_line(struct text *rest)
{
    const char *end;
    struct text line;

    if (!rest->at)
        return TEXT_NONE;
    end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;
    line = end ? text_span(rest->at, end) : *rest;
    *rest = end ? text_span(end + 1, rest->at + rest->len) : TEXT_NONE;
    return line;
}

static void check_host(const struct destination *where)
{
    struct destination again;
    char authority[AUTHORITY_MAX];
    size_t len = destination_authority(where, authority);
    uint16_t port;
    const char *why;

    CHECK(where->host_len == strlen(where->host) && where->host_len > 0);
    CHECK(where->port != 0 && len < AUTHORITY_MAX && authority[len] == '\0');
    CHECK(authority_parse((struct text){ authority, len }, &again, &port, &why));
    CHECK(strcmp(again.host, where->host) == 0);
    CHECK(again.host_is_address == where->host_is_address);
    CHECK((port ? port : where->scheme == SCHEME_HTTPS ? 443 : 80) == where->port);
}

static void check_span(struct text part, struct text target)
{
    CHECK(part.at >= target.at && part.at + part.len <= target.at + target.len);
    for (size_t i = 0; i < part.len; i++)
        CHECK((unsigned char)part.at[i] > 0x20 && part.at[i] != 0x7f && part.at[i] != '#');
}

static void check_target(const struct destination *where, struct text target)
{
    CHECK(where->path.len > 0 && where->path.at[0] == '/');
    if (where->asterisk)
        CHECK(text_eq(where->path, TEXT("/*")) && !where->query.at);
    else if (!text_eq(where->path, TEXT("/")))
        check_span(where->path, target);
    CHECK(!memchr(where->path.at, '?', where->path.len));
    if (where->query.at)
        check_span(where->query, target);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static char plain[] = "plain.test";
    static char *const plaintext_hosts[] = { plain };
    static const uint16_t own_ports[] = { 8380 };
    struct destination_rules rules = { .default_host = "acme.vtexcommercestable.com.br",
                                       .plaintext_hosts = plaintext_hosts,
                                       .n_plaintext_hosts = 1,
                                       .own_ports = own_ports,
                                       .n_own_ports = 1 };
    struct text rest = { (const char *)data, size };
    struct destination_request request;
    struct destination where;
    const char *why = NULL;

    request.method = take_line(&rest);
    request.target = take_line(&rest);
    request.host = take_line(&rest);
    request.proxy_to = take_line(&rest);
    request.remote_port = take_line(&rest);
    request.use_https = take_line(&rest);
    if (destination_of(&rules, &request, &where, &why) != DESTINATION_OK) {
        CHECK(why != NULL);
        return 0;
    }
    check_host(&where);
    check_target(&where, request.target);
    CHECK(where.scheme == SCHEME_HTTPS || strcmp(where.host, plain) == 0);
    return 0;
}
