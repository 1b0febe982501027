#include "proxy/token/identity.h"

#define VTEX_ID_NAME TEXT("VtexIdclientAutCookie")

/* What the request carries. at == NULL or empty: it does not. */
struct carried {
    struct text authorization, vtex_id, admin_cookie, store_cookie, app_key;
    bool placeholder_store;  /* in the shopper's cookie, where the app token has no place */
    bool placeholder_cookie; /* in any VtexIdclientAutCookie, though another comes first */
};

bool cookie_next(struct text *cookies, struct text *whole, struct text *name, struct text *value)
{
    if (cookies->len == 0)
        return false;
    const char *from = cookies->at, *end = cookies->at + cookies->len;
    const char *semicolon = memchr(from, ';', cookies->len);
    const char *stop = semicolon ? semicolon + 1 : end;
    struct text pair = text_trim(text_span(from, semicolon ? semicolon : end));
    const char *equals = memchr(pair.at, '=', pair.len);

    *whole = text_span(from, stop);
    *name = text_trim(equals ? text_span(pair.at, equals) : pair);
    *value = equals ? text_trim(text_span(equals + 1, pair.at + pair.len)) : TEXT("");
    *cookies = text_span(stop, end);
    return true;
}

struct text authorization_credentials(struct text value)
{
    static const struct text scheme = { "bearer ", 7 };

    if (value.len > scheme.len && text_eq_nocase((struct text){ value.at, scheme.len }, scheme))
        return text_trim((struct text){ value.at + scheme.len, value.len - scheme.len });
    return value;
}

static bool is_placeholder(const struct identity_rules *rules, struct text value)
{
    return value.len && text_eq(value, rules->placeholder);
}

static bool is_own(const struct identity_rules *rules, struct text value)
{
    return value.len && !is_placeholder(rules, value);
}

static void read_cookie(const struct identity_rules *rules, struct text name, struct text value,
                        struct carried *carried)
{
    if (text_eq(name, VTEX_ID_NAME)) {
        if (!carried->admin_cookie.len)
            carried->admin_cookie = value;
        if (is_placeholder(rules, value))
            carried->placeholder_cookie = true;
    }
    if (text_eq(name, rules->store_cookie) && !carried->store_cookie.len)
        carried->store_cookie = value;
    if (text_eq(name, rules->store_cookie) && is_placeholder(rules, value))
        carried->placeholder_store = true;
}

/* What Connection names goes no further, so it is not carried. */
static struct text value_that_leaves(const struct head *head, enum header_id id)
{
    const struct header *header = &head->headers[head->first[id]];

    return head->count[id] && !header->nominated ? header->value : TEXT_NONE;
}

static void read_cookies(const struct identity_rules *rules, const struct head *head,
                         struct carried *carried)
{
    for (size_t i = 0; head->count[HEADER_COOKIE] && i < head->n_headers; i++) {
        const struct header *header = &head->headers[i];
        struct text cookies = header->value, whole, name, value;
        if (header->id != HEADER_COOKIE || header->nominated)
            continue;
        while (cookie_next(&cookies, &whole, &name, &value))
            read_cookie(rules, name, value, carried);
    }
}

static struct carried carried_by(const struct identity_rules *rules, const struct head *head)
{
    struct carried carried = {
        .authorization = value_that_leaves(head, HEADER_AUTHORIZATION),
        .vtex_id = value_that_leaves(head, HEADER_VTEX_ID),
        .app_key = value_that_leaves(head, HEADER_APP_KEY),
    };

    read_cookies(rules, head, &carried);
    return carried;
}

/* Each placeholder becomes `fate`; what the user put there is kept. */
static void place(const struct identity_rules *rules, const struct carried *carried, enum fate fate,
                  struct identity *identity)
{
    if (is_placeholder(rules, authorization_credentials(carried->authorization)))
        identity->authorization = fate;
    if (is_placeholder(rules, carried->vtex_id))
        identity->vtex_id = fate;
    if (carried->placeholder_cookie)
        identity->cookie = fate;
    identity->rewrites_cookies = carried->placeholder_cookie || carried->placeholder_store;
}

static bool carries_nothing(const struct carried *carried)
{
    return !carried->authorization.len && !carried->vtex_id.len && !carried->admin_cookie.len &&
           (!carried->store_cookie.len || carried->placeholder_store) && !carried->app_key.len;
}

/* The app token in the realm's header, whatever stands there. */
static void put_app_token(enum realm realm, struct identity *identity)
{
    if (realm == REALM_IO) {
        identity->authorization = FATE_DROP;
        identity->add_authorization = true;
    } else {
        identity->vtex_id = FATE_DROP;
        identity->add_vtex_id = true;
    }
}

/* By --inject alone. A raw app token in Authorization is what the @auth directive sends to a Janus
 * host; since only IO is known to take it there, the Janus header is added beside it. */
static void choose_by_setting(const struct identity_rules *rules, const struct carried *carried,
                              enum realm realm, struct identity *identity)
{
    place(rules, carried, FATE_APP_TOKEN, identity);
    if (rules->inject == INJECT_ALWAYS ||
        (rules->inject == INJECT_ABSENT && carries_nothing(carried))) {
        put_app_token(realm, identity);
        return;
    }
    if (rules->inject == INJECT_ABSENT && realm == REALM_JANUS &&
        identity->authorization == FATE_APP_TOKEN && !carried->vtex_id.len &&
        !is_own(rules, carried->admin_cookie) && !is_own(rules, carried->store_cookie)) {
        identity->vtex_id = FATE_DROP;
        identity->add_vtex_id = true;
    }
}

/* A user's token into the identity header. On IO the hop is still authorised by the app; a foreign
 * host has no such header, so there the cookie just goes on. */
static enum outcome choose_user(const struct identity_rules *rules, const struct carried *carried,
                                enum realm realm, struct text token, struct identity *identity)
{
    if (!is_own(rules, token))
        return OUTCOME_USER_TOKEN_MISSING;
    place(rules, carried, FATE_DROP, identity);
    if (realm == REALM_FOREIGN)
        return OUTCOME_RELAYED;
    identity->vtex_id = FATE_DROP;
    identity->user_token = token;
    if (realm != REALM_IO || rules->inject == INJECT_OFF)
        return OUTCOME_RELAYED;
    if (identity->authorization == FATE_DROP)
        identity->authorization = FATE_APP_TOKEN;
    else if (!carried->authorization.len && rules->inject != INJECT_PLACEHOLDER)
        put_app_token(realm, identity);
    return OUTCOME_RELAYED;
}

enum choice { CHOICE_DEFAULT, CHOICE_APP, CHOICE_ADMIN, CHOICE_STORE, CHOICE_NONE, CHOICE_UNKNOWN };

static enum choice choice_of(const struct head *head)
{
    static const struct {
        struct text name;
        enum choice choice;
    } names[] = {
        { { "app", 3 }, CHOICE_APP },     { { "AUTH_TOKEN", 10 }, CHOICE_APP },
        { { "admin", 5 }, CHOICE_ADMIN }, { { "ADMIN_TOKEN", 11 }, CHOICE_ADMIN },
        { { "store", 5 }, CHOICE_STORE }, { { "STORE_TOKEN", 11 }, CHOICE_STORE },
        { { "none", 4 }, CHOICE_NONE },
    };
    struct text value = head_value(head, HEADER_JANUS_AUTH);

    if (!value.at)
        return CHOICE_DEFAULT;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (text_eq_nocase(names[i].name, value))
            return names[i].choice;
    }
    return CHOICE_UNKNOWN;
}

static enum outcome choose(const struct identity_rules *rules, const struct carried *carried,
                           enum choice choice, enum realm realm, struct identity *identity)
{
    bool nothing_of_ours = realm == REALM_FOREIGN || choice == CHOICE_NONE;

    if (choice == CHOICE_ADMIN)
        return choose_user(rules, carried, realm, carried->admin_cookie, identity);
    if (choice == CHOICE_STORE)
        return choose_user(rules, carried, realm, carried->store_cookie, identity);
    if (nothing_of_ours || (rules->inject == INJECT_OFF && choice == CHOICE_DEFAULT)) {
        place(rules, carried, FATE_DROP, identity);
        return OUTCOME_RELAYED;
    }
    if (rules->inject == INJECT_OFF)
        return OUTCOME_TOKEN_UNAVAILABLE;
    if (choice == CHOICE_APP) {
        place(rules, carried, FATE_APP_TOKEN, identity);
        put_app_token(realm, identity);
    } else {
        choose_by_setting(rules, carried, realm, identity);
    }
    return OUTCOME_RELAYED;
}

static enum identity_kind kind_of(const struct identity_rules *rules, const struct carried *carried,
                                  enum choice choice, const struct identity *identity)
{
    if (identity->user_token.at)
        return choice == CHOICE_ADMIN ? IDENTITY_ADMIN : IDENTITY_STORE;
    if (identity->needs_app_token)
        return IDENTITY_APP;
    if (is_own(rules, authorization_credentials(carried->authorization)) ||
        is_own(rules, carried->vtex_id) || is_own(rules, carried->admin_cookie) ||
        is_own(rules, carried->store_cookie) || carried->app_key.len)
        return IDENTITY_OWN;
    return IDENTITY_NONE;
}

enum outcome identity_choose(const struct identity_rules *rules, const struct head *head,
                             enum realm realm, struct identity *identity, const char **why)
{
    struct carried carried = carried_by(rules, head);
    enum choice choice = choice_of(head);

    *identity =
        (struct identity){ .placeholder = rules->placeholder, .store_cookie = rules->store_cookie };
    *why = NULL;
    if (head->count[HEADER_AUTHORIZATION] > 1 || head->count[HEADER_VTEX_ID] > 1 ||
        head->count[HEADER_JANUS_AUTH] > 1) {
        *why = "Authorization, VtexIdclientAutCookie or X-Janus-Auth is there more than once.";
        return OUTCOME_BAD_REQUEST;
    }
    if (choice == CHOICE_UNKNOWN) {
        *why = "X-Janus-Auth is not one of app, admin, store, none.";
        return OUTCOME_BAD_REQUEST;
    }
    enum outcome outcome = choose(rules, &carried, choice, realm, identity);
    identity->needs_app_token = identity->add_authorization || identity->add_vtex_id ||
                                identity->authorization == FATE_APP_TOKEN ||
                                identity->vtex_id == FATE_APP_TOKEN ||
                                identity->cookie == FATE_APP_TOKEN;
    identity->kind = kind_of(rules, &carried, choice, identity);
    return outcome;
}

const char *identity_name(enum identity_kind kind)
{
    static const char *const names[] = { "none", "own", "app", "admin", "store" };

    return names[kind];
}
