#include "config.h"

#include <sys/stat.h>

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "module/exchange.h"
#include "tests/unit/module/envoy.h"

static char folder[64], file[96];
static int host_conf; /* stands for Envoy's */

static void
begin(void)
{
	envoy_begin();
	(void)snprintf(folder, sizeof(folder), "/tmp/sally-module-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(file, sizeof(file), "%s/state", folder);
	ck_assert_int_eq(setenv("SALLYPORT_STATE", file, 1), 0);
}

static void
end(void)
{
	(void)unlink(file);
	ck_assert_int_eq(rmdir(folder), 0);
}

static struct abi_bytes
bytes(const char *text)
{
	return (struct abi_bytes){ text, text ? strlen(text) : 0 };
}

static const struct module_conf *
make(const char *name, const char *config)
{
	return on_config_new(&host_conf, bytes(name), bytes(config));
}

static void
check_refused(const char *name, const char *config, const char *why)
{
	envoy_begin();
	ck_assert_ptr_null(make(name, config));
	ck_assert_msg(strstr(envoy_log(), why), "%s", envoy_log());
}

static bool
is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

START_TEST(a_configuration_is_json_in_any_order)
{
	const struct module_conf *conf = make(
	    "sallyport.rate_limit", "{\"window\":\"60s\",\"limit\":1e+02}");

	ck_assert_ptr_nonnull(conf);
	ck_assert_ptr_nonnull(conf->conf);
	ck_assert_str_eq(envoy_log(), "");
	on_config_destroy(conf);
	conf = make("sallyport.rate_limit", NULL);
	ck_assert_ptr_nonnull(conf);
	on_config_destroy(conf);
	conf = make("sallyport.rate_limit", "{}");
	ck_assert_ptr_nonnull(conf);
	on_config_destroy(conf);
}
END_TEST

START_TEST(what_is_wrong_is_said_with_its_place)
{
	check_refused("sallyport.rate_limit",
	    "{\"limit\":5,\n\"windw\":\"60s\"}",
	    "filter_config of sallyport.rate_limit:2:1: error");
	ck_assert_ptr_nonnull(strstr(envoy_log(), "did you mean `window`?"));
	check_refused("sallyport.rate_limit", "{\"limit\":5}",
	    "`limit` and `window` belong together");
	check_refused("sallyport.rate_limit",
	    "{\"limit\":1.5,\"window\":\"1s\"}", "a whole number");
	check_refused("sallyport.rate_limit",
	    "{\"limit\":1e15,\"window\":\"1s\"}", "error");
	check_refused("sallyport.rate_limit", "[1]", "error");
	check_refused("sallyport.rate_limit", "{\"limit\":", "error");
	check_refused("sallyport.rate_limit", "\xff\xfe", "error");
}
END_TEST

START_TEST(an_unknown_filter_is_refused_with_a_hint)
{
	check_refused("sallyport.rate_limits", "{}",
	    "no filter \"sallyport.rate_limits\"; did you mean "
	    "\"sallyport.rate_limit\"?");
	check_refused("", "{}", "no filter \"\"");
}
END_TEST

START_TEST(a_filter_that_needs_a_timer_is_refused)
{
	check_refused("traps.timer", "{}",
	    "traps.timer cannot run inside "
	    "Envoy: it needs a timer");
}
END_TEST

START_TEST(a_claim_within_the_payload_cannot_be_read)
{
	check_refused("sallyport.rate_limit",
	    "{\"limit\":5,\"window\":\"1s\",\"key_claim\":\"sub\"}",
	    "`key_header`");
}
END_TEST

START_TEST(counters_are_defined_once_with_the_configuration)
{
	const struct module_conf *conf = make("sallyport.rate_limit", "{}");

	ck_assert_uint_eq(envoy_count("rate_limit.ok"), 0);
	ck_assert_uint_eq(envoy_count("rate_limit.limited"), 0);
	on_config_destroy(conf);
}
END_TEST

START_TEST(all_configurations_share_one_state)
{
	const struct module_conf *one, *other;

	ck_assert(!is_there(file));
	one = make("sallyport.rate_limit", "{}");
	other = make("sallyport.breaker", "{}");
	ck_assert_ptr_nonnull(one->state);
	ck_assert_ptr_eq(one->state, other->state);
	ck_assert(is_there(file));
	on_config_destroy(one);
	one = make("sallyport.rate_limit", "{}");
	ck_assert_ptr_eq(one->state, other->state);
	on_config_destroy(one);
	on_config_destroy(other);
}
END_TEST

START_TEST(a_check_of_the_configuration_makes_no_file)
{
	const struct module_conf *conf;

	envoy_set_validation(true);
	conf = make("sallyport.rate_limit", "{\"limit\":1,\"window\":\"1s\"}");
	ck_assert_ptr_nonnull(conf);
	ck_assert(!is_there(file));
	on_config_destroy(conf);
	check_refused("sallyport.rate_limit", "{\"limit\":0}", "error");
}
END_TEST

START_TEST(a_state_file_that_was_named_must_be_usable)
{
	ck_assert_int_eq(
	    setenv("SALLYPORT_STATE", "/nonexistent/folder/state", 1), 0);
	check_refused("sallyport.rate_limit", "{}", "/nonexistent/folder");
	/* A filter without state needs none. */
	on_config_destroy(make("traps.fields", "{}"));
}
END_TEST

START_TEST(routes_have_configurations_of_their_own)
{
	const struct module_conf *conf =
	    on_route_config_new(bytes("sallyport.rate_limit"),
		bytes("{\"limit\":5,\"window\":\"1s\"}"));

	ck_assert_ptr_nonnull(conf);
	on_route_config_destroy(conf);
	ck_assert_ptr_null(on_route_config_new(
	    bytes("sallyport.rate_limit"), bytes("{\"limit\":5}")));
	ck_assert_ptr_null(
	    on_route_config_new(bytes("sallyport.breaker"), bytes("{}")));
	ck_assert_ptr_nonnull(strstr(envoy_log(),
	    "sallyport.breaker doesn't support virtual host or route"));
}
END_TEST

/* Whatever Envoy hands over is made or refused; the sanitizers look on. */
START_TEST(mutations_of_configurations_are_made_or_refused)
{
	static const char *const all[][2] = {
		{ "sallyport.rate_limit",
		    "{\"limit\":100,\"window\":\"1.5s\",\"scope\":\"a\","
		    "\"key_header\":\"x-key\"}" },
		{ "sallyport.breaker",
		    "{\"failures\":5,\"open_for\":\"30s\",\"clusters\":"
		    "[\"one\",\"two\"]}" },
		{ "sallyport.rewrite",
		    "{\"pattern\":\"^/(a|b)*$\",\"substitution\":\"\\\\1\"}" },
		{ "sallyport.health",
		    "{\"path\":\"/h\\u0061\",\"livez\":\"\"}" },
		{ "sallyport.location", "{}" },
	};
	static const char odd[] = "{}[]:,\"\\0e-.\xff\x01\n";
	const struct module_conf *held = make("sallyport.breaker", "{}");
	uint64_t seed = 1;

	ck_assert_ptr_nonnull(held);
	for (int i = 0; i < 3000; i++) {
		char text[160];
		size_t len = strlen(all[i % 5][1]);
		const void *conf;

		memcpy(text, all[i % 5][1], len + 1);
		for (int n = 0; n <= i % 3; n++) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			text[(seed >> 33) % len] =
			    odd[(seed >> 20) % (sizeof(odd) - 1)];
		}
		envoy_begin();
		conf = make(all[i % 5][0], text);
		if (conf)
			on_config_destroy(conf);
		else
			ck_assert_str_ne(envoy_log(), "");
	}
	on_config_destroy(held);
}
END_TEST

Suite *suite_module_setup(void);

Suite *
suite_module_setup(void)
{
	Suite *s = suite_create("module/setup");
	TCase *t = tcase_create("setup");

	tcase_add_checked_fixture(t, begin, end);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_configuration_is_json_in_any_order);
	tcase_add_test(t, what_is_wrong_is_said_with_its_place);
	tcase_add_test(t, an_unknown_filter_is_refused_with_a_hint);
	tcase_add_test(t, a_filter_that_needs_a_timer_is_refused);
	tcase_add_test(t, a_claim_within_the_payload_cannot_be_read);
	tcase_add_test(t, counters_are_defined_once_with_the_configuration);
	tcase_add_test(t, all_configurations_share_one_state);
	tcase_add_test(t, a_check_of_the_configuration_makes_no_file);
	tcase_add_test(t, a_state_file_that_was_named_must_be_usable);
	tcase_add_test(t, routes_have_configurations_of_their_own);
	tcase_add_test(t, mutations_of_configurations_are_made_or_refused);
	suite_add_tcase(s, t);
	return s;
}
