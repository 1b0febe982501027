/* proxy/origin/dns.h - questions to the name servers and to the hosts file: c-ares on our loop.
 *
 * One question is one name and one family; retries, other servers, truncated answers (again over TCP), EDNS,
 * random ids and ports are the library's. Search domains are never applied: what is asked for is the name that
 * was judged. Remembers nothing between questions; that is resolve.h. */
#ifndef PROXY_ORIGIN_DNS_H
#define PROXY_ORIGIN_DNS_H

#include "proxy/limits.h"
#include "proxy/origin/ip.h"

struct dns;
struct helper;
struct loop;
struct settings;

enum dns_outcome {
    DNS_FOUND,
    DNS_NO_ADDRESS, /* there is such a name, but it has no address of this family */
    DNS_NO_NAME,
    DNS_FAILED, /* a server that cannot or will not say, or an answer that makes no sense */
    DNS_SILENT, /* nobody answered in time */
};

struct dns_answer {
    enum dns_outcome outcome;
    const char *why; /* unless DNS_FOUND: a sentence fragment, static */
    uint32_t ttl_s;  /* as told; of DNS_FAILED and DNS_SILENT nothing */
    size_t n;
    bool cut; /* there were more */
    struct ip items[LIMIT_NAME_ADDRESSES];
};

/* Borrows all; `helper`: who makes TCP connections, NULL: we do. Servers are those of --resolver, else those of /etc/resolv.conf, which is looked at again
 * before questions when it has changed. */
struct dns *dns_new(struct loop *loop, const struct settings *settings, struct helper *helper);
/* Every question under way is answered with DNS_FAILED, now. NULL is fine. */
void dns_free(struct dns *dns);

/* Called once for each question, perhaps before dns_ask() returns. The answer is borrowed. */
typedef void dns_answered(void *context, const struct dns_answer *answer);
void dns_ask(struct dns *dns, const char *host, enum ip_family family, dns_answered *answered,
             void *context);

/* Goes up when the hosts file has changed; asks the kernel. */
unsigned dns_hosts_edition(struct dns *dns);
/* What the hosts file says, for both families; false if it does not have the name. Reads it. */
bool dns_hosts_file(struct dns *dns, const char *host, struct dns_answer answers[N_IP_FAMILIES]);

#endif
