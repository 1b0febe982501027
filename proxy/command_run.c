#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/commands.h"
#include "proxy/sidecar.h"

enum { EXIT_UNUSABLE = 2, HEAP_PAD_BYTES = 1024 * 1024, HEAP_TRIM_BYTES = 4 * 1024 * 1024 };

/* Without this the heap's end moves up and down with every burst of requests. */
static void calm_the_heap(void)
{
    mallopt(M_TOP_PAD, HEAP_PAD_BYTES);
    mallopt(M_TRIM_THRESHOLD, HEAP_TRIM_BYTES);
}

static void refuse_words(const struct strings *words, struct diags *diags)
{
    for (size_t i = 0; i < words->n; i++)
        diag_fatal(diags, (struct place){ .file = words->items[i] },
                   "is not an option; run takes no words");
}

int command_run(int argc, char **argv)
{
    struct diags diags = { 0 };
    struct strings words = { 0 };
    struct settings *settings = settings_load(argc, argv, &words, &diags);
    struct sidecar *sidecar = NULL;
    int exit_code = EXIT_UNUSABLE;

    calm_the_heap();
    refuse_words(&words, &diags);
    if (diags.fatal == 0)
        sidecar = sidecar_new(settings, &diags);
    else
        command_inspect(settings, &diags);
    diags_print(&diags, stderr);
    if (sidecar) {
        sidecar_settings_from(sidecar, (struct settings_source){ argc, argv });
        exit_code = sidecar_run(sidecar);
    }
    sidecar_free(sidecar);
    settings_free(settings);
    diags_fini(&diags);
    free(words.items);
    return exit_code;
}
