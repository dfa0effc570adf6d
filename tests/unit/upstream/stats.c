#include "config.h"

#include <check.h>
#include <stdio.h>

#include "state/counter.h"
#include "upstream/stats.h"

static struct state *state;
static struct conf_cluster conf = { .name = STR_INIT("c") };
static struct cluster cluster = { .conf = &conf, .stat_name = STR_INIT("c") };
static const struct clusters all = { .items = &cluster, .n = 1 };
static struct stats *stats;
static char listed[4096];

static void
begin(void)
{
	state = state_private();
	stats = stats_new(state, &all);
}

static void
finish(void)
{
	stats_free(stats);
	state_close(state);
}

static void
list(void *arg, struct str name, uint64_t value)
{
	size_t len = strlen(listed);

	(void)arg;
	(void)snprintf(listed + len, sizeof(listed) - len, STR_FMT "=%u ",
	    STR_ARG(name), (unsigned)value);
}

/* All of them, in any order. */
static void
assert_counters(const char *expected)
{
	struct str rest = str_of(expected), one;
	size_t len = strlen(expected);

	listed[0] = '\0';
	counter_each(state, list, NULL);
	while (rest.len) {
		one = str_split(&rest, ' ');
		if (str_find(str_of(listed), one, 0) == strlen(listed))
			ck_abort_msg("no \"" STR_FMT "\" in \"%s\"",
			    STR_ARG(one), listed);
	}
	ck_assert_uint_eq(strlen(listed), len);
}

START_TEST(there_is_none_before_the_first)
{
	assert_counters("");
	stats_count(stats, &cluster, RQ_TOTAL);
	stats_count(stats, &cluster, RQ_TOTAL);
	assert_counters("cluster.c.upstream_rq_total=2 ");
}
END_TEST

START_TEST(an_answer_counts_by_its_status)
{
	stats_answer(stats, &cluster, 204, ANSWER_TO_EXTERNAL);
	assert_counters("cluster.c.upstream_rq_completed=1 "
			"cluster.c.upstream_rq_2xx=1 "
			"cluster.c.upstream_rq_204=1 "
			"cluster.c.external.upstream_rq_completed=1 "
			"cluster.c.external.upstream_rq_2xx=1 "
			"cluster.c.external.upstream_rq_204=1 ");
}
END_TEST

START_TEST(internal_ones_and_canaries_are_apart)
{
	stats_answer(
	    stats, &cluster, 500, ANSWER_TO_INTERNAL | ANSWER_OF_CANARY);
	assert_counters("cluster.c.upstream_rq_completed=1 "
			"cluster.c.upstream_rq_5xx=1 "
			"cluster.c.upstream_rq_500=1 "
			"cluster.c.internal.upstream_rq_completed=1 "
			"cluster.c.internal.upstream_rq_5xx=1 "
			"cluster.c.internal.upstream_rq_500=1 "
			"cluster.c.canary.upstream_rq_completed=1 "
			"cluster.c.canary.upstream_rq_5xx=1 "
			"cluster.c.canary.upstream_rq_500=1 ");
}
END_TEST

START_TEST(an_odd_status_has_no_class)
{
	stats_retried(stats, &cluster, 999);
	assert_counters("cluster.c.retry.upstream_rq_completed=1 "
			"cluster.c.retry.upstream_rq_unknown=1 ");
}
END_TEST

START_TEST(a_request_may_bring_a_name)
{
	stats_answer_as(stats, &cluster, STR("mine"), 302, ANSWER_TO_INTERNAL);
	stats_answer_as(stats, &cluster, STR("mine"), 302, ANSWER_TO_INTERNAL);
	assert_counters("cluster.c.mine.upstream_rq_completed=2 "
			"cluster.c.mine.upstream_rq_3xx=2 "
			"cluster.c.mine.upstream_rq_302=2 "
			"cluster.c.mine.internal.upstream_rq_completed=2 "
			"cluster.c.mine.internal.upstream_rq_3xx=2 "
			"cluster.c.mine.internal.upstream_rq_302=2 ");
}
END_TEST

START_TEST(a_name_too_long_counts_for_nothing)
{
	static char name[4000];

	memset(name, 'x', sizeof(name));
	stats_answer_as(stats, &cluster, (struct str){ name, sizeof(name) },
	    200, ANSWER_TO_EXTERNAL);
	cluster.stat_name = (struct str){ name, sizeof(name) };
	stats_answer(stats, &cluster, 200, ANSWER_TO_EXTERNAL);
	stats_count(stats, &cluster, RQ_TOTAL);
	assert_counters("");
}
END_TEST

START_TEST(without_a_state_nothing_is_counted)
{
	struct stats *none = stats_new(NULL, &all);

	stats_count(none, &cluster, RQ_TOTAL);
	stats_answer(none, &cluster, 200, ANSWER_OF_CANARY);
	stats_answer_as(none, &cluster, STR("x"), 200, ANSWER_OF_CANARY);
	stats_free(none);
	assert_counters("");
}
END_TEST

Suite *suite_upstream_stats(void);

Suite *
suite_upstream_stats(void)
{
	Suite *s = suite_create("upstream/stats");
	TCase *t = tcase_create("counters");

	tcase_add_checked_fixture(t, begin, finish);
	tcase_add_test(t, there_is_none_before_the_first);
	tcase_add_test(t, an_answer_counts_by_its_status);
	tcase_add_test(t, internal_ones_and_canaries_are_apart);
	tcase_add_test(t, an_odd_status_has_no_class);
	tcase_add_test(t, a_request_may_bring_a_name);
	tcase_add_test(t, a_name_too_long_counts_for_nothing);
	tcase_add_test(t, without_a_state_nothing_is_counted);
	suite_add_tcase(s, t);
	return s;
}
