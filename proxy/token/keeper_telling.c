/* What the keeper tells people: lines in the log, facts for pages. Never a token. */
#include <stdlib.h>

#include "config/memory.h"
#include "proxy/log.h"
#include "proxy/token/jwt.h"
#include "proxy/token/keeper_parts.h"

static void log_stranger(struct token_keeper *keeper)
{
    char theirs[128];
    const char *name = jwt_is_for_another(token_text(keeper->desk.current), keeper->rules.account,
                                          keeper->rules.workspace, theirs, sizeof(theirs));

    if (name)
        log_message(keeper->log, LOG_WARNING, "token",
                    "%s: its token is for the %s \"%s\", not for the one in --%s: the platform may "
                    "refuse it",
                    keeper->current_slot->source->label, name, theirs, name);
}

void keeper_log_current(struct token_keeper *keeper)
{
    int64_t life_ms = keeper->current_slot->until.wall_ms - keeper_now(keeper).wall_ms;

    log_begin(keeper->log, LOG_INFO, "token");
    log_number(keeper->log, "generation", token_generation(keeper->desk.current));
    log_text(keeper->log, "fingerprint", text_of(token_fingerprint(keeper->desk.current)));
    log_text(keeper->log, "source", text_of(keeper->current_slot->source->kind->name));
    log_number(keeper->log, "expires_in_s", life_ms > 0 ? (unsigned long long)life_ms / 1000 : 0);
    if (!token_expires_at(keeper->desk.current))
        log_text(keeper->log, "message",
                 TEXT("it does not say when it expires; --token-lifetime counts"));
    log_end(keeper->log);
    log_stranger(keeper);
}

void keeper_log_missing(struct token_keeper *keeper)
{
    if (!keeper->missed && keeper->generation)
        log_message(keeper->log, LOG_ERROR, "token",
                    "the last token has died and no source has given another: requests that need "
                    "one end with 503");
    keeper->missed = true;
}

void keeper_complain(struct slot *slot, const char *why, bool will_change)
{
    if (slot->complaint && strcmp(slot->complaint, why) == 0)
        return;
    log_message(slot->keeper->log, will_change ? LOG_INFO : LOG_WARNING, "token_source",
                "%s: %s; %s", slot->source->label, why,
                slot_is_live(slot, keeper_now(slot->keeper)) ? "its last token stays in use"
                                                             : "it has given no live token");
    free(slot->complaint);
    slot->complaint = text_dup(text_of(why));
}

void token_keeper_facts(const struct token_keeper *keeper, struct token_facts *facts)
{
    struct moment now = keeper_now(keeper);

    *facts = (struct token_facts){ .generation = keeper->generation,
                                   .n_renewals = keeper->n_renewals,
                                   .n_failures = keeper->n_failures,
                                   .n_sources = keeper->n_slots };
    if (keeper->n_slots)
        facts->complaint = keeper->slots[0].complaint;
    facts->n_waiting = token_desk_n_waiting(&keeper->desk);
    if (!keeper->desk.current || !token_is_live(keeper->desk.current, now))
        return;
    facts->current = keeper->desk.current;
    facts->source = keeper->current_slot->source->kind->name;
    facts->label = keeper->current_slot->source->label;
    facts->expires_in_ms = keeper->current_slot->until.wall_ms - now.wall_ms;
    facts->renewal_in_ms = (int64_t)(keeper->current_slot->schedule.due_ms - now.boot_ms);
}
