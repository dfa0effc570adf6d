/* What Envoy's code asks of parts that have no effect here. */
#include "config.h"

#include <check.h>

#include "config/bootstrap.h"
#include "tests/unit/config/told.h"

#define EXT "\"@type\": type.googleapis.com/envoy.extensions."
#define HEAP                                                                   \
	"{name: heap, typed_config: {" EXT                                     \
	"resource_monitors.fixed_heap.v3.FixedHeapConfig, "                    \
	"max_heap_size_bytes: 1}}"
#define ACTION(name, trigger)                                                  \
	"overload_manager: {resource_monitors: [" HEAP "], actions: [{name: "  \
	"envoy.overload_actions." name ", triggers: [" trigger "]}]}\n"
#define TRIGGER "{name: heap, threshold: {value: 0.9}}"

static const struct {
	const char *text, *told; /* NULL: it is accepted */
} rows[] = {
	{ ACTION("shrink_heap", TRIGGER), NULL },
	{ ACTION("grow_heap", TRIGGER),
	    "Unknown Overload Manager Action envoy.overload_actions.grow_heap" },
	{ ACTION("reduce_timeouts", TRIGGER),
	    "Overload action \"envoy.overload_actions.reduce_timeouts\" "
	    "requires typed_config" },
	{ ACTION("shrink_heap", "{name: hip, threshold: {value: 0.9}}"),
	    "Unknown trigger resource hip for overload action "
	    "envoy.overload_actions.shrink_heap" },
	{ ACTION("shrink_heap", "{name: heap, scaled: {scaling_threshold: 0.5, "
				"saturation_threshold: 0.5}}"),
	    "scaling_threshold must be less than saturation_threshold" },
	{ ACTION("shrink_heap", "{name: heap, scaled: {scaling_threshold: 0.5, "
				"saturation_threshold: 0.6}}"),
	    NULL },
	{ "overload_manager: {resource_monitors: [" HEAP ", " HEAP "]}\n",
	    "Duplicate resource monitor heap" },
	{ "overload_manager: {resource_monitors: [{name: heap, typed_config: "
	  "{" EXT "resource_monitors.fixed_heap.v3.FixedHeapConfig}}]}\n",
	    "fixed_heap: max heap size must be greater than 0" },
	{ "overload_manager: {resource_monitors: [{name: heap, typed_config: "
	  "{" EXT "access_loggers.stream.v3.StdoutAccessLog}}]}\n",
	    "Didn't find a registered implementation for 'heap' with type "
	    "URL: 'envoy.extensions.access_loggers.stream.v3." },
	{ "stats_config: {stats_tags: [{tag_name: envoy.cluster_name}, "
	  "{tag_name: a, fixed_value: b}]}\n",
	    NULL },
	{ "statsConfig: {statsTags: [{tagName: a}]}\n",
	    "No regex specified for tag specifier and no default regex for "
	    "name: 'a'" },
	{ "stats_config: {stats_tags: [{fixed_value: b}]}\n",
	    "tag_name cannot be empty" },
	{ "cluster_manager: {local_cluster_name: one}\n", NULL },
	{ "cluster_manager: {local_cluster_name: two}\n",
	    "local cluster 'two' must be defined" },
	{ "stats_flush_interval: 5s\nstats_flush_on_admin: true\n",
	    "Only one of stats_flush_interval or stats_flush_on_admin should "
	    "be set!" },
};

START_TEST(what_has_no_effect_has_to_be_right)
{
	static const char before[] =
	    "static_resources: {clusters: [{name: one}]}\n";
	struct arena *temp = arena_new(4096);
	struct told t = told_new(arena_cstr(
	    temp, ARENA_JOIN(temp, str_of(before), str_of(rows[_i].text))));

	ck_assert_ptr_nonnull(t.top);
	(void)bootstrap_decode(t.arena, t.top, t.diag);
	if (rows[_i].told)
		told_must_say(&t, rows[_i].told);
	else
		ck_assert_uint_eq(diag_errors(t.diag), 1); /* no listener */
	told_free(&t);
	arena_free(temp);
}
END_TEST

Suite *suite_config_delegated(void);

Suite *
suite_config_delegated(void)
{
	Suite *s = suite_create("config/delegated");
	TCase *t = tcase_create("delegated");

	tcase_add_loop_test(t, what_has_no_effect_has_to_be_right, 0,
	    sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, t);
	return s;
}
