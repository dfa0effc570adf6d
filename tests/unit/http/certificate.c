#include "config.h"

#include <check.h>

#include "http/certificate.h"
#include "tests/unit/http/certificates.h"

static struct arena *arena;

static void
set_up(void)
{
	arena = arena_new(4096);
}

static void
tear_down(void)
{
	arena_free(arena);
}

static void
check_text(struct str got, const char *value)
{
	ck_assert_msg(str_eq(got, str_of(value)), "\"" STR_FMT "\", not \"%s\"",
	    STR_ARG(got), value);
}

static void
check_client(struct str pem)
{
	struct certificate c;

	ck_assert(certificate_read(arena, pem, &c));
	check_text(c.pem, CLIENT_PEM);
	check_text(c.hash, CLIENT_HASH);
	check_text(c.subject, CLIENT_SUBJECT);
	ck_assert_uint_eq(c.n_uris, 2);
	check_text(c.uris[0], "spiffe://shop/client");
	check_text(c.uris[1], "http://x/?a=b");
	ck_assert_uint_eq(c.n_dns, 2);
	check_text(c.dns[0], "client.test");
	check_text(c.dns[1], "*.client.test");
}

START_TEST(a_certificate_tells_its_names)
{
	check_client(STR(CLIENT_PEM));
}
END_TEST

START_TEST(percent_encoding_is_undone)
{
	check_client(STR(CLIENT_ESCAPED));
}
END_TEST

START_TEST(tabs_after_newlines_are_left_out)
{
	struct str rest = STR(CLIENT_PEM), text = STR("");

	while (rest.len) {
		struct str line = str_split(&rest, '\n');
		text = arena_printf(arena, STR_FMT STR_FMT "\n\t",
		    STR_ARG(text), STR_ARG(line));
	}
	check_client(text);
}
END_TEST

START_TEST(a_chain_is_its_first_certificate)
{
	check_client(STR(CLIENT_PEM SERVER_PEM));
}
END_TEST

static const char *const refused[] = { "", "x", "%", "%2", "\t\t",
	"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
	"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	"-----BEGIN CERTIFICATE-----\nMIIB" };

START_TEST(what_is_none_is_none)
{
	struct certificate c;

	ck_assert(!certificate_read(arena, str_of(refused[_i]), &c));
	ck_assert(!certificate_read(arena, STR_NONE, &c));
}
END_TEST

Suite *suite_http_certificate(void);

Suite *
suite_http_certificate(void)
{
	Suite *s = suite_create("http/certificate");
	TCase *t = tcase_create("certificates");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_certificate_tells_its_names);
	tcase_add_test(t, percent_encoding_is_undone);
	tcase_add_test(t, tabs_after_newlines_are_left_out);
	tcase_add_test(t, a_chain_is_its_first_certificate);
	tcase_add_loop_test(
	    t, what_is_none_is_none, 0, sizeof(refused) / sizeof(refused[0]));
	suite_add_tcase(s, t);
	return s;
}
