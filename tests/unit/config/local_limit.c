#include "config.h"

#include <check.h>

#include "config/local_limit.h"
#include "tests/unit/config/told.h"

#define BUCKET                                                                 \
	"stat_prefix: s\n"                                                     \
	"token_bucket: {max_tokens: 1, fill_interval: 1s}\n"
#define ON                                                                     \
	"filter_enabled: {default_value: {numerator: 1}}\n"                    \
	"filter_enforced: {default_value: {numerator: 1}}\n"
#define ONE                                                                    \
	"{entries: [{key: a, value: b}], token_bucket: {max_tokens: 1, "       \
	"fill_interval: 1s}}"

static const struct {
	const char *text, *told; /* NULL: not a word */
} rows[] = {
	{ BUCKET ON, NULL },
	{ "stat_prefix: s\n", NULL },
	{ BUCKET,
	    "warning: typed_config: no request is counted: `filter_enabled` "
	    "is 0 % unless given\n" },
	{ BUCKET "filter_enabled: {default_value: {}}\n",
	    "no request is counted: `filter_enabled` is 0 %\n" },
	{ BUCKET "filter_enabled: {default_value: {numerator: 1}}\n",
	    "no request is refused: `filter_enforced` is 0 % unless given\n" },
	{ BUCKET "filter_enabled: {default_value: {numerator: 1}}\n"
		 "filter_enforced: {default_value: {numerator: 0}}\n",
	    NULL },
	{ "stat_prefix: s\ndescriptors: [" ONE "]\n", "no request is counted" },
	{ BUCKET ON "descriptors: [" ONE ", " ONE "]\n",
	    "error: typed_config: duplicate descriptor in the local rate "
	    "descriptor: a=b\n" },
	{ BUCKET ON "descriptors: [" ONE
		    ", {entries: [{key: a, value: 'b 1 c'}], "
		    "token_bucket: {max_tokens: 1, fill_interval: 1s}}]\n",
	    NULL },
	{ "stat_prefix: s\n"
	  "token_bucket: {max_tokens: 1, fill_interval: 0.049s}\n" ON,
	    "local rate limit token bucket fill timer must be >= 50ms\n" },
};

START_TEST(what_a_limit_is_told)
{
	struct told t = told_new(rows[_i].text);

	ck_assert_ptr_nonnull(t.top);
	ck_assert_ptr_nonnull(schema_decode(
	    t.arena, t.diag, "typed_config", &conf_local_message, t.top));
	if (rows[_i].told)
		told_must_say(&t, rows[_i].told);
	else
		ck_assert_str_eq(told_text(&t), "");
	told_free(&t);
}
END_TEST

Suite *suite_config_local_limit(void);

Suite *
suite_config_local_limit(void)
{
	Suite *s = suite_create("config/local_limit");
	TCase *t = tcase_create("local limit");

	tcase_add_loop_test(
	    t, what_a_limit_is_told, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, t);
	return s;
}
