#include "proxy/command_junit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/memory.h"

enum { COUNT_DIGITS = 20 };

struct junit {
    const char *file;
    char *temporary;
    FILE *out;
    unsigned long n[N_JUNIT_KINDS];
};

/* ---- writing ---- */

static void write_count(const struct junit *junit, const char *name, unsigned long count)
{
    int width = fprintf(junit->out, " %s=\"%lu\"", name, count);

    fprintf(junit->out, "%*s", (int)(COUNT_DIGITS + strlen(name) + 4) - width, "");
}

static void write_element(const struct junit *junit, const char *element)
{
    const unsigned long *n = junit->n;

    fprintf(junit->out, "<%s name=\"janus-sidecar check\"", element);
    write_count(junit, "tests",
                n[JUNIT_PASSED] + n[JUNIT_FAILED] + n[JUNIT_SKIPPED] + n[JUNIT_ERROR]);
    write_count(junit, "failures", n[JUNIT_FAILED]);
    write_count(junit, "errors", n[JUNIT_ERROR]);
    write_count(junit, "skipped", n[JUNIT_SKIPPED]);
    fputs(">\n", junit->out);
}

/* Written twice, because the counts are known at the end only; as long both times, for XML does not
 * mind blanks between attributes. */
static void write_head(const struct junit *junit)
{
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", junit->out);
    write_element(junit, "testsuites");
    write_element(junit, "testsuite");
}

static void write_escaped(const struct junit *junit, struct text value)
{
    char *shown = mem_alloc(4 * value.len + 1, 1);

    text_printable(value, shown, 4 * value.len + 1);
    for (const char *at = shown; *at; at++) {
        switch (*at) {
        case '&':
            fputs("&amp;", junit->out);
            break;
        case '<':
            fputs("&lt;", junit->out);
            break;
        case '>':
            fputs("&gt;", junit->out);
            break;
        case '"':
            fputs("&quot;", junit->out);
            break;
        case '\'':
            fputs("&apos;", junit->out);
            break;
        default:
            putc(*at, junit->out);
        }
    }
    free(shown);
}

static void write_attribute(const struct junit *junit, const char *name, struct text value)
{
    fprintf(junit->out, " %s=\"", name);
    write_escaped(junit, value);
    putc('"', junit->out);
}

void junit_case(struct junit *junit, enum junit_kind kind, const char *class_name, struct text name,
                const char *type, const char *message)
{
    static const char *const elements[] = {
        [JUNIT_FAILED] = "failure", [JUNIT_SKIPPED] = "skipped", [JUNIT_ERROR] = "error"
    };

    junit->n[kind]++;
    fputs("<testcase", junit->out);
    write_attribute(junit, "classname", text_of(class_name));
    write_attribute(junit, "name", name);
    if (kind == JUNIT_PASSED) {
        fputs("/>\n", junit->out);
        return;
    }
    fprintf(junit->out, "><%s", elements[kind]);
    if (kind != JUNIT_SKIPPED)
        write_attribute(junit, "type", text_of(type));
    write_attribute(junit, "message", text_of(message));
    fputs("/></testcase>\n", junit->out);
}

/* ---- the file ---- */

static FILE *open_temporary(char *path)
{
    int fd = mkstemp(path);
    mode_t mask = umask(0);
    FILE *out = NULL;

    umask(mask);
    if (fd >= 0 && fchmod(fd, 0666 & ~mask) == 0) /* as any other new file */
        out = fdopen(fd, "w");
    if (fd >= 0 && !out) {
        int why = errno;
        close(fd);
        unlink(path);
        errno = why;
    }
    return out;
}

/* A device or a pipe would be replaced by the rename. */
static bool can_be_replaced(const char *file)
{
    struct stat status;

    if (stat(file, &status) != 0)
        return errno == ENOENT;
    errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    return S_ISREG(status.st_mode);
}

static void junit_free(struct junit *junit)
{
    free(junit->temporary);
    free(junit);
}

struct junit *junit_open(const char *file, struct diags *diags)
{
    static const char suffix[] = ".XXXXXX";
    size_t size = strlen(file) + sizeof(suffix);
    struct junit *junit = mem_alloc(1, sizeof(*junit));

    junit->file = file;
    junit->temporary = mem_alloc(size, 1);
    snprintf(junit->temporary, size, "%s%s", file, suffix);
    if (can_be_replaced(file))
        junit->out = open_temporary(junit->temporary);
    if (!junit->out) {
        diag_fatal(diags, (struct place){ .file = "--junit" },
                   "%s cannot be written: %s; name a file in a folder that is there", file,
                   errno == EINVAL ? "it is no ordinary file" : strerror(errno));
        junit_free(junit);
        return NULL;
    }
    write_head(junit);
    return junit;
}

static bool finish(struct junit *junit)
{
    bool written;

    fputs("</testsuite>\n</testsuites>\n", junit->out);
    written = fflush(junit->out) == 0 && fseek(junit->out, 0, SEEK_SET) == 0;
    if (written)
        write_head(junit);
    written = written && !ferror(junit->out);
    written = fclose(junit->out) == 0 && written;
    return written && rename(junit->temporary, junit->file) == 0;
}

bool junit_close(struct junit *junit)
{
    bool written = finish(junit);

    if (!written) {
        fprintf(stderr, "--junit: error: %s cannot be written: %s\n", junit->file, strerror(errno));
        unlink(junit->temporary);
    }
    junit_free(junit);
    return written;
}

void junit_discard(struct junit *junit)
{
    if (!junit)
        return;
    fclose(junit->out);
    unlink(junit->temporary);
    junit_free(junit);
}
