/* explain: the long answer, to people and to machines. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/flow/kit_run.h"
#include "tests/flow/kit_world.h"

#define TWIST   "https://api.partner.example/v1/"
#define IO      "https://app.io.vtex.com/acme.shop/v1/storeacct/master"
#define EXPLAIN "explain --account storeacct --provider-policies providers "

static const char provider[] =
    "[{\"name\":\"p\",\"statements\":[\n{\"effect\":\"deny\",\"actions\":[\"get\"],"
    "\"resources\":[\"vrn:acme.shop:{{region}}:{{account}}:{{workspace}}:/secret\"]}]}]";

static void begin(struct run *run)
{
    *run = (struct run){ .folder = folder_new() };
    folder_manifest(run->folder, "api.partner.example\t/v1/*\napp.io.vtex.com\t*\n");
    assert_int_equal(mkdir(folder_name(run->folder, "providers"), 0700), 0);
    folder_write(run->folder, "providers/acme.shop.json", provider);
}

static struct explained {
    const char *name, *request;
    int code;
    const char *says[6];                  /* to people */
    const char *verdict, *field, *reason; /* to machines; field NULL: "failing" is null */
} explained[] = {
    { "an allowed one",
      "GET https://api.partner.example/v1/a",
      0,
      { "allow     GET https://api.partner.example/v1/a\n",
        "\ndecided   manifest.json:6:", "\ngoes to   https, host api.partner.example, port 443",
        "\nresource  vrn:proxy:aws-us-east-1:storeacct:master:api.partner.example/v1/a\n",
        "realm foreign" },
      "allow",
      NULL,
      "opened by the policy at manifest.json:6:" },
    { "the app token is named",
      "GET " IO "/x",
      0,
      { "allow ", "identity  the app token, as Authorization: Bearer" },
      "allow",
      NULL,
      "opened by" },
    { "denied by host",
      "GET https://api.partner.exampel/v1/a",
      1,
      { "deny ", "\nnearest   manifest.json:6:", "\nfailed    host\n",
        "{\"name\": \"outbound-access\", \"attrs\": {\"host\": \"api.partner.exampel\", \"path\": "
        "\"/v1/a\"}}" },
      "deny",
      "host",
      "no policy names the host" },
    { "denied by path",
      "POST https://api.partner.example/v2/a",
      1,
      { "deny ", "\nnearest   manifest.json:6:", "\nfailed    path\n", "\"path\": \"/v2/a\"}}" },
      "deny",
      "path",
      "do not open the path /v2/a" },
    { "denied by a reading",
      "GET " TWIST "../rates",
      1,
      { "deny ", "\nfailed    reading\n", "open    /v1/../rates", "closed  /rates" },
      "deny",
      "reading",
      "may read the path /v1/../rates as /rates" },
    { "denied by a statement of a provider",
      "GET " IO "/secret",
      1,
      { "deny ", "\ndecided   providers/acme.shop.json:2:", "\nfailed    rule\n",
        "\nNo snippet: " },
      "deny",
      "rule",
      "acme.shop.json:2:" },
    { "a path that cannot be judged",
      "GET " TWIST "%zz",
      1,
      { "refuse    GET ", "\nreadings  none", "\nNo snippet: " },
      "refuse",
      "path",
      "" },
};

static void explains(void **state)
{
    const struct explained *story = *state;
    char options[512];
    struct run run;

    begin(&run);
    snprintf(options, sizeof(options), EXPLAIN "%s", story->request);
    run_in(&run, options, NULL);
    expect_code(&run, story->code);
    for (size_t i = 0; i < 6 && story->says[i]; i++)
        expect_in(process_output(run.process), story->says[i]);

    snprintf(options, sizeof(options), EXPLAIN "--json %s", story->request);
    run_in(&run, options, NULL);
    expect_code(&run, story->code);
    json_t *answer = json_loads(process_output(run.process), JSON_REJECT_DUPLICATES, NULL);
    if (!answer)
        fail_msg("no JSON: %s", process_output(run.process));
    const json_t *failing = json_object_get(answer, "failing"),
                 *where = json_object_get(answer, "destination");
    assert_string_equal(json_string_value(json_object_get(answer, "verdict")), story->verdict);
    expect_in(json_string_value(json_object_get(answer, "reason")), story->reason);
    if (story->field)
        assert_string_equal(json_string_value(failing), story->field);
    else
        assert_true(json_is_null(failing));
    assert_string_equal(json_string_value(json_object_get(where, "scheme")), "https");
    assert_int_equal(json_integer_value(json_object_get(where, "port")), 443);
    assert_true(json_is_array(json_object_get(answer, "readings")));
    json_decref(answer);
    run_end(&run);
}

static struct unexplained {
    const char *name, *request, *why;
} unexplained[] = {
    { "a user in the URL", "GET https://me@api.partner.example/", "user and password" },
    { "no URL at all", "GET ftp://api.partner.example/", "neither a path nor" },
    { "CONNECT", "CONNECT api.partner.example:443", "CONNECT would hide" },
    { "a method that is none", "G(T https://api.partner.example/", "method" },
};

static void refuses_to_explain(void **state)
{
    const struct unexplained *story = *state;
    char options[512];
    struct run run;

    begin(&run);
    snprintf(options, sizeof(options), EXPLAIN "%s", story->request);
    run_in(&run, options, NULL);
    expect_code(&run, 1);
    assert_int_equal(strncmp(process_output(run.process), "refuse ", 7), 0);
    expect_in(process_output(run.process), story->why);
    snprintf(options, sizeof(options), EXPLAIN "--json %s", story->request);
    run_in(&run, options, NULL);
    expect_code(&run, 1);
    json_t *answer = json_loads(process_output(run.process), JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_string_value(json_object_get(answer, "verdict")), "refuse");
    assert_null(json_object_get(answer, "destination"));
    json_decref(answer);
    run_end(&run);
}

int main(void)
{
    static struct stories stories;

    STORIES_ADD(&stories, explained, explains);
    STORIES_ADD(&stories, unexplained, refuses_to_explain);
    return flow_run("explain", &stories, NULL, NULL);
}
