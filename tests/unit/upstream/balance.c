#include "config.h"

#include <check.h>

#include "upstream/balance.h"

enum { MAX_HOSTS = 4, ROUNDS = 6000 };

static struct conf_cluster conf;
static struct cluster_host hosts[MAX_HOSTS];
static struct cluster cluster;
static struct clusters all;
static const struct balancer_wish any;

/* A balancer over n hosts of these weights. */
static struct balancer *
over(int policy, size_t n, const unsigned *weights)
{
	cluster = (struct cluster){ .conf = &conf,
		.hosts = hosts,
		.n = n,
		.policy = policy,
		.choices = 2,
		.bias = 1 };
	for (size_t i = 0; i < n; i++) {
		hosts[i].weight = weights ? weights[i] : 1;
		cluster.is_weighted |= hosts[i].weight != hosts[0].weight;
	}
	all = (struct clusters){ .items = &cluster, .n = 1, .n_hosts = n };
	return balancer_new(&all, 42);
}

static size_t
take(struct balancer *b)
{
	return (size_t)(balancer_take(b, &cluster, &any) - hosts);
}

static void
release(struct balancer *b, size_t i)
{
	balancer_release(b, &cluster, &hosts[i]);
}

START_TEST(no_hosts_means_none)
{
	struct balancer *b = over(CONF_ROUND_ROBIN, 0, NULL);

	ck_assert_ptr_null(balancer_take(b, &cluster, &any));
	balancer_free(b);
}
END_TEST

START_TEST(round_robin_takes_turns)
{
	struct balancer *b = over(CONF_ROUND_ROBIN, 3, NULL);
	size_t first = take(b);

	for (size_t i = 1; i < 30; i++)
		ck_assert_uint_eq(take(b), (first + i) % 3);
	balancer_free(b);
}
END_TEST

static const int weighing[] = { CONF_ROUND_ROBIN, CONF_LEAST_REQUEST };

START_TEST(weights_are_shares_at_any_time)
{
	static const unsigned weights[] = { 1, 2, 5 };
	struct balancer *b = over(weighing[_i], 3, weights);
	unsigned taken[3] = { 0, 0, 0 };

	for (int i = 0; i < ROUNDS; i++) {
		size_t host = take(b);
		taken[host]++;
		release(b, host);
		for (int j = 0; i % 8 == 7 && j < 3; j++) {
			unsigned share = (unsigned)(i + 1) / 8 * weights[j];
			ck_assert_uint_ge(taken[j] + 2, share);
			ck_assert_uint_le(taken[j], share + 2);
		}
	}
	balancer_free(b);
}
END_TEST

static const int spreading[] = { CONF_RANDOM, CONF_LEAST_REQUEST };

START_TEST(chance_favours_nobody)
{
	struct balancer *b = over(spreading[_i], MAX_HOSTS, NULL);
	unsigned taken[MAX_HOSTS] = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		size_t host = take(b);
		taken[host]++;
		release(b, host);
	}
	for (int i = 0; i < MAX_HOSTS; i++) {
		ck_assert_uint_gt(taken[i], ROUNDS / MAX_HOSTS * 9 / 10);
		ck_assert_uint_lt(taken[i], ROUNDS / MAX_HOSTS * 11 / 10);
	}
	balancer_free(b);
}
END_TEST

START_TEST(least_request_avoids_the_busy)
{
	struct balancer *b = over(CONF_LEAST_REQUEST, 2, NULL);
	size_t busy = take(b), n = 0;

	/* Both choices fall on the busy one in a quarter of the cases. */
	for (int i = 0; i < ROUNDS; i++) {
		size_t host = take(b);
		n += host == busy;
		release(b, host);
	}
	ck_assert_uint_lt(n, ROUNDS * 3 / 10);
	ck_assert_uint_gt(n, ROUNDS * 2 / 10);
	balancer_free(b);
}
END_TEST

START_TEST(least_request_divides_weight_by_load)
{
	static const unsigned weights[] = { 2, 1 };
	struct balancer *b = over(CONF_LEAST_REQUEST, 2, weights);
	unsigned taken[2] = { 0, 0 };

	/* The heavier host never gets done with anything. */
	for (int i = 0; i < 300; i++) {
		size_t host = take(b);
		taken[host]++;
		if (host == 1)
			release(b, host);
	}
	ck_assert_uint_lt(taken[0], 60);
	ck_assert_uint_gt(taken[0], 10);
	balancer_free(b);
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_upstream_balance(void);

Suite *
suite_upstream_balance(void)
{
	Suite *s = suite_create("upstream/balance");
	TCase *t = tcase_create("choosing");

	tcase_add_test(t, no_hosts_means_none);
	tcase_add_test(t, round_robin_takes_turns);
	TABLE_TEST(t, weighing, weights_are_shares_at_any_time);
	TABLE_TEST(t, spreading, chance_favours_nobody);
	tcase_add_test(t, least_request_avoids_the_busy);
	tcase_add_test(t, least_request_divides_weight_by_load);
	suite_add_tcase(s, t);
	return s;
}
