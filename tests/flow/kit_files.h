/* tests/flow/kit_files.h - a folder of its own for each test, gone afterwards. */
#ifndef TESTS_FLOW_KIT_FILES_H
#define TESTS_FLOW_KIT_FILES_H

#include <time.h>

#include "tests/unit/stories.h"

struct folder;

struct folder *folder_new(void);
void folder_free(struct folder *folder);
const char *folder_path(const struct folder *folder);

/* Runs a story with a new folder in `*place`. */
void story_in_folder(struct folder **place, void **state, CMUnitTestFunction run);

/* The path of `name` in the folder; lives as long as the folder. */
const char *folder_name(struct folder *folder, const char *name);

/* Written anew in place (truncate and write), or beside it and renamed over it. Return the path. */
const char *folder_write(struct folder *folder, const char *name, const char *text);
const char *folder_replace(struct folder *folder, const char *name, const char *text);

/* A manifest whose outbound-access policies are `rows`: lines of HOST TAB PATH. The caller frees. */
char *manifest_text(const char *rows);
/* Such a manifest in the file manifest.json, written anew in place. Returns the path. */
const char *folder_manifest(struct folder *folder, const char *rows);

/* An unsigned JWT that expires at `expires_at`. The caller frees. */
char *jwt_text(const char *subject, time_t expires_at);

#endif
