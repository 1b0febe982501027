#include "proxy/token/source.h"

#include <assert.h>

void token_source_start(struct token_source *source, const struct token_source_owner *owner,
                        void *arg)
{
    source->owner = owner;
    source->arg = arg;
    if (source->kind->start)
        source->kind->start(source);
}

void token_source_fetch(struct token_source *source)
{
    assert(source->owner);
    if (source->asked)
        return;
    source->asked = true;
    source->kind->fetch(source);
}

void token_source_free(struct token_source *source)
{
    if (source)
        source->kind->free(source);
}

void token_source_arrived(struct token_source *source, struct token *token)
{
    source->asked = false;
    source->owner->arrived(source->arg, token);
}

void token_source_failed(struct token_source *source, const char *why, bool will_change)
{
    source->asked = false;
    source->owner->failed(source->arg, why, will_change);
}
