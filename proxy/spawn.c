#include "proxy/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

/* Everything as the kernel gives it to a fresh process, and not as we have it: we ignore SIGPIPE. */
static void set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setflags(attributes,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
}

static void set_files(posix_spawn_file_actions_t *files, int out, int err)
{
    posix_spawn_file_actions_init(files);
    posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(files, err, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
}

/* Whoever started us may have left SIGCHLD ignored; then children vanish with their status. */
static void keep_statuses(void)
{
    struct sigaction now, usual = { .sa_handler = SIG_DFL };

    if (sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
        sigaction(SIGCHLD, &usual, NULL);
}

int spawn_program(pid_t *pid, char *const *argv, char *const *environment, int out, int err)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;

    keep_statuses();
    set_files(&files, out, err);
    set_attributes(&attributes);
    int error = posix_spawnp(pid, argv[0], &files, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}
