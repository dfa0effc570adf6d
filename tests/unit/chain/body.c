/* Whole bodies, with the buffer filter as the one who asks for them. */
#include "config.h"

#include <check.h>

#include "tests/unit/chain/world.h"

#define BUFFER                                                                 \
	"http_filters:\n"                                                      \
	"- name: buffer\n"                                                     \
	"  typed_config: {\"@type\": type.googleapis.com/envoy.extensions."    \
	"filters.http.buffer.v3.Buffer, max_request_bytes: 10}\n"

static const char one_route[] =
    "route_config:\n"
    "  virtual_hosts:\n"
    "  - name: all\n"
    "    domains: [\"*\"]\n"
    "    routes: [{match: {prefix: /}, route: {cluster: backend}}]\n";

static struct world *
world(void)
{
	static char text[4096];

	(void)snprintf(text, sizeof(text), "%s%s", one_route, BUFFER);
	return world_new(text);
}

START_TEST(a_request_waits_for_the_end_of_its_body)
{
	struct world *w = world();
	struct exchange *x = world_request_with_body(w, "POST", "/", "", 10);

	ck_assert_int_eq(x->phase, EXCHANGE_REQUEST);
	world_upload(x, "01234", false);
	exchange_wake(x);
	ck_assert_int_eq(x->phase, EXCHANGE_REQUEST);
	world_upload(x, "56789", true);
	ck_assert_int_eq(x->phase, EXCHANGE_FORWARDING);
	ck_assert_uint_eq(w->forwarded, 1);
	ck_assert(str_eq(buf_bytes(&x->upload), STR("0123456789")));
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(a_body_without_a_declared_length_gets_one)
{
	struct world *w = world();
	struct exchange *x = world_request_with_body(w, "POST", "/", "", -1);

	world_upload(x, "0123", false);
	world_upload(x, "", true);
	ck_assert_int_eq(x->phase, EXCHANGE_FORWARDING);
	ck_assert_int_eq(x->upload_len, 4);
	ck_assert_str_eq(world_request_header(x, "content-length"), "4");
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(a_body_beyond_the_limit_is_413_and_is_not_forwarded)
{
	struct world *w = world();
	struct exchange *x = world_request_with_body(w, "POST", "/", "", -1);

	world_upload(x, "0123456789", false);
	ck_assert_int_eq(x->phase, EXCHANGE_REQUEST);
	world_upload(x, "a", false);
	ck_assert_int_eq(x->phase, EXCHANGE_ANSWERING);
	ck_assert_str_eq(world_response_header(x, ":status"), "413");
	ck_assert_str_eq(world_body(x), "Payload Too Large");
	ck_assert(str_eq(x->details, STR("request_payload_too_large")));
	ck_assert_uint_eq(w->forwarded, 0);
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(the_room_grows_with_the_limit_and_only_for_those_who_ask)
{
	struct world *w = world();
	struct exchange *x = world_request_with_body(w, "POST", "/", "", -1);
	struct world *plain = world_new(one_route);
	struct exchange *y =
	    world_request_with_body(plain, "POST", "/", "", -1);

	ck_assert_uint_eq(buf_room(&x->upload), 10 + EXCHANGE_BODY_WINDOW);
	ck_assert_uint_eq(buf_room(&y->upload), EXCHANGE_BODY_WINDOW);
	ck_assert_int_eq(y->phase, EXCHANGE_FORWARDING);
	exchange_end(x);
	exchange_end(y);
	world_free(w);
	world_free(plain);
}
END_TEST

START_TEST(a_request_without_a_body_goes_on_at_once)
{
	struct world *w = world();
	struct exchange *x = world_request(w, "GET", "/", "");

	ck_assert_int_eq(x->phase, EXCHANGE_FORWARDING);
	ck_assert_ptr_null(world_request_header(x, "content-length"));
	exchange_end(x);
	world_free(w);
}
END_TEST

Suite *suite_chain_body(void);

Suite *
suite_chain_body(void)
{
	Suite *s = suite_create("chain/body");
	TCase *t = tcase_create("bodies");

	tcase_add_test(t, a_request_waits_for_the_end_of_its_body);
	tcase_add_test(t, a_body_without_a_declared_length_gets_one);
	tcase_add_test(t, a_body_beyond_the_limit_is_413_and_is_not_forwarded);
	tcase_add_test(
	    t, the_room_grows_with_the_limit_and_only_for_those_who_ask);
	tcase_add_test(t, a_request_without_a_body_goes_on_at_once);
	suite_add_tcase(s, t);
	return s;
}
