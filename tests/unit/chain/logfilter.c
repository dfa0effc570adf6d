#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "chain/logfilter.h"
#include "chain/metadata.h"
#include "tests/unit/chain/world.h"

/* A gateway with a log that has this filter, in YAML. */
static struct world *
world_of(const char *filter)
{
	struct arena *arena = arena_new(4096);
	struct world *w;

	w = world_new(arena_printf(arena,
	    "use_remote_address: true\n"
	    "generate_request_id: false\n"
	    "preserve_external_request_id: true\n"
	    "route_config:\n"
	    "  virtual_hosts:\n"
	    "  - {name: v, domains: ['*'], routes: [{match: {prefix: /},\n"
	    "     route: {cluster: backend}}]}\n"
	    "access_log:\n"
	    "- name: log\n"
	    "  filter: %s\n"
	    "  typed_config:\n"
	    "    '@type': type.googleapis.com/envoy.extensions."
	    "access_loggers.stream.v3.StdoutAccessLog\n",
	    filter)
			  .ptr);
	arena_free(arena);
	return w;
}

static const struct logfilter *
build(struct world *w)
{
	if (!w->gateway)
		ck_abort_msg("refused: %s", diag_message(w->diag, 0));
	return logfilter_build(
	    w->arena, w->gateway->hcm->access_log.items[0].filter, w->diag);
}

static const struct {
	const char *filter;
	bool holds;
} rows[] = {
#define STATUS(op, n)                                                          \
	"{status_code_filter: {comparison: {op: " op                           \
	", value: {default_value: " #n ", runtime_key: k}}}}"
	{ STATUS("EQ", 503), true },
	{ STATUS("EQ", 502), false },
	{ STATUS("GE", 503), true },
	{ STATUS("GE", 504), false },
	{ STATUS("LE", 503), true },
	{ STATUS("LE", 502), false },
	{ STATUS("NE", 502), true },
	{ STATUS("NE", 503), false },
#define DURATION(op, n)                                                        \
	"{duration_filter: {comparison: {op: " op                              \
	", value: {default_value: " #n ", runtime_key: k}}}}"
	{ DURATION("GE", 250), true },
	{ DURATION("GE", 251), false },
	{ DURATION("EQ", 250), true },
	{ "{not_health_check_filter: {}}", true },
	{ "{traceable_filter: {}}", false },
	{ "{header_filter: {header: {name: x-a, string_match: "
	  "{exact: '1'}}}}",
	    true },
	{ "{header_filter: {header: {name: x-none, present_match: true}}}",
	    false },
	{ "{response_flag_filter: {}}", true },
	{ "{response_flag_filter: {flags: [UF, NR]}}", true },
	{ "{response_flag_filter: {flags: [NR]}}", false },
	{ "{grpc_status_filter: {statuses: [NOT_FOUND]}}", true },
	{ "{grpc_status_filter: {statuses: [OK, CANCELED]}}", false },
	{ "{grpc_status_filter: {statuses: [OK], exclude: true}}", true },
	{ "{grpc_status_filter: {statuses: [5], exclude: true}}", false },
	{ "{log_type_filter: {types: [DownstreamEnd]}}", true },
	{ "{log_type_filter: {types: [DownstreamStart]}}", false },
	{ "{log_type_filter: {types: [DownstreamStart], exclude: true}}",
	    true },
#define METADATA(key, text, more)                                              \
	"{metadata_filter: {matcher: {filter: ns, path: [{key: " key           \
	"}], value: {string_match: {exact: " text "}}}" more "}}"
	{ METADATA("k", "v", ""), true },
	{ METADATA("k", "w", ""), false },
	{ METADATA("none", "v", ""), true },
	{ METADATA("none", "v", ", match_if_key_not_found: false"), false },
	{ METADATA("k", "v", ", match_if_key_not_found: false"), true },
	{ "{and_filter: {filters: [{response_flag_filter: {}}, " STATUS(
	      "EQ", 503) "]}}",
	    true },
	{ "{and_filter: {filters: [{response_flag_filter: {}}, " STATUS(
	      "EQ", 1) "]}}",
	    false },
	{ "{or_filter: {filters: [{traceable_filter: {}}, " STATUS(
	      "EQ", 503) "]}}",
	    true },
	{ "{or_filter: {filters: [{traceable_filter: {}}, " STATUS(
	      "EQ", 1) "]}}",
	    false },
};

static struct exchange *
some_exchange(struct world *w)
{
	struct exchange *x;

	clock_set(5 * NS_PER_S, 1700000000000000000);
	x = world_request(w, "GET", "/", "x-a: 1\n");
	world_respond(x, "503", "grpc-status: 5\n");
	flags_set(&x->flags, FLAG_UF);
	metadata_set(x, STR("ns"), STR("k"), STR("v"), false);
	x->end_ns = x->start_ns + 250 * NS_PER_MS;
	x->log_type = LOG_END;
	return x;
}

START_TEST(filters_choose_lines)
{
	struct world *w = world_of(rows[_i].filter);
	const struct logfilter *f = build(w);
	struct exchange *x = some_exchange(w);

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(logfilter_holds(f, x), rows[_i].holds);
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(health_checks_can_be_left_out)
{
	struct world *w = world_of("{not_health_check_filter: {}}");
	const struct logfilter *f = build(w);
	struct exchange *x = some_exchange(w);

	x->health_check = true;
	ck_assert(!logfilter_holds(f, x));
	exchange_end(x);
	world_free(w);
}
END_TEST

/* ---- parts of all requests ---- */

static unsigned
count_held(const char *filter, unsigned n, const char *fields)
{
	struct world *w = world_of(filter);
	const struct logfilter *f = build(w);
	struct exchange *x = world_request(w, "GET", "/", fields);
	unsigned held = 0;

	for (unsigned i = 0; i < n; i++)
		held += logfilter_holds(f, x);
	exchange_end(x);
	world_free(w);
	return held;
}

#define PART(n, denominator, more)                                             \
	"{runtime_filter: {runtime_key: k, percent_sampled: {numerator: " #n   \
	", denominator: " denominator "}" more "}}"
#define ID "x-request-id: 0000002a-0000-4000-8000-000000000000\n" /* 42 */

START_TEST(the_request_id_decides)
{
	ck_assert_uint_eq(count_held(PART(43, "HUNDRED", ""), 5, ID), 5);
	ck_assert_uint_eq(count_held(PART(42, "HUNDRED", ""), 5, ID), 0);
	ck_assert_uint_eq(count_held(PART(43, "TEN_THOUSAND", ""), 5, ID), 5);
	ck_assert_uint_eq(count_held(PART(42, "MILLION", ""), 5, ID), 0);
	ck_assert_uint_eq(
	    count_held("{runtime_filter: {runtime_key: k}}", 5, ID), 0);
}
END_TEST

START_TEST(or_each_line_is_drawn)
{
	unsigned held = count_held(
	    PART(50, "HUNDRED", ", use_independent_randomness: true"), 1000,
	    ID);

	ck_assert_uint_gt(held, 350);
	ck_assert_uint_lt(held, 650);
	held =
	    count_held(PART(50, "HUNDRED", ""), 1000, "x-request-id: none\n");
	ck_assert_uint_gt(held, 350);
	ck_assert_uint_lt(held, 650);
}
END_TEST

/* ---- what is refused ---- */

static const char *const refused[] = {
	"{}",
	"{response_flag_filter: {flags: [XX]}}",
	"{status_code_filter: {}}",
	"{status_code_filter: {comparison: {op: LT}}}",
	"{and_filter: {filters: [{traceable_filter: {}}]}}",
	"{header_filter: {}}",
	"{runtime_filter: {}}",
	"{grpc_status_filter: {statuses: [NOPE]}}",
	"{log_type_filter: {types: [Nope]}}",
	"{extension_filter: {name: x}}",
};

START_TEST(wrong_filters_are_refused)
{
	struct world *w = world_of(refused[_i]);

	if (w->gateway)
		ck_assert_ptr_null(logfilter_build(w->arena,
		    w->gateway->hcm->access_log.items[0].filter, w->diag));
	ck_assert_uint_gt(diag_errors(w->diag), 0);
	world_free(w);
}
END_TEST

#define LOOP(test, rows)                                                       \
	tcase_add_loop_test(t, test, 0, sizeof(rows) / sizeof((rows)[0]))

Suite *suite_chain_logfilter(void);

Suite *
suite_chain_logfilter(void)
{
	Suite *s = suite_create("chain/logfilter");
	TCase *t = tcase_create("filters");

	LOOP(filters_choose_lines, rows);
	tcase_add_test(t, health_checks_can_be_left_out);
	tcase_add_test(t, the_request_id_decides);
	tcase_add_test(t, or_each_line_is_drawn);
	LOOP(wrong_filters_are_refused, refused);
	suite_add_tcase(s, t);
	return s;
}
