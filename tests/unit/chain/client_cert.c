#include "config.h"

#include <check.h>
#include <stdio.h>

#include "tests/unit/chain/world.h"
#include "tests/unit/http/certificates.h"

#define NAME "x-forwarded-client-cert"

static struct world *world;
static struct exchange *x;

/* A request with a header of its own, by TLS with the client's certificate. */
static void
request(const char *conf, enum exchange_certificate verdict, const char *pem)
{
	char hcm[512];

	(void)snprintf(
	    hcm, sizeof(hcm), "%s\nroute_config: {virtual_hosts: []}\n", conf);
	world = world_new(hcm);
	x = world_exchange(world, "GET", "/", NAME ": By=old;Hash=1\n");
	x->peer.certificate = verdict;
	x->peer.client_cert = str_of(pem);
	x->peer.server_cert = STR(SERVER_PEM);
	exchange_start(x);
}

static void
check(const char *expected)
{
	const char *got = world_request_header(x, NAME);

	if (expected)
		ck_assert_pstr_eq(got, expected);
	else
		ck_assert_ptr_null(got);
	exchange_end(x);
	world_free(world);
}

START_TEST(without_an_option_it_is_taken_away)
{
	request("", EXCHANGE_GOOD_CERTIFICATE, CLIENT_PEM);
	check(NULL);
}
END_TEST

START_TEST(it_is_kept_of_those_who_have_a_certificate)
{
	const char *conf = "forward_client_cert_details: FORWARD_ONLY";

	request(conf, EXCHANGE_GOOD_CERTIFICATE, CLIENT_PEM);
	check("By=old;Hash=1");
	request(conf, EXCHANGE_BAD_CERTIFICATE, CLIENT_PEM);
	check(NULL);
	request(conf, EXCHANGE_NO_CERTIFICATE, NULL);
	check(NULL);
	request(conf, EXCHANGE_GOOD_CERTIFICATE, NULL);
	check("By=old;Hash=1");
}
END_TEST

START_TEST(it_is_kept_of_everybody)
{
	request("forward_client_cert_details: ALWAYS_FORWARD_ONLY",
	    EXCHANGE_NO_CERTIFICATE, NULL);
	check("By=old;Hash=1");
}
END_TEST

START_TEST(it_says_who_the_client_is)
{
	request("forward_client_cert_details: SANITIZE_SET",
	    EXCHANGE_GOOD_CERTIFICATE, CLIENT_PEM);
	check("By=spiffe://shop/gate;Hash=" CLIENT_HASH);
	request("forward_client_cert_details: SANITIZE_SET",
	    EXCHANGE_BAD_CERTIFICATE, CLIENT_PEM);
	check(NULL);
	request("forward_client_cert_details: APPEND_FORWARD",
	    EXCHANGE_GOOD_CERTIFICATE, "not handed over");
	check(NULL);
}
END_TEST

START_TEST(it_says_what_is_asked_for_as_envoy_does)
{
	request("forward_client_cert_details: APPEND_FORWARD\n"
		"set_current_client_cert_details: {subject: true, cert: true, "
		"dns: true, uri: true}",
	    EXCHANGE_GOOD_CERTIFICATE, CLIENT_PEM);
	check("By=old;Hash=1,By=spiffe://shop/gate;Hash=" CLIENT_HASH
	      ";Cert=\"" CLIENT_ESCAPED "\";Subject=\"" CLIENT_SUBJECT "\""
	      ";URI=spiffe://shop/client;URI=http://x/?a=b"
	      ";DNS=client.test;DNS=*.client.test");
}
END_TEST

START_TEST(a_uri_that_is_missing_is_empty)
{
	request("forward_client_cert_details: SANITIZE_SET\n"
		"set_current_client_cert_details: {dns: true}",
	    EXCHANGE_GOOD_CERTIFICATE, SERVER_PEM);
	ck_assert_ptr_nonnull(
	    strstr(world_request_header(x, NAME), ";DNS=gate.test"));
	ck_assert_ptr_null(strstr(world_request_header(x, NAME), "URI="));
	exchange_end(x);
	world_free(world);
}
END_TEST

Suite *suite_chain_client_cert(void);

Suite *
suite_chain_client_cert(void)
{
	Suite *s = suite_create("chain/client_cert");
	TCase *t = tcase_create("header");

	tcase_add_test(t, without_an_option_it_is_taken_away);
	tcase_add_test(t, it_is_kept_of_those_who_have_a_certificate);
	tcase_add_test(t, it_is_kept_of_everybody);
	tcase_add_test(t, it_says_who_the_client_is);
	tcase_add_test(t, it_says_what_is_asked_for_as_envoy_does);
	tcase_add_test(t, a_uri_that_is_missing_is_empty);
	suite_add_tcase(s, t);
	return s;
}
