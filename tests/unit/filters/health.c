#include "config.h"

#include <cJSON.h>
#include <check.h>

#include "base/clock.h"
#include "state/breaker.h"
#include "tests/unit/fake_host.h"

extern const struct filter filter_health;

static struct exchange *x;

static void
begin(void)
{
	x = fake_new(&filter_health, "{}");
	ck_assert_str_eq(x->setup_error, "");
}

static void
end(void)
{
	fake_free(x);
}

static enum verdict
ask(const char *method, const char *path)
{
	fake_next_request(x);
	fake_request(x, ":method", method);
	fake_request(x, ":path", path);
	return fake_run_request(x);
}

static void
open_circuit(const char *name)
{
	static const struct breaker_rules rules = { 1, 30 * NS_PER_S,
		NS_PER_S };

	ck_assert(breaker_failure(x->state,
	    breaker_find(x->state, str_of(name)), false, &rules, x->boot_ns));
}

static void
add_circuit(const char *name)
{
	ck_assert_int_ge(breaker_find(x->state, str_of(name)), 0);
}

static const char *
circuit_in(const cJSON *body, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
	    cJSON_GetObjectItemCaseSensitive(body, "circuits"), name));
}

static cJSON *
report(unsigned status)
{
	cJSON *body;

	ck_assert_int_eq(ask("GET", "/health"), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, status);
	ck_assert_str_eq(
	    fake_reply_header(x, "content-type"), "application/json");
	ck_assert_str_eq(fake_reply_header(x, "cache-control"), "no-store");
	ck_assert(str_eq(x->reply.details, status == 200
					       ? STR("health_check_ok")
					       : STR("health_check_failed")));
	body = cJSON_ParseWithLength(x->reply.body.ptr, x->reply.body.len);
	ck_assert_ptr_nonnull(body);
	return body;
}

static void
check_status(unsigned code, const char *status)
{
	cJSON *body = report(code);

	ck_assert_str_eq(cJSON_GetStringValue(
			     cJSON_GetObjectItemCaseSensitive(body, "status")),
	    status);
	cJSON_Delete(body);
}

START_TEST(health_follows_the_circuits)
{
	cJSON *body;

	check_status(200, "healthy");
	add_circuit("users");
	add_circuit("odd \"name\"\n");
	check_status(200, "healthy");
	open_circuit("users");
	check_status(200, "degraded");
	body = report(200);
	ck_assert_str_eq(circuit_in(body, "users"), "open");
	ck_assert_str_eq(circuit_in(body, "odd \"name\"\n"), "closed");
	cJSON_Delete(body);
	open_circuit("odd \"name\"\n");
	check_status(503, "unhealthy");
	x->boot_ns += 30 * NS_PER_S;
	check_status(200, "degraded");
	body = report(200);
	ck_assert_str_eq(circuit_in(body, "users"), "half-open");
	cJSON_Delete(body);
}
END_TEST

START_TEST(breakers_of_others_do_not_count)
{
	cJSON *body;

	add_circuit("users");
	add_circuit("theirs");
	open_circuit("theirs");
	check_status(200, "degraded");
	x->foreign_breaker = STR("theirs");
	check_status(200, "healthy");
	body = report(200);
	ck_assert_str_eq(circuit_in(body, "users"), "closed");
	ck_assert_ptr_null(circuit_in(body, "theirs"));
	cJSON_Delete(body);
}
END_TEST

START_TEST(circuits_stand_in_the_order_of_their_names)
{
	static const char *const names[] = { "m", "b:80", "z", "b:8", "a" };
	cJSON *body, *one;

	for (size_t i = 0; i < 5; i++)
		add_circuit(names[i]);
	body = report(200);
	one = cJSON_GetObjectItemCaseSensitive(body, "circuits")->child;
	ck_assert_str_eq(one->string, "a");
	ck_assert_str_eq(one->next->string, "b:8");
	ck_assert_str_eq(one->next->next->string, "b:80");
	ck_assert_str_eq(one->next->next->next->string, "m");
	ck_assert_str_eq(one->next->next->next->next->string, "z");
	cJSON_Delete(body);
}
END_TEST

START_TEST(uptime_is_that_of_the_longest_living_process)
{
	cJSON *body;

	clock_set(x->boot_ns - 90 * NS_PER_S, 0);
	state_join(x->state);
	body = report(200);
	ck_assert_double_eq(
	    cJSON_GetNumberValue(
		cJSON_GetObjectItemCaseSensitive(body, "uptime")),
	    90000);
	cJSON_Delete(body);
}
END_TEST

START_TEST(the_kubelet_gets_short_answers)
{
	add_circuit("users");
	ck_assert_int_eq(ask("GET", "/livez"), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 200);
	ck_assert(str_eq(x->reply.body, STR("ok\n")));
	ck_assert_int_eq(ask("GET", "/readyz"), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 200);
	ck_assert(str_eq(x->reply.body, STR("ready\n")));
	open_circuit("users");
	ck_assert_int_eq(ask("GET", "/livez"), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 200);
	ck_assert_int_eq(ask("GET", "/readyz"), FILTER_REPLY);
	ck_assert_uint_eq(x->reply.status, 503);
	ck_assert(str_eq(x->reply.body, STR("not ready\n")));
	ck_assert(str_eq(x->reply.details, STR("health_check_failed")));
}
END_TEST

START_TEST(only_these_requests_are_answered)
{
	static const struct {
		const char *method, *path;
		enum verdict verdict;
	} cases[] = {
		{ "GET", "/health", FILTER_REPLY },
		{ "HEAD", "/health", FILTER_REPLY },
		{ "GET", "/health?verbose", FILTER_REPLY },
		{ "GET", "/readyz?", FILTER_REPLY },
		{ "POST", "/health", FILTER_NEXT },
		{ "OPTIONS", "/livez", FILTER_NEXT },
		{ "GET", "/health/", FILTER_NEXT },
		{ "GET", "/healthy", FILTER_NEXT },
		{ "GET", "/Health", FILTER_NEXT },
		{ "GET", "/api/health", FILTER_NEXT },
		{ "GET", "/", FILTER_NEXT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(
		    ask(cases[i].method, cases[i].path) == cases[i].verdict,
		    "%s %s", cases[i].method, cases[i].path);
}
END_TEST

START_TEST(paths_can_be_moved_and_switched_off)
{
	end();
	x = fake_new(&filter_health, "{path: /status, livez: ''}");
	ck_assert_str_eq(x->setup_error, "");
	ck_assert_int_eq(ask("GET", "/status"), FILTER_REPLY);
	ck_assert_int_eq(ask("GET", "/health"), FILTER_NEXT);
	ck_assert_int_eq(ask("GET", "/livez"), FILTER_NEXT);
	ck_assert_int_eq(ask("GET", "?"), FILTER_NEXT);
	ck_assert_int_eq(ask("GET", "/readyz"), FILTER_REPLY);
}
END_TEST

START_TEST(a_full_table_fits_the_answer)
{
	char name[120];
	cJSON *body;

	memset(name, 1, sizeof(name) - 1);
	name[119] = '\0';
	for (int i = 0; i < 256; i++) {
		name[0] = (char)('a' + i / 26);
		name[1] = (char)('a' + i % 26);
		add_circuit(name);
	}
	body = report(200);
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(
			     body, "circuits")),
	    256);
	cJSON_Delete(body);
}
END_TEST

Suite *suite_filters_health(void);

Suite *
suite_filters_health(void)
{
	Suite *s = suite_create("filters/health");
	TCase *t = tcase_create("checks");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, health_follows_the_circuits);
	tcase_add_test(t, breakers_of_others_do_not_count);
	tcase_add_test(t, circuits_stand_in_the_order_of_their_names);
	tcase_add_test(t, uptime_is_that_of_the_longest_living_process);
	tcase_add_test(t, the_kubelet_gets_short_answers);
	tcase_add_test(t, only_these_requests_are_answered);
	tcase_add_test(t, paths_can_be_moved_and_switched_off);
	tcase_add_test(t, a_full_table_fits_the_answer);
	suite_add_tcase(s, t);
	return s;
}
