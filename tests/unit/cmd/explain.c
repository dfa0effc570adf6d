#include "config.h"

#include <check.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "tests/unit/cmd/run.h"

#define TYPE   "\"@type\": type.googleapis.com/envoy."
#define FILTER TYPE "extensions.filters.http."

/* Each piece is a line, so that tests can name lines. */
static const char config[] =
    "static_resources:\n"
    "  listeners:\n"
    "  - address: {pipe: {path: /s}}\n"
    "    filter_chains:\n"
    "    - filters:\n"
    "      - name: h\n"
    "        typed_config:\n"
    "          " TYPE "extensions.filters.network.http_connection_manager.v3."
    "HttpConnectionManager\n"
    "          stat_prefix: s\n"
    "          http_filters:\n"
    "          - {name: cors, typed_config: {" FILTER
    "cors.v3.Cors}}\n" /* 11 */
    "          - {name: f, typed_config: {" FILTER "fault.v3.HTTPFault, "
    "headers: [{name: x-fault, present_match: true}], "
    "delay: {fixed_delay: 5s, percentage: {numerator: 100}}, "
    "abort: {http_status: 418, percentage: {numerator: 100}}}}\n"
    "          - {name: m, disabled: true, typed_config: {" FILTER
    "header_mutation.v3.HeaderMutation, mutations: {request_mutations: ["
    "{append: {header: {key: x-m, value: v}}}]}}}\n"
    "          - {name: r, typed_config: {" FILTER "router.v3.Router}}\n"
    "          route_config:\n" /* 15 */
    "            virtual_hosts:\n"
    "            - name: tls\n"
    "              domains: [tls.test]\n"
    "              require_tls: ALL\n"
    "              routes: []\n" /* 20 */
    "            - name: all\n"
    "              domains: ['*.test', localhost]\n"
    "              routes:\n"
    "              - name: old\n"
    "                match: {path: /old}\n"
    "                redirect: {path_redirect: /new}\n"
    "              - name: direct\n" /* 27 */
    "                match: {path: /direct}\n"
    "                direct_response: {status: 410, body: {inline_string: "
    "gone}}\n"
    "              - name: lost\n" /* 30 */
    "                match: {path: /lost}\n"
    "                route: {cluster_header: x-cluster}\n"
    "              - name: mutated\n"
    "                match: {path: /on}\n"
    "                route: {weighted_clusters: {clusters: [\n"
    "                  {name: b, weight: 7}]}}\n" /* 36 */
    "                typed_per_filter_config:\n"
    "                  m: {" FILTER "header_mutation.v3."
    "HeaderMutationPerRoute, mutations: {response_mutations: ["
    "{append: {header: {key: x-back, value: z}}}]}}\n"
    "              - match: {prefix: /}\n" /* 39 */
    "                route: {cluster: b, prefix_rewrite: /p/, "
    "host_rewrite_literal: b.test}\n"
    "                request_headers_to_remove: [x-gone]\n"
    "                request_headers_to_add: [{header: {key: x-twice, "
    "value: '2'}}]\n"
    "                response_headers_to_add: [{header: {key: x-r, value: "
    "'1'}}]\n"
    "                typed_per_filter_config: {cors: {" FILTER
    "cors.v3.CorsPolicy, allow_origin_string_match: [{prefix: http}]}}\n"
    "  clusters:\n"
    "  - name: b\n" /* 46 */
    "    load_assignment: {cluster_name: b, endpoints: [{lb_endpoints: ["
    "{endpoint: {address: {socket_address: {address: 127.0.0.1, "
    "port_value: 80}}}}]}]}\n";

static struct run run;

static void
explain(const char *const *options)
{
	const char *all[9] = { NULL };
	size_t n = 0;

	for (; options[n]; n++)
		all[n] = options[n];
	all[n] = "-c";
	run_command_with(&run, cmd_explain, all, config);
}

/* A line that begins and, the place left out, ends so; then its place. */
static void
assert_line(const char *begin, const char *end, unsigned line)
{
	char place[32] = "";
	const char *at = run.out;
	size_t len, tail;

	if (line)
		(void)snprintf(place, sizeof(place), ":%u", line);
	for (; *at; at += len + 1) {
		len = strcspn(at, "\n");
		tail = strlen(place);
		if (strncmp(at, begin, strlen(begin)) != 0 || len < tail ||
		    strncmp(at + len - tail, place, tail) != 0)
			continue;
		for (const char *c = at; c + strlen(end) <= at + len; c++)
			if (!strncmp(c, end, strlen(end)))
				return;
	}
	ck_abort_msg("no line \"%s\" \"%s\" %s in:\n%s%s", begin, end, place,
	    run.out, run.err);
}

static void
assert_none(const char *text)
{
	if (strstr(run.out, text))
		ck_abort_msg("\"%s\" in:\n%s", text, run.out);
}

#define EXPLAIN(...) explain((const char *const[]){ __VA_ARGS__, NULL })

START_TEST(a_request_is_followed_to_the_backend)
{
	EXPLAIN("GET", "http://a.test/x?q=1", "-H", "X-Gone: 1", "-H",
	    "x-twice: 1");
	ck_assert_str_eq(run.err, "");
	ck_assert_int_eq(run.status, CMD_OK);
	assert_line("request", "GET http://a.test/x?q=1 from 127.0.0.1", 0);
	assert_line("on arrival", "the connection manager changes", 8);
	assert_line("virtual host", "all", 21);
	assert_line("route", "(without a name)", 39);
	assert_line("filter", "cors passes", 44);
	assert_line("filter", "f passes", 12);
	assert_line("filter", "m is off", 13);
	assert_line("router", "changes", 0);
	assert_line("              - x-gone", ": 1", 0);
	assert_line("              + x-twice", ": 2", 0);
	assert_line("              - :path", "/x?q=1", 0);
	assert_line("              + :path", "/p/x?q=1", 0);
	assert_line("              + :authority", "b.test", 0);
	assert_line("cluster", "b", 46);
	assert_line("sent to", "127.0.0.1:80", 0);
	assert_line("              GET /p/x", "?q=1", 0);
	assert_line("              host", ": b.test", 0);
	assert_line("              x-twice", ": 1", 0);
	assert_line("way back", "route and router change", 39);
	assert_line("              + x-r", ": 1", 0);
	assert_line("answer", "200 (via_upstream)", 0);
	assert_none("- x-twice");
	assert_none("                x-gone");
	assert_none(":status");
}
END_TEST

START_TEST(filters_change_answers)
{
	EXPLAIN("GET", "/", "-H", "Origin: http://o");
	assert_line("virtual host", "all", 21);
	assert_line(
	    "              + access-control-allow-origin", "http://o", 0);
	EXPLAIN("GET", "/on");
	assert_line("filter", "m passes", 38);
	assert_line("              + x-back", ": z", 0);
	assert_line("cluster by", "weight 7", 36);
}
END_TEST

START_TEST(a_filter_that_answers_is_the_last)
{
	EXPLAIN("GET", "/", "-H", "x-fault: 1");
	ck_assert_int_eq(run.status, CMD_OK);
	assert_line("filter", "f answers 418 after 5 s", 12);
	assert_line("answer", "418 (fault_filter_abort), flags DI,FI", 0);
	ck_assert_ptr_nonnull(strstr(run.out, "\n\nfault filter abort\n"));
	assert_none("m is off");
	assert_none("sent to");
	assert_none("way back");
}
END_TEST

static const struct {
	const char *method, *url, *line, *text;
	unsigned place;
} answers[] = {
	{ "GET", "/old", "route", "old", 24 },
	{ "GET", "/old", "answer", "301 (direct_response)", 0 },
	{ "GET", "https://a.test/old", "              location",
	    "https://a.test/new", 0 },
	{ "GET", "/direct", "answer", "410 (direct_response)", 0 },
	{ "GET", "/lost", "answer", "503 (cluster_not_found), flags NC", 0 },
	{ "GET", "/lost", "route", "lost", 30 },
	{ "GET", "http://other/", "virtual host", "none has this host", 0 },
	{ "GET", "http://other/", "answer", "404 (route_not_found)", 0 },
	{ "GET", "http://tls.test", "route", "require_tls", 17 },
	{ "GET", "http://tls.test?a", "              location",
	    "https://tls.test/?a", 0 },
	{ "GET", "https://tls.test", "route", "none matches", 0 },
	{ "CONNECT", "/", "answer", "400 (http1.codec_error), flags DPE", 0 },
};

START_TEST(what_the_gateway_answers_itself_is_said)
{
	EXPLAIN(answers[_i].method, answers[_i].url);
	ck_assert_int_eq(run.status, CMD_OK);
	assert_line(answers[_i].line, answers[_i].text, answers[_i].place);
	assert_none("sent to");
}
END_TEST

START_TEST(an_unknown_cluster_is_named)
{
	EXPLAIN("GET", "/lost", "-H", "X-Cluster: ghost");
	assert_line("cluster", "there is no ghost", 0);
}
END_TEST

static const struct {
	const char *client, *address;
} clients[] = {
	{ "10.1.2.3", "from 10.1.2.3" },
	{ "10.1.2.3:99", "from 10.1.2.3" },
	{ "::1", "from ::1" },
	{ "[2001:db8::1]:5", "from 2001:db8::1" },
	{ "[::1]", "from ::1" },
};

START_TEST(the_client_is_given_in_several_ways)
{
	EXPLAIN("GET", "/", "--client", clients[_i].client);
	ck_assert_int_eq(run.status, CMD_OK);
	assert_line("request", clients[_i].address, 0);
}
END_TEST

START_TEST(headers_are_joined_as_by_a_web_server)
{
	EXPLAIN("GET", "/", "-H", "X-A:1", "-H", "x-a: 2 ");
	assert_line("              x-a", ": 1, 2", 0);
	EXPLAIN("GET", "http://a.test#b", "-H", "host: tls.test");
	assert_line("request", "GET http://tls.test/ from", 0);
	assert_line("virtual host", "tls", 17);
}
END_TEST

static const cJSON *
at(const cJSON *json, const char *name)
{
	const cJSON *found = cJSON_GetObjectItemCaseSensitive(json, name);

	if (!found)
		ck_abort_msg("no %s in %s", name, run.out);
	return found;
}

START_TEST(tools_are_told_in_json)
{
	cJSON *json;
	const cJSON *filters, *sent;

	EXPLAIN("GET", "/on\"<", "--json");
	json = cJSON_Parse(run.out);
	ck_assert_ptr_nonnull(json);
	ck_assert_str_eq(
	    at(at(json, "request"), "path")->valuestring, "/on\"<");
	ck_assert_int_eq(at(at(json, "route"), "line")->valueint, 39);
	ck_assert_int_eq(at(at(json, "virtual_host"), "line")->valueint, 21);
	filters = at(json, "filters");
	ck_assert_int_eq(cJSON_GetArraySize(filters), 3);
	ck_assert_str_eq(
	    at(at(filters->child, "request"), "verdict")->valuestring,
	    "passes");
	ck_assert(cJSON_IsFalse(at(filters->child->next->next, "on")));
	sent = at(json, "sent");
	ck_assert_str_eq(at(sent, "path")->valuestring, "/p/on\"<");
	ck_assert_str_eq(at(sent, "to")->valuestring, "127.0.0.1:80");
	ck_assert_str_eq(at(at(json, "cluster"), "name")->valuestring, "b");
	ck_assert_int_eq(at(at(json, "answer"), "status")->valueint, 200);
	cJSON_Delete(json);
}
END_TEST

START_TEST(in_json_too_a_filter_answers)
{
	cJSON *json;
	const cJSON *step;

	EXPLAIN("GET", "/", "--json", "-H", "x-fault: 1");
	json = cJSON_Parse(run.out);
	ck_assert_ptr_nonnull(json);
	step = at(at(json, "filters")->child->next, "request");
	ck_assert_str_eq(at(step, "verdict")->valuestring, "answers");
	ck_assert_int_eq(at(step, "status")->valueint, 418);
	ck_assert_int_eq(at(step, "waited_ms")->valueint, 5000);
	ck_assert_ptr_null(cJSON_GetObjectItem(json, "sent"));
	ck_assert_str_eq(at(at(json, "answer"), "flags")->valuestring, "DI,FI");
	cJSON_Delete(json);
}
END_TEST

static const struct {
	const char *options[5];
} wrong[] = {
	{ { "GET", "ftp://a" } },
	{ { "GET", "a/b" } },
	{ { "GET", "http://" } },
	{ { "GET", "/", "--client", "1.2.3" } },
	{ { "GET", "/", "--client", "[::1" } },
	{ { "GET", "/", "--client", "host:80" } },
	{ { "GET", "/", "-H", "no colon" } },
	{ { "GET", "/", "-H", ": x" } },
	{ { "GET", "/", "-H", "a b: x" } },
	{ { "GET" } },
};

START_TEST(wrong_arguments_are_usage_errors)
{
	explain(wrong[_i].options);
	ck_assert_int_eq(run.status, CMD_USAGE);
	ck_assert_str_eq(run.out, "");
	ck_assert_str_ne(run.err, "");
}
END_TEST

START_TEST(a_refused_configuration_is_said)
{
	static const char *const options[] = { "GET", "/", "-c", NULL };

	run_command_with(&run, cmd_explain, options, "routes: 5\n");
	ck_assert_int_eq(run.status, CMD_CONFIG);
	ck_assert_ptr_nonnull(strstr(run.err, ":1:9: error: routes: "));
	ck_assert_str_eq(run.out, "");
}
END_TEST

#define LOOP(t, table, test)                                                   \
	tcase_add_loop_test(                                                   \
	    t, test, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_cmd_explain(void);

Suite *
suite_cmd_explain(void)
{
	Suite *s = suite_create("cmd/explain");
	TCase *t = tcase_create("explain");

	tcase_add_test(t, a_request_is_followed_to_the_backend);
	tcase_add_test(t, filters_change_answers);
	tcase_add_test(t, a_filter_that_answers_is_the_last);
	LOOP(t, answers, what_the_gateway_answers_itself_is_said);
	tcase_add_test(t, an_unknown_cluster_is_named);
	LOOP(t, clients, the_client_is_given_in_several_ways);
	tcase_add_test(t, headers_are_joined_as_by_a_web_server);
	tcase_add_test(t, tools_are_told_in_json);
	tcase_add_test(t, in_json_too_a_filter_answers);
	LOOP(t, wrong, wrong_arguments_are_usage_errors);
	tcase_add_test(t, a_refused_configuration_is_said);
	suite_add_tcase(s, t);
	return s;
}
