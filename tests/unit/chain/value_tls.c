#include "config.h"

#include "tests/unit/chain/rendered.h"

static const char hcm[] = "use_remote_address: true\n"
			  "route_config: {virtual_hosts: []}\n";

/* A certificate with a name of every kind. */
static const char pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIICTjCCAfSgAwIBAgIGChssPU5fMAoGCCqGSM49BAMCMCwxCzAJBgNVBAYTAkRF\n"
    "MRAwDgYDVQQKDAdUZXN0IENBMQswCQYDVQQDDAJjYTAeFw0yNjExMjYwMzQ0MTVa\n"
    "Fw0zNjExMjMwMzQ0MTVaMFAxCzAJBgNVBAYTAkRFMRYwFAYDVQQKDA1FeGFtcGxl\n"
    "LCBJbmMuMRUwEwYDVQQLDAxTYWxlcyArIE1vcmUxEjAQBgNVBAMMCWNsaWVudCDD\n"
    "qTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLNAEkkR2qFZgtgt120e2ahIReV4\n"
    "Q4gJIEBINFWpY2kYMt4WZrRZsjC2C4TxoJ7E5A2VP2EkqiwMvAlbydMhKxujgd0w\n"
    "gdowgZcGA1UdEQSBjzCBjIYVc3BpZmZlOi8vZXhhbXBsZS9ucy9hhhNodHRwczov\n"
    "L2IuZXhhbXBsZS94ggtvbmUuZXhhbXBsZYILdHdvLmV4YW1wbGWHBAoBAgOHECAB\n"
    "DbgAAAAAAAAAAAAAAAGBD3dob0BleGFtcGxlLm9yZ6AbBgorBgEEAYI3FAIDoA0M\n"
    "C3VwbkBleGFtcGxlMB0GA1UdDgQWBBSDiDIkyXS9/VwrCjL93l5KWrqoyTAfBgNV\n"
    "HSMEGDAWgBTrGV8pSamYQ9XPtQXf/+BGTDHBFDAKBggqhkjOPQQDAgNIADBFAiAf\n"
    "MLdCZOL4OIBHESldPctGh9sDuXB94sFAFfzlaVg5AQIhAIOr/tJ0+0EOUY4q/q9t\n"
    "vyEN6oTnvC9vyWYp6uYpaAog\n"
    "-----END CERTIFICATE-----\n";

/* What Envoy 1.40 writes for it. */
static const struct rendering rows[] = {
	{ "%DOWNSTREAM_PEER_SUBJECT%",
	    "CN=client \\C3\\A9,OU=Sales \\+ More,O=Example\\, Inc.,C=DE" },
	{ "%DOWNSTREAM_PEER_ISSUER%", "CN=ca,O=Test CA,C=DE" },
	{ "%DOWNSTREAM_PEER_SERIAL%", "0a1b2c3d4e5f" },
	{ "%DOWNSTREAM_PEER_FINGERPRINT_256%",
	    "afc563efcd80c70afc579dee6814a7f389380bc1a5ad079244bb3adcb44882"
	    "09" },
	{ "%DOWNSTREAM_PEER_FINGERPRINT_1%",
	    "7c0fd970afb2cff40623877c001a6ac3e20affaa" },
	{ "%DOWNSTREAM_PEER_URI_SAN%",
	    "spiffe://example/ns/a,https://b.example/x" },
	{ "%DOWNSTREAM_PEER_DNS_SAN%", "one.example,two.example" },
	{ "%DOWNSTREAM_PEER_IP_SAN%", "10.1.2.3,2001:db8::1" },
	{ "%DOWNSTREAM_PEER_EMAIL_SAN%", "who@example.org" },
	{ "%DOWNSTREAM_PEER_OTHERNAME_SAN%", "upn@example" },
	{ "%DOWNSTREAM_PEER_CERT_V_START%", "2026-11-26T03:44:15.000Z" },
	{ "%DOWNSTREAM_PEER_CERT_V_END%", "2036-11-23T03:44:15.000Z" },
	{ "%DOWNSTREAM_PEER_CERT%",
	    "-----BEGIN%20CERTIFICATE-----%0AMIICTjCCAfSgAwIBAgIGChssPU5fMA"
	    "oGCCqGSM49BAMCMCwxCzAJBgNVBAYTAkRF%0AMRAwDgYDVQQKDAdUZXN0IENBM"
	    "QswCQYDVQQDDAJjYTAeFw0yNjExMjYwMzQ0MTVa%0AFw0zNjExMjMwMzQ0MTVa"
	    "MFAxCzAJBgNVBAYTAkRFMRYwFAYDVQQKDA1FeGFtcGxl%0ALCBJbmMuMRUwEwY"
	    "DVQQLDAxTYWxlcyArIE1vcmUxEjAQBgNVBAMMCWNsaWVudCDD%0AqTBZMBMGBy"
	    "qGSM49AgEGCCqGSM49AwEHA0IABLNAEkkR2qFZgtgt120e2ahIReV4%0AQ4gJI"
	    "EBINFWpY2kYMt4WZrRZsjC2C4TxoJ7E5A2VP2EkqiwMvAlbydMhKxujgd0w%0A"
	    "gdowgZcGA1UdEQSBjzCBjIYVc3BpZmZlOi8vZXhhbXBsZS9ucy9hhhNodHRwcz"
	    "ov%0AL2IuZXhhbXBsZS94ggtvbmUuZXhhbXBsZYILdHdvLmV4YW1wbGWHBAoBA"
	    "gOHECAB%0ADbgAAAAAAAAAAAAAAAGBD3dob0BleGFtcGxlLm9yZ6AbBgorBgEE"
	    "AYI3FAIDoA0M%0AC3VwbkBleGFtcGxlMB0GA1UdDgQWBBSDiDIkyXS9%2FVwrC"
	    "jL93l5KWrqoyTAfBgNV%0AHSMEGDAWgBTrGV8pSamYQ9XPtQXf%2F%2BBGTDHB"
	    "FDAKBggqhkjOPQQDAgNIADBFAiAf%0AMLdCZOL4OIBHESldPctGh9sDuXB94sF"
	    "AFfzlaVg5AQIhAIOr%2FtJ0%2B0EOUY4q%2Fq9t%0AvyEN6oTnvC9vyWYp6uYp"
	    "aAog%0A-----END%20CERTIFICATE-----%0A" },
	{ "%DOWNSTREAM_PEER_CERT_V_START(%Y)%", "2026" },
	{ "%DOWNSTREAM_PEER_CERT_V_END(%s)%", "2111024655" },
	{ "%DOWNSTREAM_LOCAL_SUBJECT% %DOWNSTREAM_LOCAL_URI_SAN%", "- -" },
	{ "%DOWNSTREAM_PEER_ISSUER_SERIAL%", "-" },
	{ "%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER%",
	    "TLSv1.3 TLS_AES_256_GCM_SHA384" },
	{ "%DOWNSTREAM_TLS_SESSION_ID%", "ab12" },
	{ "%REQUESTED_SERVER_NAME%", "sni.example" },
	{ "%REQUESTED_SERVER_NAME(SNI_FIRST)%", "sni.example" },
	{ "%REQUESTED_SERVER_NAME(HOST_FIRST)%", "gate.example" },
	{ "%REQUESTED_SERVER_NAME(HOST_FIRST:ORIG)%", "sni.example" },
};

static struct exchange *
tls_exchange(struct world *w)
{
	struct exchange *x = world_exchange(w, "GET", "/", "");

	x->peer.client_cert = str_of(pem);
	x->peer.certs = ARENA_NEW(w->arena, struct exchange_certs);
	x->peer.tls_version = STR("TLSv1.3");
	x->peer.tls_cipher = STR("TLS_AES_256_GCM_SHA384");
	x->peer.tls_session = STR("AB12");
	x->peer.tls_name = STR("sni.example");
	x->upload_end = true;
	exchange_start(x);
	return x;
}

START_TEST(a_certificate_is_told_as_by_envoy)
{
	struct world *w = world_new(hcm);
	struct exchange *x = tls_exchange(w);

	check_rendering(w, x, &rows[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct rendering plain[] = {
	{ "%DOWNSTREAM_TLS_VERSION%", "-" },
	{ "%DOWNSTREAM_PEER_SUBJECT%", "-" },
	{ "%DOWNSTREAM_PEER_CERT_V_START%", "-" },
	{ "%REQUESTED_SERVER_NAME%", "-" },
	{ "%REQUESTED_SERVER_NAME(SNI_FIRST)%", "gate.example" },
};

START_TEST(without_tls_there_is_nothing)
{
	struct world *w = world_new(hcm);
	struct exchange *x = world_request(w, "GET", "/", "");

	check_rendering(w, x, &plain[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct rendering refused[] = {
	{ "%REQUESTED_SERVER_NAME(X)%",
	    "Invalid REQUESTED_SERVER_NAME option: 'X', only "
	    "'SNI_ONLY'/'SNI_FIRST'/'HOST_FIRST' are allowed" },
	{ "%REQUESTED_SERVER_NAME(SNI_ONLY:x)%",
	    "Invalid REQUESTED_SERVER_NAME option: 'x', only "
	    "'ORIG_OR_HOST'/'HOST'/'ORIG' are allowed" },
	{ "%DOWNSTREAM_PEER_CERT_V_START(%n)%", "contains newline" },
};

START_TEST(wrong_options_are_refused)
{
	struct world *w = world_new(hcm);

	check_refusal(w, &refused[_i]);
	world_free(w);
}
END_TEST

#define LOOP(test, rows)                                                       \
	tcase_add_loop_test(t, test, 0, sizeof(rows) / sizeof((rows)[0]))

Suite *suite_chain_value_tls(void);

Suite *
suite_chain_value_tls(void)
{
	Suite *s = suite_create("chain/value_tls");
	TCase *t = tcase_create("operators");

	LOOP(a_certificate_is_told_as_by_envoy, rows);
	LOOP(without_tls_there_is_nothing, plain);
	LOOP(wrong_options_are_refused, refused);
	suite_add_tcase(s, t);
	return s;
}
