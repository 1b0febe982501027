#include "tests/flow/kit_run.h"

#include <stdlib.h>
#include <string.h>

#include "tests/flow/kit_bytes.h"
#include "tests/unit/stories.h"

void run_in(struct run *run, const char *options, const char *input)
{
    char *words = text_copy(options, strlen(options)), *rest = NULL;
    const char *list[24];
    struct process_plan plan = { .program = "janus-sidecar",
                                 .work_folder = folder_path(run->folder),
                                 .options = list,
                                 .input = input };
    size_t n = 0;

    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        list[n++] = word;
    list[n] = NULL;
    process_free(run->process);
    run->process = process_start(&plan);
    run->code = process_wait(run->process);
    free(words);
}

void run_end(struct run *run)
{
    process_free(run->process);
    folder_free(run->folder);
}

void expect_code(const struct run *run, int code)
{
    if (run->code != code)
        fail_msg("exit code %d instead of %d:\n%s%s", run->code, code, process_output(run->process),
                 process_log(run->process));
}

void expect_in(const char *text, const char *want)
{
    if (!strstr(text, want))
        fail_msg("\"%s\" was expected:\n%s", want, text);
}
