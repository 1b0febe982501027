/* attrs.path, from what people write to one pattern that begins with '/' or '*'. */
#include <stdlib.h>

#include "config/memory.h"
#include "policy/compile.h"
#include "policy/host.h"
#include "policy/readings.h"

static void warn(const struct compiling *in, const char *what, struct text path)
{
    diag_warning(in->diags, in->row->path_place, "the path \"%s\" %s", show(path).text, what);
}

static char *refuse(const struct compiling *in, const char *what, struct text path)
{
    diag_error(in->diags, in->row->path_place, "the path \"%s\" %s; the policy opens nothing",
               show(path).text, what);
    return NULL;
}

static struct text written_path(const struct compiling *in)
{
    struct text path = in->row->path, trimmed = text_trim(path);

    if (!path.at) {
        diag_warning(
            in->diags, in->row->path_place,
            "there is no path, so every path is open; write \"path\": \"*\" if that is meant");
        return TEXT("*");
    }
    if (trimmed.len != path.len)
        warn(in, "has blanks around it; they are ignored, remove them", path);
    return trimmed;
}

static struct text without_query(const struct compiling *in, struct text path)
{
    const char *mark = path.len ? memchr(path.at, '?', path.len) : NULL;

    if (!mark)
        return path;
    warn(in, "holds a query, which policies do not look at; it is ignored, remove it", path);
    return text_span(path.at, mark);
}

/* "*.example.com/offers" on host "*" is a host that stands in the wrong place: VTEX globs host and
 * path as one text, we do not. A leading '/' says that a path was meant. */
static bool is_host_inside(const struct host_spec *host, struct text path)
{
    const char *slash = path.len ? memchr(path.at, '/', path.len) : NULL;
    struct text first = slash ? text_span(path.at, slash) : path;
    size_t dots = 0;

    if (strcmp(host->host, "*") != 0 || host->path.at)
        return false;
    for (size_t i = 0; i < first.len; i++) {
        if (first.at[i] != '*' && !host_is_name_byte(first.at[i]))
            return false;
        dots += first.at[i] == '.';
    }
    return slash ? dots > 0 : dots > 1;
}

static char *refuse_host_inside(const struct compiling *in, struct text path)
{
    const char *slash = memchr(path.at, '/', path.len);
    struct text host = slash ? text_span(path.at, slash) : path;
    struct text rest = slash ? text_span(slash, path.at + path.len) : TEXT("*");

    diag_error(
        in->diags, in->row->path_place,
        "the path \"%s\" begins with a host; the policy opens nothing; write host \"%s\" and "
        "path \"%s\" (or \"/%s\" if it is a path)",
        show(path).text, show(host).text, show(rest).text, show(path).text);
    return NULL;
}

/* `front` and `path` with one slash between; but a front that ends in a star takes a path that is one star,
 * where "/" between them would ask for one segment more than anybody meant. */
static char *join(struct text front, struct text path)
{
    char *joined;

    if (front.len > 0 && front.at[front.len - 1] == '*' && text_eq(path, TEXT("*")))
        return text_dup(front);
    while (front.len > 0 && front.at[front.len - 1] == '/')
        front.len--;
    if (path.len > 0 && path.at[0] == '/')
        path = (struct text){ path.at + 1, path.len - 1 };
    joined = mem_alloc(front.len + path.len + 2, 1);
    memcpy(joined, front.at, front.len);
    joined[front.len] = '/';
    memcpy(joined + front.len + 1, path.at, path.len);
    return joined;
}

static char *with_slash(const struct compiling *in, const struct host_spec *host, struct text path)
{
    bool rooted = path.len > 0 && (path.at[0] == '/' || path.at[0] == '*');

    if (host->path.at)
        return join(host->path, path);
    if (rooted)
        return text_dup(path);
    warn(in, "has no leading '/'; one is put in front of it, write it", path);
    return join(TEXT(""), path);
}

static bool has_control(struct text path)
{
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.at[i] < 0x20 || path.at[i] == 0x7f)
            return true;
    return false;
}

static bool is_other_wildcard(struct text segment)
{
    return (segment.len > 1 && segment.at[0] == ':') || text_eq(segment, TEXT(".*"));
}

/* "/orders/:id", "/orders/<id>", "/(a|b)", "/.*": wildcards of routers and regular expressions. */
static bool has_other_wildcard(struct text path)
{
    const char *at = path.at, *end = path.at + path.len;

    for (size_t i = 0; i < path.len; i++)
        if (strchr("<>|^", path.at[i]))
            return true;
    while (at < end) {
        const char *slash = memchr(at, '/', (size_t)(end - at));

        if (is_other_wildcard(text_span(at, slash ? slash : end)))
            return true;
        at = slash ? slash + 1 : end;
    }
    return false;
}

static bool is_ascii(struct text path)
{
    for (size_t i = 0; i < path.len; i++)
        if ((unsigned char)path.at[i] >= 0x80)
            return false;
    return true;
}

/* Requests are judged by every reading; a pattern with a twist in it fits only some of them. */
static char *note_twists(const struct compiling *in, char *made)
{
    struct text path = text_of(made);

    if (!is_ascii(path))
        warn(in,
             "holds a character beyond ASCII; clients send such escaped, or not in UTF-8, and no "
             "spelling fits the other: write \"*\" in its place",
             path);
    if (has_other_wildcard(path))
        warn(in, "is taken as it stands: only \"*\" is a wildcard; write it for a part that varies",
             path);

    if (!path_is_plain(path) || memchr(path.at, ' ', path.len))
        warn(
            in,
            "holds a blank, an escape, '\\', ';', '//' or a dot segment; requests are judged by "
            "every "
            "reading of their path, so this policy alone may never let one through: name the plain "
            "form as well",
            path);
    return made;
}

/* Written out, so that "h/v1" and "/v1/x", which is "/v1/v1/x", does not surprise anybody. */
static void tell_split(const struct compiling *in, const struct host_spec *host, const char *made)
{
    diag_warning(in->diags, in->row->host_place,
                 "the host \"%s\" holds a path; it is taken as host \"%s\" and path \"%s\"; better "
                 "write them apart",
                 show(text_trim(in->row->host)).text, show(text_of(host->host)).text,
                 show(text_of(made)).text);
}

static char *finish(const struct compiling *in, const struct host_spec *host, struct text written)
{
    char *front = NULL, *path = NULL, *made = NULL;
    struct host_spec filled = *host;

    if (host->path.at) {
        front = fill_template(in, in->row->host_place, "host", host->path);
        filled.path = text_of(front);
    }
    if (!host->path.at || front)
        path = fill_template(in, in->row->path_place, "path", written);
    if (path)
        made = with_slash(in, &filled, text_of(path));
    if (made && host->path.at)
        tell_split(in, host, made);
    free(front);
    free(path);
    return made ? note_twists(in, made) : NULL;
}

char *compile_path(const struct compiling *in, const struct host_spec *host)
{
    struct text path = without_query(in, written_path(in));

    if (has_control(path) || (host->path.at && has_control(host->path)))
        return refuse(in, "holds a control character", path);
    if (path.len > 0 && memmem(path.at, path.len, "://", 3))
        return refuse(in, "is a whole URL; write its host in \"host\" and only the path here",
                      path);
    if (path.len > 0 && memchr(path.at, '#', path.len))
        return refuse(in, "holds '#'; a fragment is never sent", path);
    if (host->path.at &&
        (memchr(host->path.at, '?', host->path.len) || memchr(host->path.at, '#', host->path.len)))
        return refuse(in, "goes with a host that holds a query or '#'; name the host alone", path);
    if (is_host_inside(host, path))
        return refuse_host_inside(in, path);
    return finish(in, host, path);
}
