#include "tests/bench/processor.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void read_file(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(out, 1, size - 1, file) : 0;

    out[n] = '\0';
    if (file)
        fclose(file);
}

static uint64_t total_of(pid_t pid)
{
    char path[300], text[256];
    uint64_t total = 0;
    struct dirent *entry;

    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    while (threads && (entry = readdir(threads))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.16s/schedstat", (int)pid, entry->d_name);
        read_file(path, text, sizeof text);
        total += strtoull(text, NULL, 10);
    }
    if (threads)
        closedir(threads);
    return total;
}

/* Fields 14 and 15 of stat; the name, field 2, may hold blanks. */
static void read_parts(pid_t pid, struct processor *out)
{
    char path[64], text[1024];
    uint64_t tick_ns = 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    read_file(path, text, sizeof text);
    char *at = strrchr(text, ')');
    for (int field = 2; at && field < 14; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return;
    out->user_ns = strtoull(at, &at, 10) * tick_ns;
    out->system_ns = strtoull(at, NULL, 10) * tick_ns;
}

struct processor processor_of(pid_t pid)
{
    struct processor all = { 0 };

    if (pid) {
        all.total_ns = total_of(pid);
        read_parts(pid, &all);
    }
    return all;
}

struct processor processor_spent(const struct processor *before, const struct processor *after)
{
    return (struct processor){ after->total_ns - before->total_ns, after->user_ns - before->user_ns,
                               after->system_ns - before->system_ns };
}
