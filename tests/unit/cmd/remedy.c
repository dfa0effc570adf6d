#include "config.h"

#include <check.h>

#include "cmd/remedy.h"

START_TEST(every_ailment_has_a_name_and_a_remedy_for_any_server)
{
	enum ailment a = (enum ailment)_i;
	struct remedy r = remedy_for(a, SERVER_OTHER);

	ck_assert_ptr_nonnull(ailment_id(a));
	ck_assert_ptr_nonnull(ailment_subject(a));
	ck_assert_ptr_nonnull(r.where);
	ck_assert_ptr_nonnull(r.write);
	for (int i = 0; i < _i; i++)
		ck_assert_str_ne(ailment_id(a), ailment_id((enum ailment)i));
	for (int s = 0; s < SERVERS; s++) {
		r = remedy_for(a, (enum server_kind)s);
		ck_assert(r.where && r.write);
	}
}
END_TEST

START_TEST(servers_are_known_by_what_they_call_themselves)
{
	ck_assert_int_eq(
	    server_by_name(STR("Apache/2.4.62 (Debian)")), SERVER_APACHE);
	ck_assert_int_eq(
	    server_by_name(STR("lighttpd/1.4.69")), SERVER_LIGHTTPD);
	ck_assert_int_eq(server_by_name(STR("nginx")), SERVER_NGINX);
	ck_assert_int_eq(server_by_name(STR("Caddy")), SERVER_CADDY);
	ck_assert_int_eq(server_by_name(STR("HAProxy 2.6")), SERVER_HAPROXY);
	ck_assert_int_eq(server_by_name(STR("")), SERVER_OTHER);
	ck_assert_int_eq(server_by_name(STR("Microsoft-IIS")), SERVER_OTHER);
}
END_TEST

Suite *suite_cmd_remedy(void);

Suite *
suite_cmd_remedy(void)
{
	Suite *s = suite_create("cmd/remedy");
	TCase *t = tcase_create("remedy");

	tcase_add_loop_test(t,
	    every_ailment_has_a_name_and_a_remedy_for_any_server, 0, AILMENTS);
	tcase_add_test(t, servers_are_known_by_what_they_call_themselves);
	suite_add_tcase(s, t);
	return s;
}
