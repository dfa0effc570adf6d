#include "config.h"

#include <check.h>
#include <stdio.h>

#include "http/address.h"
#include "tests/unit/chain/world.h"

static const char xff[] =
    "original_ip_detection_extensions:\n"
    "- name: xff\n"
    "  typed_config:\n"
    "    \"@type\": type.googleapis.com/envoy.extensions.http."
    "original_ip_detection.xff.v3.XffConfig\n"
    "    xff_trusted_cidrs: {cidrs: [{address_prefix: 192.0.2.0, "
    "prefix_len: 24}]}\n";
static const char custom[] =
    "original_ip_detection_extensions:\n"
    "- name: custom\n"
    "  typed_config:\n"
    "    \"@type\": type.googleapis.com/envoy.extensions.http."
    "original_ip_detection.custom_header.v3.CustomHeaderConfig\n"
    "    header_name: X-Real-IP\n"
    "    reject_with_status: {code: 200}\n";

static struct exchange *
request(const char *conf, const char *peer, const char *fields)
{
	char hcm[1024];
	struct world *w;
	struct exchange *x;

	(void)snprintf(
	    hcm, sizeof(hcm), "%s\nroute_config: {virtual_hosts: []}\n", conf);
	w = world_new(hcm);
	x = world_exchange(w, "GET", "/", fields);
	x->peer.address = str_of(peer);
	exchange_start(x);
	return x;
}

static void
end(struct exchange *x)
{
	struct world *w = x->owner;

	exchange_end(x);
	world_free(w);
}

static void
check_forwarded(struct exchange *x, const char *value)
{
	const char *got = world_request_header(x, "x-forwarded-for");

	if (value)
		ck_assert_pstr_eq(got, value);
	else
		ck_assert_ptr_null(got);
}

static const struct {
	const char *conf, *peer, *fields;
	const char *client, *forwarded; /* NULL: none */
	bool is_edge;
} clients[] = {
	{ "use_remote_address: true", "192.0.2.7", "", "192.0.2.7", "192.0.2.7",
	    true },
	{ "use_remote_address: true", "2001:DB8::7", "", "2001:DB8::7",
	    "2001:DB8::7", true },
	{ "use_remote_address: true", NULL, "x-forwarded-for: 192.0.2.1\n",
	    NULL, "192.0.2.1", true },
	{ "use_remote_address: true", "", "", "", NULL, true },
	{ "use_remote_address: true", "unix:/run/x", "", "unix:/run/x", NULL,
	    true },
	{ "use_remote_address: true", "127.0.0.2", "", "127.0.0.2", "127.0.0.2",
	    true },
	{ "", NULL, "x-forwarded-for: 192.0.2.1\n", "192.0.2.1", "192.0.2.1",
	    false },
	{ "", "192.0.2.7", "x-forwarded-for: a\nx-forwarded-for: 192.0.2.1\n",
	    "192.0.2.1", "a,192.0.2.1", false },
	{ xff, "192.0.2.7", "x-forwarded-for: 10.0.0.1, 192.0.2.1\n",
	    "10.0.0.1", "10.0.0.1, 192.0.2.1", false },
	{ xff, "192.0.3.7", "x-forwarded-for: 10.0.0.1\n", "192.0.3.7",
	    "10.0.0.1,192.0.3.7", false },
	{ xff, NULL, "x-forwarded-for: 10.0.0.1\n", NULL, "10.0.0.1", false },
	{ xff, "192.0.2.7", "x-forwarded-for: , ,\n", "192.0.2.7", ", ,",
	    false },
	{ custom, "192.0.2.7", "x-real-ip: 10.0.0.1\n", "10.0.0.1", NULL,
	    false },
};

START_TEST(the_client_is_who_can_be_trusted_to_be)
{
	struct exchange *x =
	    request(clients[_i].conf, clients[_i].peer, clients[_i].fields);

	ck_assert_msg(str_eq(x->client_address, str_of(clients[_i].client)),
	    STR_FMT, STR_ARG(x->client_address));
	check_forwarded(x, clients[_i].forwarded);
	ck_assert_int_eq(x->is_edge, clients[_i].is_edge);
	end(x);
}
END_TEST

START_TEST(a_client_on_this_machine_has_the_machine_s_address)
{
	struct exchange *x =
	    request("use_remote_address: true", "127.0.0.1", "");
	struct address machine = address_of_machine();

	check_forwarded(
	    x, arena_cstr(x->arena, address_text(x->arena, &machine)));
	ck_assert(str_eq(x->client_address, STR("127.0.0.1")));
	end(x);
}
END_TEST

START_TEST(a_port_is_known_of_the_peer_only)
{
	struct exchange *x = request("", "192.0.2.7", "");

	ck_assert(str_eq(x->client_port, STR("40000")));
	end(x);
	x = request("", "192.0.2.7", "x-forwarded-for: 10.0.0.1\n");
	ck_assert(str_eq(x->client_port, STR("0")));
	end(x);
}
END_TEST

START_TEST(a_status_that_is_no_error_refuses_with_403)
{
	struct exchange *x = request(custom, "192.0.2.7", "");

	ck_assert_str_eq(world_response_header(x, ":status"), "403");
	ck_assert(
	    str_eq(x->details, STR("rejecting_because_detection_failed")));
	end(x);
}
END_TEST

#define DETECTION(type)                                                        \
	"original_ip_detection_extensions: [{name: x, typed_config: "          \
	"{\"@type\": type.googleapis.com/envoy.extensions." type "}}]"
#define XFF DETECTION("http.original_ip_detection.xff.v3.XffConfig")

static const char *const refused[] = {
	("use_remote_address: true\n" XFF),
	("xff_num_trusted_hops: 1\n" XFF),
	DETECTION("filters.http.router.v3.Router"),
	"internal_address_config: {cidr_ranges: [{address_prefix: ten}]}",
	"request_id_extension: {typed_config: {\"@type\": type.googleapis."
	"com/envoy.extensions.filters.http.router.v3.Router}}",
	"scheme_header_transformation: {scheme_to_overwrite: ftp}",
	"set_current_client_cert_details: {chain: true}",
};

START_TEST(what_makes_no_sense_is_refused)
{
	char hcm[1024];
	struct world *w;

	(void)snprintf(hcm, sizeof(hcm),
	    "%s\nroute_config: {virtual_hosts: []}\n", refused[_i]);
	w = world_new(hcm);
	ck_assert_ptr_null(w->gateway);
	world_free(w);
}
END_TEST

Suite *suite_chain_trust(void);

Suite *
suite_chain_trust(void)
{
	Suite *s = suite_create("chain/trust");
	TCase *t = tcase_create("clients");

	tcase_add_loop_test(t, the_client_is_who_can_be_trusted_to_be, 0,
	    sizeof(clients) / sizeof(clients[0]));
	tcase_add_test(t, a_client_on_this_machine_has_the_machine_s_address);
	tcase_add_test(t, a_port_is_known_of_the_peer_only);
	tcase_add_test(t, a_status_that_is_no_error_refuses_with_403);
	tcase_add_loop_test(t, what_makes_no_sense_is_refused, 0,
	    sizeof(refused) / sizeof(refused[0]));
	suite_add_tcase(s, t);
	return s;
}
