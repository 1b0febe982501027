#include "tests/janus/record.h"

#include <stdlib.h>

#include "config/memory.h"

struct record {
    struct arrival *ring[RECORD_ENTRIES_MAX];
    size_t first, count, bytes;
};

struct arrival *arrival_new(struct text raw, const struct channel *channel)
{
    struct arrival *arrival = mem_alloc(1, sizeof(*arrival));

    arrival->refs = 1;
    arrival->raw = raw;
    arrival->fault = head_parse(raw, &arrival->head);
    arrival->channel = *channel;
    arrival->digest = EVP_MD_CTX_new();
    if (!arrival->digest || !EVP_DigestInit_ex(arrival->digest, EVP_sha256(), NULL))
        abort(); /* memory gone */
    return arrival;
}

struct arrival *arrival_ref(struct arrival *arrival)
{
    arrival->refs++;
    return arrival;
}

static void free_text(struct text *text)
{
    free((void *)(uintptr_t)text->at);
    *text = TEXT_NONE;
}

void arrival_unref(struct arrival *arrival)
{
    if (!arrival || --arrival->refs > 0)
        return;
    EVP_MD_CTX_free(arrival->digest);
    free_text(&arrival->raw);
    free_text(&arrival->kept);
    free(arrival);
}

static void keep(struct arrival *arrival, struct text piece)
{
    size_t room = BODY_KEEP_MAX - arrival->kept.len;
    size_t n = piece.len < room ? piece.len : room;
    char *grown;

    if (n == 0)
        return;
    grown = mem_resize((void *)(uintptr_t)arrival->kept.at, arrival->kept.len + n, 1);
    memcpy(grown + arrival->kept.len, piece.at, n);
    arrival->kept = (struct text){ grown, arrival->kept.len + n };
}

void arrival_add_body(struct arrival *arrival, struct text piece)
{
    EVP_DigestUpdate(arrival->digest, piece.at, piece.len);
    keep(arrival, piece);
    arrival->body_len += piece.len;
}

void digest_finish(EVP_MD_CTX *digest, char hex[DIGEST_HEX])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    EVP_DigestFinal_ex(digest, sum, &len);
    for (unsigned i = 0; i < len && 2 * i + 2 < DIGEST_HEX; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    EVP_MD_CTX_free(digest);
}

void arrival_end_body(struct arrival *arrival, bool complete)
{
    if (!arrival->digest)
        return;
    digest_finish(arrival->digest, arrival->sha256);
    arrival->digest = NULL;
    arrival->body_complete = complete;
}

static bool is_printable(struct text text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if ((c < 0x20 && !strchr("\t\r\n", c)) || c == '\0' || c == 0x7f)
            return false;
    }
    return true;
}

static bool body_is_text(const struct arrival *arrival)
{
    return arrival->body_len <= BODY_TEXT_MAX && arrival->body_len == arrival->kept.len &&
           is_printable(arrival->kept);
}

void arrival_settle(struct arrival *arrival, enum arrival_end end)
{
    arrival_end_body(arrival, false); /* nothing, if the body has ended before */
    if (!body_is_text(arrival))
        free_text(&arrival->kept);
    arrival->end = end;
}

json_t *json_latin1(struct text bytes)
{
    char *utf8 = mem_alloc(2 * bytes.len + 1, 1);
    size_t used = 0;
    json_t *json;

    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.at[i];

        if (c < 0x80) {
            utf8[used++] = (char)c;
            continue;
        }
        utf8[used++] = (char)(0xc0 | c >> 6);
        utf8[used++] = (char)(0x80 | (c & 0x3f));
    }
    json = json_stringn(utf8, used);
    free(utf8);
    return json;
}

static json_t *fields_json(const struct head *head)
{
    json_t *list = json_array();
    struct text rest = head->fields;
    struct field field;

    while (head_next(&rest, &field))
        json_array_append_new(list,
                              json_pack("[oo]", json_latin1(field.name), json_latin1(field.value)));
    return list;
}

static json_t *body_json(const struct arrival *arrival)
{
    json_t *body = json_pack("{sIsbss}", "length", (json_int_t)arrival->body_len, "complete",
                             arrival->body_complete, "sha256", arrival->sha256);

    if (arrival->body_len > 0 && body_is_text(arrival))
        json_object_set_new(body, "text", json_latin1(arrival->kept));
    return body;
}

static json_t *channel_json(const struct channel *channel)
{
    return json_pack("{sssssb}", "version", channel->tls, "cipher", channel->cipher, "resumed",
                     channel->resumed);
}

json_t *arrival_json(const struct arrival *arrival)
{
    const struct head *head = &arrival->head;
    json_t *json = json_object();

    json_object_set_new(json, "method", json_latin1(head->method));
    json_object_set_new(json, "target", json_latin1(head->target));
    json_object_set_new(json, "version", json_latin1(head->version));
    json_object_set_new(json, "headers", fields_json(head));
    json_object_set_new(json, "host", json_latin1(head->host));
    json_object_set_new(json, "body", body_json(arrival));
    json_object_set_new(json, "sni", json_latin1(text_of(arrival->channel.sni)));
    json_object_set_new(json, "tls", channel_json(&arrival->channel));
    json_object_set_new(json, "connection", json_integer((json_int_t)arrival->channel.connection));
    json_object_set_new(json, "request", json_integer((json_int_t)arrival->channel.request));
    if (arrival->fault)
        json_object_set_new(json, "fault", json_string(arrival->fault));
    return json;
}

struct record *record_new(void)
{
    return mem_alloc(1, sizeof(struct record));
}

static size_t cost(const struct arrival *arrival)
{
    return sizeof(*arrival) + arrival->raw.len + BODY_TEXT_MAX;
}

static void drop_oldest(struct record *record)
{
    struct arrival *oldest = record->ring[record->first];

    record->bytes -= cost(oldest);
    record->first = (record->first + 1) % RECORD_ENTRIES_MAX;
    record->count--;
    arrival_unref(oldest);
}

void record_clear(struct record *record)
{
    while (record->count > 0)
        drop_oldest(record);
}

void record_free(struct record *record)
{
    if (record)
        record_clear(record);
    free(record);
}

void record_add(struct record *record, struct arrival *arrival)
{
    while (record->count > 0 && (record->count == RECORD_ENTRIES_MAX ||
                                 record->bytes + cost(arrival) > RECORD_BYTES_MAX))
        drop_oldest(record);
    record->ring[(record->first + record->count++) % RECORD_ENTRIES_MAX] = arrival_ref(arrival);
    record->bytes += cost(arrival);
}

json_t *record_json(const struct record *record)
{
    static const char *const ends[] = { "open", "answered", "aborted" };
    json_t *list = json_array();

    for (size_t i = 0; i < record->count; i++) {
        const struct arrival *arrival = record->ring[(record->first + i) % RECORD_ENTRIES_MAX];
        json_t *json = arrival_json(arrival);

        json_object_set_new(json, "route", json_string(arrival->route ? arrival->route : ""));
        json_object_set_new(json, "status", json_integer(arrival->status));
        json_object_set_new(json, "end", json_string(ends[arrival->end]));
        json_array_append_new(list, json);
    }
    return list;
}
