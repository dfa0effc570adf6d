#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "chain/route.h"
#include "tests/unit/chain/world.h"

static const struct {
	const char *list;
	enum retry_words kinds;
	unsigned on;
	const char *unknown;
} words[] = {
	{ "5xx", RETRY_WORDS_HTTP, RETRY_ON_5XX, NULL },
	{ "5xx, gateway-error ,reset", RETRY_WORDS_HTTP,
	    RETRY_ON_5XX | RETRY_ON_GATEWAY_ERROR | RETRY_ON_RESET, NULL },
	{ "5XX", RETRY_WORDS_HTTP, 0, "5XX" },
	{ "reset,resets,more", RETRY_WORDS_HTTP, RETRY_ON_RESET, "resets" },
	{ "cancelled", RETRY_WORDS_HTTP, 0, "cancelled" },
	{ "cancelled", RETRY_WORDS_GRPC, RETRY_ON_CANCELLED, NULL },
	{ "5xx", RETRY_WORDS_GRPC, 0, "5xx" },
	{ "5xx,unavailable", RETRY_WORDS_GRPC | RETRY_WORDS_HTTP,
	    RETRY_ON_5XX | RETRY_ON_UNAVAILABLE, NULL },
	{ "", RETRY_WORDS_HTTP, 0, NULL },
	{ ",,", RETRY_WORDS_HTTP, 0, NULL },
};

START_TEST(the_words_of_retry_on)
{
	struct str unknown;
	unsigned on =
	    retry_on_read(str_of(words[_i].list), words[_i].kinds, &unknown);

	ck_assert_uint_eq(on, words[_i].on);
	ck_assert_int_eq(unknown.ptr != NULL, words[_i].unknown != NULL);
	if (unknown.ptr)
		ck_assert(str_eq(unknown, str_of(words[_i].unknown)));
	ck_assert_uint_eq(
	    retry_on_read(str_of(words[_i].list), words[_i].kinds, NULL),
	    words[_i].on);
}
END_TEST

#define HOST(fields, routes)                                                   \
	"route_config:\n"                                                      \
	"  request_mirror_policies: [{cluster: backend}, {cluster: "           \
	"backend}]\n"                                                          \
	"  virtual_hosts:\n"                                                   \
	"  - name: all\n"                                                      \
	"    domains: [\"*\"]\n" fields "    routes:\n" routes

static const char conf[] =
    HOST("    include_request_attempt_count: true\n"
	 "    include_is_timeout_retry_header: true\n"
	 "    retry_policy: {retry_on: reset, num_retries: 4}\n"
	 "    per_request_buffer_limit_bytes: 500\n",
	"    - match: {path: /own}\n"
	"      per_request_buffer_limit_bytes: 7\n"
	"      route:\n"
	"        cluster: backend\n"
	"        priority: HIGH\n"
	"        request_mirror_policies: [{cluster_header: X-Mirror}]\n"
	"        hash_policy: [{header: {header_name: x-key}}]\n"
	"        retry_policy:\n"
	"          retry_on: 5xx\n"
	"          per_try_timeout: 3s\n"
	"          per_try_idle_timeout: 2s\n"
	"          host_selection_retry_max_attempts: 5\n"
	"          retriable_status_codes: [418, 419]\n"
	"          retriable_headers: [{name: x-again}]\n"
	"          retry_back_off: {base_interval: 0.0001s, "
	"max_interval: 2s}\n"
	"          retry_host_predicate:\n"
	"          - name: previous\n"
	"            typed_config: {\"@type\": type.googleapis.com/envoy."
	"extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate}\n"
	"    - match: {path: /new}\n"
	"      request_body_buffer_limit: 9\n"
	"      route: {cluster: backend}\n"
	"    - match: {path: /direct}\n"
	"      direct_response: {status: 200}\n"
	"    - match: {prefix: /}\n"
	"      route: {cluster: backend}\n");

/* How the route of this path forwards. */
static const struct forwarding *
forwarding_of(struct world *w, const char *path)
{
	return world_request(w, "GET", path, "")->route->forwarding;
}

START_TEST(a_route_says_it_all_itself)
{
	struct world *w = world_new(conf);
	const struct forwarding *f = forwarding_of(w, "/own");

	ck_assert(f->is_urgent);
	ck_assert_uint_eq(f->n_mirrors, 1);
	ck_assert(str_eq(f->mirrors[0].header, STR("x-mirror")));
	ck_assert_ptr_nonnull(f->hash);
	ck_assert_uint_eq(f->keep_max, 7);
	ck_assert_uint_eq(f->retry->on, RETRY_ON_5XX);
	ck_assert_uint_eq(f->retry->num_retries, 1);
	ck_assert_int_eq(f->retry->per_try_ns, 3 * NS_PER_S);
	ck_assert_int_eq(f->retry->per_try_idle_ns, 2 * NS_PER_S);
	ck_assert_uint_eq(f->retry->host_attempts, 5);
	ck_assert_uint_eq(f->retry->n_codes, 2);
	ck_assert_uint_eq(f->retry->n_headers, 1);
	ck_assert_uint_eq(f->retry->base_ms, 1);
	ck_assert_uint_eq(f->retry->max_ms, 2000);
	ck_assert(f->retry->avoids_previous_hosts);
	ck_assert(!f->retry->avoids_canaries);
	world_free(w);
}
END_TEST

START_TEST(or_its_host_does)
{
	struct world *w = world_new(conf);
	const struct forwarding *f = forwarding_of(w, "/");

	ck_assert(!f->is_urgent);
	ck_assert_uint_eq(f->n_mirrors, 2);
	ck_assert_ptr_null(f->hash);
	ck_assert_uint_eq(f->keep_max, 500);
	ck_assert_uint_eq(f->retry->on, RETRY_ON_RESET);
	ck_assert_uint_eq(f->retry->num_retries, 4);
	ck_assert_uint_eq(f->retry->base_ms, 0);
	ck_assert(f->counts_in_request);
	ck_assert(!f->counts_in_response);
	ck_assert(f->tells_timeout_retry);
	ck_assert_uint_eq(forwarding_of(w, "/new")->keep_max, 9);
	ck_assert_ptr_null(forwarding_of(w, "/direct"));
	world_free(w);
}
END_TEST

START_TEST(or_nobody)
{
	struct world *w = world_new("route_config:\n"
				    "  virtual_hosts:\n"
				    "  - name: all\n"
				    "    domains: [\"*\"]\n"
				    "    routes:\n"
				    "    - match: {prefix: /}\n"
				    "      route: {cluster: backend}\n");
	const struct forwarding *f = forwarding_of(w, "/");

	ck_assert_ptr_null(f->retry);
	ck_assert_uint_eq(f->n_mirrors, 0);
	ck_assert_uint_eq(f->keep_max, 1 << 20);
	world_free(w);
}
END_TEST

static const struct {
	const char *policy, *error;
} mistakes[] = {
	{ "{retry_host_predicate: [{name: other, typed_config: {\"@type\": "
	  "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]}",
	    "Didn't find a registered implementation for 'other' with type "
	    "URL: 'envoy.extensions.filters.http.router.v3.Router'" },
	{ "{retry_back_off: {base_interval: 2s, max_interval: 1s}}",
	    "max_interval" },
	{ "{retry_back_off: {}}", "base_interval" },
	{ "{retry_on: 5xx, num_retries: -1}", "num_retries" },
	{ "{retry_priority: {name: x}}", "retry_priority" },
};

START_TEST(what_makes_no_sense_is_refused)
{
	static char text[1024];
	struct world *w;
	char *told = NULL;
	size_t len;
	FILE *out = open_memstream(&told, &len);

	(void)snprintf(text, sizeof(text),
	    "route_config:\n"
	    "  virtual_hosts:\n"
	    "  - name: all\n"
	    "    domains: [\"*\"]\n"
	    "    routes:\n"
	    "    - match: {prefix: /}\n"
	    "      route: {cluster: backend, retry_policy: %s}\n",
	    mistakes[_i].policy);
	w = world_new(text);
	ck_assert_ptr_null(w->gateway);
	diag_print(w->diag, out);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_msg(strstr(told, mistakes[_i].error) != NULL,
	    "no \"%s\" in %s", mistakes[_i].error, told);
	free(told);
	world_free(w);
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_chain_forwarding(void);

Suite *
suite_chain_forwarding(void)
{
	Suite *s = suite_create("chain/forwarding");
	TCase *t = tcase_create("routes");

	TABLE_TEST(t, words, the_words_of_retry_on);
	tcase_add_test(t, a_route_says_it_all_itself);
	tcase_add_test(t, or_its_host_does);
	tcase_add_test(t, or_nobody);
	TABLE_TEST(t, mistakes, what_makes_no_sense_is_refused);
	suite_add_tcase(s, t);
	return s;
}
