/* What learn says. The policies come as JSON that can be pasted, so the evidence stands beside it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/memory.h"
#include "proxy/command_learn_parts.h"
#include "proxy/command_parts.h"

enum { SHOWN_BYTES = 200, LEFT_SHOWN = 20, LEFT_SHOWN_JSON = 1000 };

static const char *const seen_names[N_LEARN_SEEN] = { "allowed", "would be denied", "denied" };
static const char *const seen_keys[N_LEARN_SEEN] = { "allowed", "wouldDeny", "denied" };

static unsigned long long sum(const unsigned long long requests[N_LEARN_SEEN])
{
    return requests[LEARN_ALLOWED] + requests[LEARN_WOULD_DENY] + requests[LEARN_DENIED];
}

static json_t *json_of_policy(const struct learned *learned)
{
    if (!learned->host)
        return json_pack("{s:s}", "name", learned->name);
    return json_pack("{s:s, s:{s:s, s:s}}", "name", learned->name, "attrs", "host", learned->host,
                     "path", learned->path);
}

/* ---- for people ---- */

static void print_text(struct text value)
{
    struct text cut = { value.at, value.len > SHOWN_BYTES ? SHOWN_BYTES : value.len };
    char shown[4 * SHOWN_BYTES + 1];

    fputs(text_printable(cut, shown, sizeof(shown)), stdout);
    if (value.len > SHOWN_BYTES)
        fputs("...", stdout);
}

static const char *plural(unsigned long long n)
{
    return n == 1 ? "" : "s";
}

/* "5 requests (4 allowed, 1 denied)" */
static void print_requests(const unsigned long long requests[N_LEARN_SEEN])
{
    unsigned long long all = sum(requests);
    const char *comma = "";

    printf("%llu request%s (", all, plural(all));
    for (int i = 0; i < N_LEARN_SEEN; i++) {
        if (requests[i] == 0)
            continue;
        printf("%s%llu %s", comma, requests[i], seen_names[i]);
        comma = ", ";
    }
    fputs(all ? ")" : "none)", stdout);
}

static void print_request(const struct learn_request *request)
{
    print_text(request->method);
    putchar(' ');
    print_text(request->host);
    print_text(request->path);
}

static void print_evidence(const struct learn_evidence *evidence)
{
    print_requests(evidence->requests);
    printf(", %zu path%s, such as ", evidence->paths, plural(evidence->paths));
    print_request(&evidence->first);
    putchar('\n');
}

static void print_stars(const struct learned *learned)
{
    if (learned->n_values == 0)
        return;
    fputs("     *", stdout);
    for (size_t i = 0; i < learned->n_values; i++)
        printf("%s %zu values", i == 0 ? " stands for" : ", then for", learned->values[i]);
    puts(strcmp(learned->path, "/*") == 0 ? "; it opens the whole host"
                                          : "; it crosses \"/\", so it opens more than a segment");
}

static void print_policies(const struct lesson *lesson, bool for_denied)
{
    const char *comma = "";

    fputs("[", stdout);
    for (size_t i = 0; i < lesson->n_learned; i++) {
        json_t *policy;
        char *text;

        if (lesson->learned[i].for_denied != for_denied)
            continue;
        policy = json_of_policy(&lesson->learned[i]);
        text = json_dumps(policy, JSON_ENSURE_ASCII);
        printf("%s\n  %s", comma, text);
        comma = ",";
        free(text);
        json_decref(policy);
    }
    puts("\n]\n");
}

static void print_why(const struct lesson *lesson, bool for_denied)
{
    size_t n = 0;

    for (size_t i = 0; i < lesson->n_learned; i++) {
        const struct learned *learned = &lesson->learned[i];

        if (learned->for_denied != for_denied)
            continue;
        printf("%3zu. ", ++n);
        print_text(text_of(learned->host ? learned->host : learned->name));
        print_text(text_of(learned->host ? learned->path : ""));
        fputs("\n     ", stdout);
        print_evidence(&learned->evidence);
        print_stars(learned);
        if (!learned->host)
            printf("     opens %zu resource%s, %zu of them used\n", learned->evidence.opens,
                   plural(learned->evidence.opens), learned->evidence.used);
    }
    putchar('\n');
}

static size_t count_learned(const struct lesson *lesson, bool for_denied)
{
    size_t n = 0;

    for (size_t i = 0; i < lesson->n_learned; i++)
        n += lesson->learned[i].for_denied == for_denied;
    return n;
}

static void print_learned(const struct lesson *lesson)
{
    if (count_learned(lesson, false) > 0) {
        puts("Add these to \"policies\" in the manifest:\n");
        print_policies(lesson, false);
        puts("What each rests on, in the same order:\n");
        print_why(lesson, false);
    } else {
        puts("There is nothing to add for what passed.\n");
    }
    if (count_learned(lesson, true) == 0)
        return;
    puts("DENIED until now: add one of these only if the app is meant to send such requests:\n");
    print_policies(lesson, true);
    puts("What each rests on, in the same order:\n");
    print_why(lesson, true);
}

static void print_row(const struct learn_today *row)
{
    fputs("  ", stdout);
    print_text(text_of(row->place.file));
    printf(":%u:%u  ", row->place.line, row->place.column);
    print_text(row->name);
    if (row->host.at) {
        fputs(", host ", stdout);
        print_text(row->host);
    }
    if (row->path.at) {
        fputs(", path ", stdout);
        print_text(row->path);
    }
    if (row->evidence.paths > 0) {
        fputs(": ", stdout);
        print_evidence(&row->evidence);
    } else {
        putchar('\n');
    }
}

static void print_today(const struct lesson *lesson, enum learn_fate fate, const char *title)
{
    bool titled = false;

    for (size_t i = 0; i < lesson->n_today; i++) {
        if (lesson->today[i].fate != fate)
            continue;
        if (!titled)
            printf("%s\n\n", title);
        titled = true;
        print_row(&lesson->today[i]);
    }
    if (titled)
        putchar('\n');
}

static bool is_closed(const struct learn_left *left)
{
    return left->reason != REASON_RULE;
}

static void print_left_one(const struct learn_left *left)
{
    fputs("  ", stdout);
    print_request(&left->request);
    fputs(": ", stdout);
    print_requests(left->requests);
    printf("; %s\n", left->why);
}

static void print_left(const struct lesson *lesson, bool closed, const char *title)
{
    size_t n = 0;

    for (size_t i = 0; i < lesson->n_left; i++) {
        if (is_closed(&lesson->left[i]) != closed)
            continue;
        if (n == 0)
            printf("%s\n\n", title);
        if (n++ < LEFT_SHOWN)
            print_left_one(&lesson->left[i]);
    }
    if (n > LEFT_SHOWN)
        printf("  and %zu more; --json lists up to %d\n", n - LEFT_SHOWN, LEFT_SHOWN_JSON);
    if (n > 0)
        putchar('\n');
}

static void print_words(const struct lesson *lesson)
{
    for (size_t i = 0; i < lesson->n_words; i++) {
        printf("%zu words were seen at the * of ", lesson->words[i].n);
        print_text(text_of(lesson->words[i].host));
        print_text(text_of(lesson->words[i].path));
        puts("; if they are names of things, --fold-words N folds them\n");
    }
}

static void print_skipped(const char *what, unsigned long long n)
{
    if (n > 0)
        printf("  %llu %s\n", n, what);
}

static void print_source(const struct learn_source *source)
{
    fputs("Learned from ", stdout);
    print_requests(source->requests);
    if (source->first[0])
        printf(", %s to %s", source->first, source->last);
    printf("; %llu line%s in %zu file%s.\n", source->lines, plural(source->lines), source->files,
           plural(source->files));
    print_skipped("refused as malformed (400): never learned from", source->refused);
    print_skipped("exchanges without a destination: never learned from", source->unjudged);
    print_skipped("stopped by the address that the name leads to: no policy opens that",
                  source->address);
    print_skipped("lines whose path was cut, or that were not whole: left out", source->incomplete);
    print_skipped("lines that could not be read: left out", source->broken);
    print_skipped("requests beyond the ceiling of distinct ones: left out", source->beyond);
    if (!source->manifest)
        puts("  there is no manifest.json: nothing is kept, and nothing can be unused");
    putchar('\n');
}

void command_learn_print(const struct learn_source *source, const struct lesson *lesson)
{
    print_source(source);
    print_learned(lesson);
    print_today(lesson, LEARN_KEPT, "Kept, because they open some of it already:");
    print_today(lesson, LEARN_REPLACED,
                "Remove these once the new ones are in; they open more than was needed:");
    print_today(lesson, LEARN_UNUSED, "Never used by these requests:");
    print_today(lesson, LEARN_MUTE, "Not looked at, because they open nothing here:");
    print_left(lesson, false, "Policies cannot be written for:");
    print_left(lesson, true, "No policy opens, whatever it says:");
    print_words(lesson);
}

/* ---- for machines ---- */

static json_t *json_of_requests(const unsigned long long requests[N_LEARN_SEEN])
{
    json_t *made = json_object();

    for (int i = 0; i < N_LEARN_SEEN; i++)
        json_object_set_new(made, seen_keys[i], json_integer((json_int_t)requests[i]));
    return made;
}

static json_t *json_of_request(const struct learn_request *request)
{
    if (!request->host.at)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "method", command_json_text(request->method), "host",
                     command_json_text(request->host), "path", command_json_text(request->path));
}

static json_t *json_of_evidence(const struct learn_evidence *evidence)
{
    return json_pack("{s:I, s:o, s:I, s:o}", "requests", (json_int_t)sum(evidence->requests),
                     "seen", json_of_requests(evidence->requests), "distinctPaths",
                     (json_int_t)evidence->paths, "example", json_of_request(&evidence->first));
}

static json_t *json_of_learned(const struct learned *learned)
{
    json_t *evidence = json_of_evidence(&learned->evidence), *values = json_array();

    for (size_t i = 0; i < learned->n_values; i++)
        json_array_append_new(values, json_integer((json_int_t)learned->values[i]));
    json_object_set_new(evidence, "folded", values);
    if (!learned->host) {
        json_object_set_new(evidence, "opens", json_integer((json_int_t)learned->evidence.opens));
        json_object_set_new(evidence, "used", json_integer((json_int_t)learned->evidence.used));
    }
    return json_pack("{s:o, s:o}", "policy", json_of_policy(learned), "evidence", evidence);
}

static json_t *json_of_all(const struct lesson *lesson, bool for_denied)
{
    json_t *list = json_array();

    for (size_t i = 0; i < lesson->n_learned; i++)
        if (lesson->learned[i].for_denied == for_denied)
            json_array_append_new(list, json_of_learned(&lesson->learned[i]));
    return list;
}

static json_t *json_of_today(const struct lesson *lesson, enum learn_fate fate)
{
    json_t *list = json_array();

    for (size_t i = 0; i < lesson->n_today; i++) {
        const struct learn_today *row = &lesson->today[i];
        json_t *made;

        if (row->fate != fate)
            continue;
        made = command_json_place(row->place);
        json_object_set_new(made, "name", command_json_text(row->name));
        json_object_set_new(made, "host", command_json_text(row->host));
        json_object_set_new(made, "path", command_json_text(row->path));
        if (row->evidence.paths > 0)
            json_object_set_new(made, "evidence", json_of_evidence(&row->evidence));
        json_array_append_new(list, made);
    }
    return list;
}

/* `{"count", "shown": [...]}`: a log may hold very many. */
static json_t *json_of_left(const struct lesson *lesson, bool closed)
{
    json_t *list = json_array();
    size_t n = 0;

    for (size_t i = 0; i < lesson->n_left; i++) {
        const struct learn_left *left = &lesson->left[i];
        json_t *made;

        if (is_closed(left) != closed || n++ >= LEFT_SHOWN_JSON)
            continue;
        made = json_of_request(&left->request);
        json_object_set_new(made, "seen", json_of_requests(left->requests));
        json_object_set_new(made, "why", command_json_text(text_of(left->why)));
        json_array_append_new(list, made);
    }
    return json_pack("{s:I, s:o}", "count", (json_int_t)n, "shown", list);
}

static json_t *json_of_words(const struct lesson *lesson)
{
    json_t *list = json_array();

    for (size_t i = 0; i < lesson->n_words; i++)
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:I}", "host",
                                        command_json_text(text_of(lesson->words[i].host)), "path",
                                        command_json_text(text_of(lesson->words[i].path)), "words",
                                        (json_int_t)lesson->words[i].n));
    return list;
}

static json_t *json_of_source(const struct learn_source *source)
{
    json_t *made =
        json_pack("{s:I, s:I, s:o}", "files", (json_int_t)source->files, "lines",
                  (json_int_t)source->lines, "requests", json_of_requests(source->requests));

    json_object_set_new(made, "first", source->first[0] ? json_string(source->first) : json_null());
    json_object_set_new(made, "last", source->last[0] ? json_string(source->last) : json_null());
    return made;
}

static json_t *json_of_skipped(const struct learn_source *source)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "refused", (json_int_t)source->refused,
                     "unjudged", (json_int_t)source->unjudged, "addressDenied",
                     (json_int_t)source->address, "incomplete", (json_int_t)source->incomplete,
                     "broken", (json_int_t)source->broken, "beyondCeiling",
                     (json_int_t)source->beyond);
}

void command_learn_print_json(const struct learn_source *source, const struct lesson *lesson)
{
    json_t *out = json_pack("{s:o, s:o}", "source", json_of_source(source), "skipped",
                            json_of_skipped(source));

    json_object_set_new(out, "policies", json_of_all(lesson, false));
    json_object_set_new(out, "policiesForDenied", json_of_all(lesson, true));
    json_object_set_new(out, "kept", json_of_today(lesson, LEARN_KEPT));
    json_object_set_new(out, "replaced", json_of_today(lesson, LEARN_REPLACED));
    json_object_set_new(out, "unused", json_of_today(lesson, LEARN_UNUSED));
    json_object_set_new(out, "openNothing", json_of_today(lesson, LEARN_MUTE));
    json_object_set_new(out, "notExpressible", json_of_left(lesson, false));
    json_object_set_new(out, "closed", json_of_left(lesson, true));
    json_object_set_new(out, "manyWords", json_of_words(lesson));
    command_print_json(out);
}
