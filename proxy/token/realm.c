#include "proxy/token/realm.h"

#include <stdlib.h>

#include "config/memory.h"
#include "policy/pattern.h"

struct realm_list {
    struct pattern **patterns;
    size_t n;
};

struct realms {
    struct realm_list janus, io;
};

static struct realm_list list_new(const struct strings *hosts)
{
    struct realm_list list = { mem_alloc(hosts->n + 1, sizeof(struct pattern *)), hosts->n };

    for (size_t i = 0; i < hosts->n; i++)
        list.patterns[i] = pattern_new(PATTERN_HOST, text_of(hosts->items[i]));
    return list;
}

static void list_free(struct realm_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        pattern_free(list->patterns[i]);
    free(list->patterns);
}

static bool list_has(const struct realm_list *list, struct text host)
{
    for (size_t i = 0; i < list->n; i++) {
        if (pattern_matches(list->patterns[i], host))
            return true;
    }
    return false;
}

struct realms *realms_new(const struct settings *settings)
{
    struct realms *realms = mem_alloc(1, sizeof(*realms));

    realms->janus = list_new(&settings->janus_hosts);
    realms->io = list_new(&settings->io_hosts);
    return realms;
}

void realms_free(struct realms *realms)
{
    if (!realms)
        return;
    list_free(&realms->janus);
    list_free(&realms->io);
    free(realms);
}

enum realm realm_of(const struct realms *realms, const struct destination *destination)
{
    struct text host = { destination->host, destination->host_len };

    if (destination->scheme != SCHEME_HTTPS || destination->host_is_address)
        return REALM_FOREIGN;
    if (list_has(&realms->janus, host))
        return REALM_JANUS;
    return list_has(&realms->io, host) ? REALM_IO : REALM_FOREIGN;
}

const char *realm_name(enum realm realm)
{
    static const char *const names[] = { "foreign", "janus", "io" };

    return names[realm];
}
