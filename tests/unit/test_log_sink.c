/* Files and the system's log as places for lines. */
#include "tests/unit/stories.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy/log.h"

static char folder[] = "/tmp/janus-log-XXXXXX";

static const char *name(const char *file)
{
    static char path[2][128];
    static int turn;

    turn = !turn;
    snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, file);
    return path[turn];
}

static struct log_target target_of(enum log_target_kind kind, const char *path)
{
    struct log_target target = { .kind = kind };

    snprintf(target.path, sizeof(target.path), "%s", path);
    return target;
}

static struct log_sink *open_file(const char *path)
{
    struct log_target target = target_of(LOG_TO_FILE, path);
    struct diags diags = { 0 };
    struct log_sink *sink = log_sink_open(&target, &diags);

    diags_fini(&diags);
    return sink;
}

static void expect_content(const char *path, const char *want)
{
    char bytes[256] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(read(fd, bytes, sizeof(bytes) - 1) >= 0);
    close(fd);
    assert_string_equal(bytes, want);
}

static void put(struct log_sink *sink, const char *lines)
{
    struct log_sunk sunk = log_sink_write(sink, lines, strlen(lines));

    assert_int_equal(sunk.bytes, strlen(lines));
    assert_int_equal(sunk.lost, 0);
}

/* ---- a file ---- */

static void is_created_and_appended_to(void **state)
{
    const char *path = name("made");
    struct stat status;
    mode_t mask = umask(0);

    (void)state;
    struct log_sink *sink = open_file(path);
    umask(mask);
    put(sink, "one\n");
    log_sink_free(sink);
    sink = open_file(path);
    put(sink, "two\n");
    log_sink_free(sink);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    expect_content(path, "one\ntwo\n");
}

static void make_link(const char *path)
{
    assert_int_equal(symlink("elsewhere", path), 0);
}

static void make_fifo(const char *path)
{
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader =
        open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* or it could not be opened at all */
    assert_true(reader >= 0);
}

static void make_folder(const char *path)
{
    assert_int_equal(mkdir(path, 0700), 0);
}

static struct closed {
    const char *name, *file;
    void (*make)(const char *path);
    const char *why;
} closeds[] = {
    { "a link", "link", make_link, "symbolic link" },
    { "a FIFO", "fifo", make_fifo, "not a regular file" },
    { "a folder", "folder", make_folder, "directory" },
    { "in a folder that is not there", "nowhere/log", NULL, "No such file" },
};

static void is_not_opened(void **state)
{
    const struct closed *row = *state;
    struct log_target target = target_of(LOG_TO_FILE, name(row->file));
    struct diags diags = { 0 };

    if (row->make)
        row->make(target.path);
    assert_null(log_sink_open(&target, &diags));
    assert_int_equal(diags.fatal, 1);
    if (!strstr(diags.items[0].what, row->why))
        fail_msg("%s", diags.items[0].what);
    diags_fini(&diags);
    assert_int_not_equal(access(name("elsewhere"), F_OK), 0);
}

static void is_opened_anew(void **state)
{
    struct log_sink *sink = open_file(name("log"));
    struct diags diags = { 0 };

    (void)state;
    put(sink, "one\n");
    assert_int_equal(rename(name("log"), name("log.1")), 0);
    put(sink, "two\n");
    assert_true(log_sink_reopen(sink, &diags));
    put(sink, "three\n");
    expect_content(name("log.1"), "one\ntwo\n");
    expect_content(name("log"), "three\n");
    unlink(name("log"));
    make_link(name("log")); /* somebody put a link there: the old one is kept */
    assert_false(log_sink_reopen(sink, &diags));
    assert_int_equal(diags.n, 1);
    assert_int_equal(diags.fatal, 0);
    put(sink, "four\n");
    assert_int_not_equal(access(name("elsewhere"), F_OK), 0);
    log_sink_free(sink);
    diags_fini(&diags);
}

/* ---- the system's log ---- */

static int daemon_open(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
    unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    return fd;
}

static void daemon_expect(int fd, const char *want)
{
    char line[5000];
    ssize_t n = recv(fd, line, sizeof(line) - 1, 0);

    assert_true(n >= 0);
    line[n] = '\0';
    if (!strstr(line, want))
        fail_msg("%s", line);
}

static struct log *open_syslog(const char *path, enum log_format format)
{
    struct log_target target = target_of(LOG_TO_SYSLOG, path);
    struct diags diags = { 0 };
    struct log_sink *sink = log_sink_open(&target, &diags);

    assert_non_null(sink);
    diags_fini(&diags);
    return log_open(NULL, sink, LOG_DEBUG, format);
}

static struct severity {
    const char *name;
    enum log_level level;
    const char *want;
} severities[] = {
    { "an error", LOG_ERROR, "<27>janus-sidecar[" },
    { "a warning", LOG_WARNING, "<28>janus-sidecar[" },
    { "information", LOG_INFO, "<30>janus-sidecar[" },
    { "debugging", LOG_DEBUG, "<31>janus-sidecar[" },
};

static void has_its_severity(void **state)
{
    const struct severity *row = *state;
    int fd = daemon_open(name("syslog"));
    struct log *log = open_syslog(name("syslog"), LOG_LOGFMT);
    char bytes[512];

    log_message(log, row->level, "x", "a\nb");
    log_message(log, row->level, "y", "c");
    ssize_t n = recv(fd, bytes, sizeof(bytes) - 1, 0);
    assert_true(n > 0);
    bytes[n] = '\0';
    assert_memory_equal(bytes, row->want, strlen(row->want));
    assert_non_null(strstr(bytes, "]: time="));
    assert_non_null(strstr(bytes, "event=x message=\"a\\x0ab\""));
    assert_null(strchr(bytes, '\n'));
    daemon_expect(fd, "event=y message=c");
    log_free(log);
    close(fd);
}

static void outlives_its_daemon(void **state)
{
    int fd = daemon_open(name("syslog"));
    struct log *log = open_syslog(name("syslog"), LOG_JSON);

    (void)state;
    log_message(log, LOG_INFO, "x", "one");
    daemon_expect(fd, "\"message\":\"one\"}");
    close(fd);
    log_message(log, LOG_INFO, "x", "two"); /* nobody is there: it waits */
    fd = daemon_open(name("syslog"));
    log_message(log, LOG_INFO, "x", "three");
    daemon_expect(fd, "two");
    daemon_expect(fd, "three");
    assert_int_equal(log_n_dropped(log), 0);
    log_free(log);
    close(fd);
}

/* What the kernel takes no datagram of. */
static void a_line_too_long_is_lost_and_counted(void **state)
{
    enum { HUGE = 1024 * 1024 };
    int fd = daemon_open(name("syslog"));
    struct log_target target = target_of(LOG_TO_SYSLOG, name("syslog"));
    struct diags diags = { 0 };
    struct log_sink *sink = log_sink_open(&target, &diags);
    char *lines = malloc(HUGE + 16);

    (void)state;
    memset(lines, 'a', HUGE);
    memcpy(lines + HUGE, "\nb\n", 4);
    struct log_sunk sunk = log_sink_write(sink, lines, strlen(lines));
    assert_int_equal(sunk.lost, 1);
    assert_int_equal(sunk.bytes, strlen(lines));
    daemon_expect(fd, "b");
    free(lines);
    log_sink_free(sink);
    diags_fini(&diags);
    close(fd);
}

static void nobody_is_there(void **state)
{
    struct log_target target = target_of(LOG_TO_SYSLOG, name("no-daemon"));
    struct diags diags = { 0 };

    (void)state;
    assert_null(log_sink_open(&target, &diags));
    assert_int_equal(diags.fatal, 1);
    diags_fini(&diags);
}

int main(void)
{
    static struct stories all;
    char command[64];

    if (!mkdtemp(folder))
        return 1;
    alarm(20); /* a log that blocks is what must not be */
    STORIES_ADD(&all, closeds, is_not_opened);
    STORIES_ADD(&all, severities, has_its_severity);
    stories_add(&all, "a file is created and appended to", is_created_and_appended_to, NULL);
    stories_add(&all, "a file is opened anew", is_opened_anew, NULL);
    stories_add(&all, "a daemon that is started anew", outlives_its_daemon, NULL);
    stories_add(&all, "a line that is too long", a_line_too_long_is_lost_and_counted, NULL);
    stories_add(&all, "nobody takes it", nobody_is_there, NULL);
    int status = stories_run("log_sink", &all);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command) == 0 ? status : 1;
}
