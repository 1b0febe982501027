/* traceparent: what is one and what is not (Trace Context level 1, 3.2.2 and 4.3). */
#include "tests/unit/stories.h"

#include "proxy/trace.h"

#define ID     "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define GOOD   "00-" ID "-" PARENT "-01"

static struct row {
    const char *name;
    struct text value;
    bool good;
} rows[] = {
    { "as in the specification", TEXT_INIT(GOOD), true },
    { "not sampled", TEXT_INIT("00-" ID "-" PARENT "-00"), true },
    { "flags that are not known", TEXT_INIT("00-" ID "-" PARENT "-ff"), true },
    { "a later version", TEXT_INIT("cc-" ID "-" PARENT "-01"), true },
    { "a later version with more", TEXT_INIT("cc-" ID "-" PARENT "-01-what-comes"), true },
    { "a later version, and a dash", TEXT_INIT("01-" ID "-" PARENT "-01-"), true },
    { "nothing", TEXT_INIT(""), false },
    { "version ff", TEXT_INIT("ff-" ID "-" PARENT "-01"), false },
    { "version 00 with more", TEXT_INIT(GOOD "-more"), false },
    { "version 00 and a dash", TEXT_INIT(GOOD "-"), false },
    { "a later version with more, and no dash", TEXT_INIT("cc-" ID "-" PARENT "-01.more"), false },
    { "capital letters", TEXT_INIT("00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01"), false },
    { "a capital version", TEXT_INIT("0A-" ID "-" PARENT "-01"), false },
    { "an id of zeros", TEXT_INIT("00-00000000000000000000000000000000-" PARENT "-01"), false },
    { "a parent of zeros", TEXT_INIT("00-" ID "-0000000000000000-01"), false },
    { "a letter that is no digit", TEXT_INIT("00-4bf92f3577b34da6a3ce929d0e0e473g-" PARENT "-01"),
      false },
    { "flags that are no number", TEXT_INIT("00-" ID "-" PARENT "-0x"), false },
    { "one digit of flags", TEXT_INIT("00-" ID "-" PARENT "-0"), false },
    { "a short id", TEXT_INIT("00-4bf92f3577b34da6a3ce929d0e0e47-" PARENT "-0100"), false },
    { "underscores", TEXT_INIT("00_" ID "_" PARENT "_01"), false },
    { "a blank before it", TEXT_INIT(" " GOOD), false },
    { "a quote in it", TEXT_INIT("00-4bf92f3577b34da6a3ce929d0e0e473\"-" PARENT "-01"), false },
    { "a NUL in it", TEXT_INIT("00-4bf92f3577b34da6a3ce929d0e0e473\0-" PARENT "-01"), false },
    { "two of them", TEXT_INIT(GOOD ", " GOOD), false },
};

static void is_one(void **state)
{
    const struct row *row = *state;
    struct trace trace = { "x", "x" };

    assert_int_equal(trace_parse(row->value, &trace), row->good);
    assert_string_equal(trace.id, row->good ? ID : "");
    assert_string_equal(trace.parent, row->good ? PARENT : "");
}

static void made_ones_are_good(void **state)
{
    struct trace last = { "", "" }, made, read;
    char text[TRACE_TEXT_CHARS + 1];

    (void)state;
    for (int i = 0; i < 100; i++) {
        trace_make(&made);
        assert_true(trace_parse(trace_text(&made, text), &read));
        assert_string_equal(read.id, made.id);
        assert_string_equal(read.parent, made.parent);
        assert_string_not_equal(made.id, last.id);
        assert_string_not_equal(made.parent, last.parent);
        last = made;
    }
}

int main(void)
{
    static struct stories all;

    STORIES_ADD(&all, rows, is_one);
    stories_add(&all, "made ones are good, and none is twice", made_ones_are_good, NULL);
    return stories_run("trace", &all);
}
