#include "proxy/log_repeat.h"

#include <stdio.h>

static uint64_t hash_of(const char *event, const char *sentence)
{
    return text_hash(text_hash(0, text_of(event)), text_of(sentence));
}

static bool is_over(const struct repeat *slot, uint64_t now_ms)
{
    return slot->said && now_ms - slot->since_ms >= LOG_REPEAT_MS;
}

/* What is missed least comes first: nothing, what is over, what came once. */
static unsigned long long worth(const struct repeat *slot, uint64_t now_ms)
{
    if (!slot->said || is_over(slot, now_ms))
        return slot->said > 0;
    return 1ULL + slot->said + slot->held;
}

/* The one of this hash; else the one that is missed least, the oldest of those. */
static struct repeat *slot_for(struct repeats *repeats, uint64_t hash, uint64_t now_ms)
{
    struct repeat *best = NULL;

    for (size_t i = 0; i < LOG_REPEAT_SLOTS; i++) {
        struct repeat *slot = &repeats->slots[i];
        if (slot->said && slot->hash == hash)
            return slot;
        if (!best || worth(slot, now_ms) < worth(best, now_ms) ||
            (worth(slot, now_ms) == worth(best, now_ms) && slot->since_ms < best->since_ms))
            best = slot;
    }
    return best;
}

static void begin(struct repeat *slot, uint64_t hash, enum log_level level, const char *event,
                  const char *sentence, uint64_t now_ms)
{
    *slot = (struct repeat){ .hash = hash, .since_ms = now_ms, .level = level };
    snprintf(slot->event, sizeof(slot->event), "%s", event);
    snprintf(slot->sentence, sizeof(slot->sentence), "%s", sentence);
}

bool repeats_note(struct repeats *repeats, enum log_level level, const char *event,
                  const char *sentence, uint64_t now_ms, struct repeat *ended)
{
    uint64_t hash = hash_of(event, sentence);
    struct repeat *slot = slot_for(repeats, hash, now_ms);

    ended->held = 0;
    if (!slot->said || slot->hash != hash || is_over(slot, now_ms)) {
        *ended = *slot;
        begin(slot, hash, level, event, sentence, now_ms);
    }
    if (slot->said < LOG_REPEATS) {
        slot->said++;
        return true;
    }
    slot->held++;
    return false;
}

bool repeats_next(struct repeats *repeats, uint64_t now_ms, bool all, struct repeat *ended)
{
    for (size_t i = 0; i < LOG_REPEAT_SLOTS; i++) {
        struct repeat *slot = &repeats->slots[i];
        if (slot->held && (all || is_over(slot, now_ms))) {
            *ended = *slot;
            *slot = (struct repeat){ 0 };
            return true;
        }
    }
    return false;
}
