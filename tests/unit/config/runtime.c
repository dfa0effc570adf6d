#include "config.h"

#include <sys/stat.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/messages.h"
#include "config/runtime.h"
#include "config/yaml.h"
#include "tests/unit/config/told.h"

static struct told t;

/* The runtime of the layers written as YAML. */
static const struct runtime *
layers(const char *text)
{
	const struct conf_layered_runtime *conf;

	t = told_new(text);
	ck_assert_ptr_nonnull(t.top);
	conf = schema_decode(
	    t.arena, t.diag, "", &conf_layered_runtime_message, t.top);
	return runtime_read(t.arena, t.diag, conf, STR("me"));
}

static const struct {
	const char *value; /* of the key k */
	int64_t as_integer; /* -1: none */
	double as_double; /* -1: none */
	int percent; /* of a hundred; -1: none */
} values[] = {
	{ "5", 5, 5, 5 },
	{ "\" 0 \"", 0, 0, 0 },
	{ "101", 101, 101, 100 },
	{ "3.7", 3, 3.7, 3 },
	{ "-1", -1, -1, -1 },
	{ "true", -1, -1, -1 },
	{ "\"FALSE\"", -1, -1, -1 },
	{ "yes", -1, -1, -1 },
	{ "word", -1, -1, -1 },
	{ "{numerator: 7}", -1, -1, 7 },
	{ "{denominator: HUNDRED}", -1, -1, 0 },
	{ "{numerator: 7, denominator: DOZEN}", -1, -1, -1 },
	{ "18446744073709551615", -2, 18446744073709551615.0, 100 },
};

START_TEST(a_value_is_what_envoy_reads_in_it)
{
	char text[200];
	const struct runtime *rt;
	struct conf_fractional_percent percent = { .numerator = 99 };
	uint64_t integer = 0;
	double number = 0;

	(void)snprintf(text, sizeof(text),
	    "{layers: [{name: a, static_layer: {k: %s}}]}", values[_i].value);
	rt = layers(text);
	ck_assert_int_eq(
	    runtime_u64(rt, STR("k"), &integer), values[_i].as_integer != -1);
	if (values[_i].as_integer >= 0)
		ck_assert_uint_eq(integer, (uint64_t)values[_i].as_integer);
	if (runtime_double(rt, STR("k"), &number))
		ck_assert_double_eq(number, values[_i].as_double);
	ck_assert_int_eq(
	    runtime_fraction(rt, STR("k"), &percent), values[_i].percent >= 0);
	ck_assert_uint_eq(percent.numerator,
	    values[_i].percent < 0 ? 99U : (unsigned)values[_i].percent);
	told_free(&t);
}
END_TEST

START_TEST(later_layers_win_and_keys_nest)
{
	const struct runtime *rt = layers(
	    "layers:\n"
	    "- {name: a, static_layer: {a.b: 1, a.c: 1, d: {e: {f: 1}}}}\n"
	    "- {name: b, static_layer: {a: {b: 2}}}\n"
	    "- {name: c, admin_layer: {}}\n");
	struct conf_fractional_percent percent;
	uint64_t n = 0;

	ck_assert(runtime_u64(rt, STR("a.b"), &n) && n == 2);
	ck_assert(runtime_u64(rt, STR("a.c"), &n) && n == 1);
	ck_assert(runtime_u64(rt, STR("d.e.f"), &n) && n == 1);
	ck_assert(!runtime_u64(rt, STR("d.e"), &n));
	ck_assert(!runtime_u64(rt, STR(""), &n));
	ck_assert(!runtime_u64(NULL, STR("a.b"), &n));
	ck_assert(!runtime_fraction(NULL, STR("a.b"), &percent));
	ck_assert_str_eq(told_text(&t), "");
	told_free(&t);
}
END_TEST

static const struct {
	const char *text, *told;
} mistakes[] = {
	{ "{layers: [{name: a, static_layer: {x: {y: [1]}}}]}",
	    "error: Invalid runtime entry value for x.y" },
	{ "{layers: [{name: a, static_layer: {x: ~}}]}",
	    "error: Invalid runtime entry value for x" },
	{ "{layers: [{name: a, admin_layer: {}}, {name: a, admin_layer: {}}]}",
	    "error: Duplicate layer name: a" },
	{ "{layers: [{name: a, admin_layer: {}}, {name: b, admin_layer: {}}]}",
	    "error: Too many admin layers specified in LayeredRuntime, at "
	    "most one may be specified" },
	{ "{layers: [{name: a}]}",
	    "(field: \"layer_specifier\", reason: is required)" },
	{ "{layers: [{static_layer: {}}]}",
	    "RuntimeLayerValidationError.Name: value length" },
	{ "{layers: [{name: a, static_layer: 5}]}", "expected a map" },
	{ "{layers: [{name: a, disk_layer: {}}]}", "invalid file path" },
	{ "{layers: [{name: a, disk_layer: {symlink_root: /nowhere}}]}",
	    "error: layered_runtime: unable to add filesystem watch for file "
	    "/nowhere: No such file or directory" },
	{ "{layers: [{name: a, disk_layer: {symlink_root: /, subdirectory: "
	  "nowhere}}]}",
	    "warning: the disk layer is empty: no files in //nowhere" },
	{ "{layers: [{name: a, static_layer: {x: {numerator: x}}}]}",
	    "warning: the runtime key 'x' has no value" },
};

START_TEST(wrong_layers_are_told)
{
	layers(mistakes[_i].text);
	told_must_say(&t, mistakes[_i].told);
	told_free(&t);
}
END_TEST

static void
write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void
remove_all(const char *folder)
{
	char command[300];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(a_disk_layer_is_a_folder_of_files)
{
	char folder[] = "/tmp/check_runtime.XXXXXX", text[300], inner[64];
	const struct runtime *rt;
	uint64_t n = 0;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(inner, sizeof(inner), "%s/me", folder);
	ck_assert_int_eq(mkdir(inner, 0700), 0);
	write_file(inner, "half", "# a comment\n50 \n");
	(void)snprintf(inner, sizeof(inner), "%s/me/deep", folder);
	ck_assert_int_eq(mkdir(inner, 0700), 0);
	write_file(inner, "er", "7");
	write_file(inner, "empty", "");
	(void)snprintf(text, sizeof(text),
	    "layers:\n"
	    "- {name: a, static_layer: {half: 1, none: 3}}\n"
	    "- {name: b, disk_layer: {symlink_root: %s, subdirectory: '', "
	    "append_service_cluster: true}}\n",
	    folder);
	rt = layers(text);
	ck_assert(runtime_u64(rt, STR("half"), &n) && n == 50);
	ck_assert(runtime_u64(rt, STR("deep.er"), &n) && n == 7);
	ck_assert(runtime_u64(rt, STR("none"), &n) && n == 3);
	ck_assert(!runtime_u64(rt, STR("deep.empty"), &n));
	ck_assert_str_eq(told_text(&t), "");
	told_free(&t);
	remove_all(folder);
}
END_TEST

START_TEST(keys_that_nobody_reads_are_told)
{
	const struct runtime *rt = layers(
	    "layers:\n- name: a\n  static_layer:\n    mine: 1\n    other: 2\n"
	    "    upstream.use_http2: 1\n");
	uint64_t n;

	ck_assert(runtime_u64(rt, STR("mine"), &n));
	runtime_tell_unread(rt, t.diag);
	told_must_say(&t, "t:5:12: warning: nothing here reads the runtime "
			  "key 'other'");
	told_must_say(&t, "t:6:25: error: the runtime key "
			  "'upstream.use_http2' is not supported");
	ck_assert_ptr_null(strstr(told_text(&t), "'mine'"));
	told_free(&t);
}
END_TEST

/* Decodes text with the key k set to 30. */
static const void *
with_runtime(const struct schema_message *message, const char *text)
{
	const struct runtime *rt = layers("{layers: [{name: a, static_layer: "
					  "{k: 30, \"off\": false}}]}");
	const struct node *top =
	    yaml_parse(t.arena, str_of(text), "more", t.diag);

	diag_set_runtime(t.diag, rt);
	return schema_decode(t.arena, t.diag, "", message, top);
}

START_TEST(a_fraction_has_its_keys_value)
{
	const struct conf_runtime_fraction *f =
	    with_runtime(&conf_runtime_fraction_message,
		"{default_value: {numerator: 5, denominator: MILLION}, "
		"runtime_key: k}");

	ck_assert_uint_eq(f->default_value->numerator, 30);
	ck_assert_int_eq(f->default_value->denominator, 0);
	told_free(&t);
	f = with_runtime(&conf_runtime_fraction_message,
	    "{default_value: {numerator: 5}, runtime_key: none}");
	ck_assert_uint_eq(f->default_value->numerator, 5);
	told_free(&t);
}
END_TEST

START_TEST(numbers_have_their_keys_value)
{
	const struct conf_runtime_double *number;
	const struct conf_runtime_u32 *integer;

	number = with_runtime(&conf_runtime_double_message,
	    "{default_value: 1.5, runtime_key: k}");
	ck_assert_double_eq(number->default_value, 30);
	told_free(&t);
	integer = with_runtime(
	    &conf_runtime_u32_message, "{default_value: 1, runtime_key: k}");
	ck_assert_uint_eq(integer->default_value, 30);
	told_free(&t);
}
END_TEST

Suite *suite_config_runtime(void);

Suite *
suite_config_runtime(void)
{
	Suite *s = suite_create("config/runtime");
	TCase *c = tcase_create("runtime");

	tcase_add_loop_test(c, a_value_is_what_envoy_reads_in_it, 0,
	    sizeof(values) / sizeof(values[0]));
	tcase_add_test(c, later_layers_win_and_keys_nest);
	tcase_add_loop_test(c, wrong_layers_are_told, 0,
	    sizeof(mistakes) / sizeof(mistakes[0]));
	tcase_add_test(c, a_disk_layer_is_a_folder_of_files);
	tcase_add_test(c, keys_that_nobody_reads_are_told);
	tcase_add_test(c, a_fraction_has_its_keys_value);
	tcase_add_test(c, numbers_have_their_keys_value);
	suite_add_tcase(s, c);
	return s;
}
