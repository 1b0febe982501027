#include "config/settings_change.h"

#include <assert.h>
#include <string.h>

#include "config/settings_rows.h"

static size_t size_of(enum settings_kind kind)
{
    switch (kind) {
    case KIND_MILLIS:
    case KIND_WAIT:
    case KIND_COUNT:
    case KIND_CHOICES:
        return sizeof(unsigned);
    case KIND_SIZE:
        return sizeof(uint64_t);
    case KIND_FLAG:
    case KIND_OFF_FLAG:
        return sizeof(bool);
    case KIND_CHOICE:
        return sizeof(enum mode);
    case KIND_ADDRESS:
        return sizeof(struct listen_address);
    default:
        return sizeof(void *); /* a text, or the items of a list */
    }
}

static void change_places(void *left, void *right, size_t size)
{
    char between[sizeof(struct listen_address)];

    assert(size <= sizeof(between));
    memcpy(between, left, size);
    memcpy(left, right, size);
    memcpy(right, between, size);
}

static bool differs(const struct settings *in_force, const struct settings *fresh, size_t row)
{
    return strcmp(in_force->shown[row], fresh->shown[row]) != 0;
}

size_t settings_each_change(const struct settings *in_force, const struct settings *fresh,
                            void (*visit)(void *context, const char *name, bool live),
                            void *context)
{
    size_t n = 0;

    for (size_t i = 0; i < settings_n_rows; i++) {
        if (!differs(in_force, fresh, i))
            continue;
        visit(context, settings_key(&settings_rows[i]), settings_rows[i].live);
        n++;
    }
    return n;
}

void settings_take_live(struct settings *in_force, struct settings *fresh)
{
    for (size_t i = 0; i < settings_n_rows; i++) {
        const struct settings_row *row = &settings_rows[i];
        char *left = (char *)in_force, *right = (char *)fresh;

        if (!row->live || !differs(in_force, fresh, i))
            continue;
        change_places(left + row->field, right + row->field, size_of(row->kind));
        if (settings_is_list(row) && row->kind != KIND_CHOICES)
            change_places(left + row->count, right + row->count, sizeof(size_t));
        change_places(&in_force->shown[i], &fresh->shown[i], sizeof(char *));
    }
}
