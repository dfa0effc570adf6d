#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/manual5.h"
#include "config/short_form.h"

static char *page;

static void
setup(void)
{
	size_t len = 0;
	FILE *out = open_memstream(&page, &len);

	ck_assert_ptr_nonnull(out);
	manual5_print(out);
	ck_assert_int_eq(fclose(out), 0);
}

static void
teardown(void)
{
	free(page);
}

/* Each row says what it is; where a secret comes from is nothing of Envoy's. */
static void
assert_rows(const struct schema_message *m)
{
	char item[64];

	for (const struct schema_field *f = m->fields; f->name; f++) {
		if (f->stance != SCHEMA_ENFORCED)
			continue;
		ck_assert_msg(f->text && *f->text, "%s", f->name);
		ck_assert_msg(
		    f->envoy ||
			!strcmp(m->required_oneof ? m->required_oneof : "",
			    "source"),
		    "%s", f->name);
		(void)snprintf(item, sizeof(item), "\n.It Cm %s\n", f->name);
		ck_assert_msg(strstr(page, item), "%s", f->name);
		if (f->message)
			assert_rows(f->message);
	}
}

START_TEST(every_row_of_the_short_form_is_in_it)
{
	assert_rows(&short_form_message);
}
END_TEST

START_TEST(maps_have_a_part_of_their_own)
{
	ck_assert_ptr_nonnull(strstr(page, "\n.Ss routes[]\n"));
	ck_assert_ptr_nonnull(strstr(page, "\n.Ss routes[].rate_limit\n"));
	ck_assert_ptr_nonnull(strstr(page, "\n.Ss jwt.secret\n"));
	ck_assert_ptr_nonnull(
	    strstr(page, "\n.Ss transforms.request[].value\n"));
}
END_TEST

Suite *suite_cmd_manual5(void);

Suite *
suite_cmd_manual5(void)
{
	Suite *s = suite_create("cmd/manual5");
	TCase *t = tcase_create("manual5");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, every_row_of_the_short_form_is_in_it);
	tcase_add_test(t, maps_have_a_part_of_their_own);
	suite_add_tcase(s, t);
	return s;
}
