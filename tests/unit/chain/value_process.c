#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/chain/rendered.h"

static const char hcm[] = "use_remote_address: true\n"
			  "route_config: {virtual_hosts: []}\n";

static const struct rendering rows[] = {
	{ "%ENVIRONMENT(SALLYPORT_TEST)%", "some value" },
	{ "%ENVIRONMENT(SALLYPORT_TEST):4%", "some" },
	{ "%ENVIRONMENT(SALLYPORT_NONE)%", "-" },
	{ "%COALESCE({\"operators\":[{\"command\":\"REQ\",\"param\":\"x-none\""
	  "},{\"command\":\"REQ\",\"param\":\"x-a\"}]})%",
	    "abc" },
	{ "%COALESCE({\"operators\":[{\"command\":\"REQ\",\"param\":\"x-a\","
	  "\"max_length\":2}]})%",
	    "ab" },
	{ "%COALESCE({\"operators\":[\"ROUTE_NAME\",\"PROTOCOL\"]}):4%",
	    "HTTP" },
	{ "%COALESCE({\"operators\":[\"ROUTE_NAME\"]})%", "-" },
};

START_TEST(the_process_and_choices_are_told)
{
	struct world *w;
	struct exchange *x;

	ck_assert_int_eq(setenv("SALLYPORT_TEST", "some value", 1), 0);
	w = world_new(hcm);
	x = world_request(w, "GET", "/", "x-a: abc\n");
	check_rendering(w, x, &rows[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(the_host_has_a_name)
{
	struct world *w = world_new(hcm);
	struct exchange *x = world_request(w, "GET", "/", "");
	char name[256] = "";

	ck_assert_int_eq(gethostname(name, sizeof(name) - 1), 0);
	check_rendering(w, x, &(struct rendering){ "%HOSTNAME%", name });
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(an_id_is_another_each_time)
{
	struct world *w = world_new(hcm);
	struct exchange *x = world_request(w, "GET", "/", "");
	const struct format *f =
	    format_log_text(w->arena, STR("%UNIQUE_ID%"), NULL, w->diag);
	struct str one = format_value(f, x), other = format_value(f, x);

	ck_assert_uint_eq(one.len, 36);
	ck_assert(!str_eq(one, other));
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct rendering refused[] = {
	{ "%CEL(request.path)%", "CEL" },
	{ "%COALESCE%", "COALESCE requires parameters" },
	{ "%COALESCE({})%", "must contain 'operators' array" },
	{ "%COALESCE({\"operators\":[1]})%",
	    "operator entry must be either a string" },
	{ "%COALESCE({\"operators\":[\"NOPE\"]})%", "unknown command: 'NOPE'" },
	{ "%ENVIRONMENT%", "ENVIRONMENT requires parameters" },
};

START_TEST(wrong_operators_are_refused)
{
	struct world *w = world_new(hcm);

	check_refusal(w, &refused[_i]);
	world_free(w);
}
END_TEST

#define LOOP(test, rows)                                                       \
	tcase_add_loop_test(t, test, 0, sizeof(rows) / sizeof((rows)[0]))

Suite *suite_chain_value_process(void);

Suite *
suite_chain_value_process(void)
{
	Suite *s = suite_create("chain/value_process");
	TCase *t = tcase_create("operators");

	LOOP(the_process_and_choices_are_told, rows);
	tcase_add_test(t, the_host_has_a_name);
	tcase_add_test(t, an_id_is_another_each_time);
	LOOP(wrong_operators_are_refused, refused);
	suite_add_tcase(s, t);
	return s;
}
