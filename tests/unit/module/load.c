/* The module as Envoy takes it: opened, its hooks found by name. */
#include "config.h"

#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/module/envoy.h"

#define HOOK "envoy_dynamic_module_on_"

/* Envoy 1.40 refuses a module that lacks one of these. */
static const char *const required[] = {
	"program_init",
	"http_filter_config_new",
	"http_filter_config_destroy",
	"http_filter_new",
	"http_filter_destroy",
	"http_filter_request_headers",
	"http_filter_request_body",
	"http_filter_request_trailers",
	"http_filter_response_headers",
	"http_filter_response_body",
	"http_filter_response_trailers",
	"http_filter_stream_complete",
	"http_filter_scheduled",
	"http_filter_http_callout_done",
	"http_filter_http_stream_headers",
	"http_filter_http_stream_data",
	"http_filter_http_stream_trailers",
	"http_filter_http_stream_complete",
	"http_filter_http_stream_reset",
	"http_filter_downstream_above_write_buffer_high_watermark",
	"http_filter_downstream_below_write_buffer_low_watermark",
	"http_filter_per_route_config_new",
	"http_filter_per_route_config_destroy",
};

static void *module;

/* ISO C has no cast from an object to a function. */
static void
find(const char *name, void *out)
{
	char full[128];
	void *at;

	(void)snprintf(full, sizeof(full), HOOK "%s", name);
	at = dlsym(module, full);
	ck_assert_msg(at, "no hook %s", name);
	memcpy(out, &at, sizeof(at));
}

static void
begin(void)
{
	envoy_begin();
	(void)unsetenv("SALLYPORT_STATE");
	module = dlopen("./libsallyport.so", RTLD_NOW | RTLD_LOCAL);
	ck_assert_msg(module, "%s", dlerror());
}

static void
end(void)
{
	ck_assert_int_eq(dlclose(module), 0);
}

START_TEST(every_hook_that_envoy_requires_is_there)
{
	const char *(*init)(void);
	void *hook;

	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++)
		find(required[i], &hook);
	find("program_init", &init);
	ck_assert_str_eq(init(), ABI_VERSION);
}
END_TEST

START_TEST(nothing_else_can_be_seen)
{
	static const char *const names[] = { "arena_new", "host_reply",
		"filter_registry", "filter_rate_limit", "state_open",
		"log_warn" };
	void *at;
	Dl_info info;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		at = dlsym(module, names[i]);
		ck_assert_msg(
		    !at || (dladdr(at, &info) &&
			       !strstr(info.dli_fname, "libsallyport")),
		    "%s", names[i]);
	}
}
END_TEST

START_TEST(a_request_runs_through_the_loaded_module)
{
	const void *(*config_new)(void *, struct abi_bytes, struct abi_bytes);
	void (*config_destroy)(const void *);
	struct envoy_hooks hooks;
	const char name[] = "sallyport.rate_limit";
	const char config[] = "{\"limit\":1,\"window\":\"60s\"}";
	const void *conf;
	struct envoy_stream *s;
	int host_conf;

	find("http_filter_config_new", &config_new);
	find("http_filter_config_destroy", &config_destroy);
	find("http_filter_new", &hooks.new);
	find("http_filter_request_headers", &hooks.request_headers);
	find("http_filter_request_body", &hooks.request_body);
	find("http_filter_request_trailers", &hooks.request_trailers);
	find("http_filter_response_headers", &hooks.response_headers);
	find("http_filter_stream_complete", &hooks.stream_complete);
	find("http_filter_destroy", &hooks.destroy);
	conf =
	    config_new(&host_conf, (struct abi_bytes){ name, sizeof(name) - 1 },
		(struct abi_bytes){ config, sizeof(config) - 1 });
	ck_assert_msg(conf, "%s", envoy_log());
	for (unsigned status = 0; status <= 429; status += 429) {
		s = envoy_stream_new(&hooks, conf);
		(void)envoy_request(s, true);
		ck_assert_uint_eq(s->reply.status, status);
		envoy_stream_free(s);
	}
	config_destroy(conf);
}
END_TEST

Suite *suite_module_load(void);

Suite *
suite_module_load(void)
{
	Suite *s = suite_create("module/load");
	TCase *t = tcase_create("load");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_test(t, every_hook_that_envoy_requires_is_there);
	tcase_add_test(t, nothing_else_can_be_seen);
	tcase_add_test(t, a_request_runs_through_the_loaded_module);
	suite_add_tcase(s, t);
	return s;
}
