#include "proxy/command_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/memory.h"

struct report_file {
    const char *option, *name;
    char *temporary;
    FILE *out;
};

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

static void report_file_free(struct report_file *report)
{
    free(report->temporary);
    free(report);
}

struct report_file *report_file_open(const char *option, const char *file, struct diags *diags)
{
    static const char suffix[] = ".XXXXXX";
    size_t size = strlen(file) + sizeof(suffix);
    struct report_file *report = mem_alloc(1, sizeof(*report));

    report->option = option;
    report->name = file;
    report->temporary = mem_alloc(size, 1);
    snprintf(report->temporary, size, "%s%s", file, suffix);
    if (can_be_replaced(file))
        report->out = open_temporary(report->temporary);
    if (report->out)
        return report;
    diag_fatal(diags, (struct place){ .file = option },
               "%s cannot be written: %s; name a file in a folder that is there", file,
               errno == EINVAL ? "it is no ordinary file" : strerror(errno));
    report_file_free(report);
    return NULL;
}

FILE *report_file_stream(struct report_file *report)
{
    return report->out;
}

bool report_file_close(struct report_file *report, bool whole)
{
    bool written = whole && !ferror(report->out);

    written = fclose(report->out) == 0 && written;
    written = written && rename(report->temporary, report->name) == 0;
    if (!written) {
        fprintf(stderr, "%s: error: %s cannot be written: %s\n", report->option, report->name,
                strerror(errno));
        unlink(report->temporary);
    }
    report_file_free(report);
    return written;
}

void report_file_discard(struct report_file *report)
{
    if (!report)
        return;
    fclose(report->out);
    unlink(report->temporary);
    report_file_free(report);
}
