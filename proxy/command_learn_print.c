/* What learn says. The policies come as JSON that can be pasted, so the evidence stands beside it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/memory.h"
#include "proxy/command_learn_parts.h"
#include "proxy/command_parts.h"

enum { SHOWN_BYTES = 200, LEFT_SHOWN = 20 };

static const char *const seen_names[N_LEARN_SEEN] = { "allowed", "would be denied", "denied" };

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
    unsigned long long all = command_learn_sum(requests);
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
        policy = command_learn_policy(&lesson->learned[i]);
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
        if (command_learn_is_closed(&lesson->left[i]) != closed)
            continue;
        if (n == 0)
            printf("%s\n\n", title);
        if (n++ < LEFT_SHOWN)
            print_left_one(&lesson->left[i]);
    }
    if (n > LEFT_SHOWN)
        printf("  and %zu more; --json lists up to %d\n", n - LEFT_SHOWN, LEARN_LEFT_SHOWN_JSON);
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
    printf("; the log has %llu line%s.\n", source->lines, plural(source->lines));
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
