#include "config.h"

#include "tests/unit/chain/rendered.h"

static const char hcm[] =
    "use_remote_address: true\n"
    "route_config:\n"
    "  virtual_hosts:\n"
    "  - {name: v, domains: ['*'], routes: [{name: up, match: {prefix: /},\n"
    "     route: {cluster: backend}}]}\n";

static const struct rendering before[] = {
	{ "%ROUTE_NAME% %UPSTREAM_CLUSTER% %UPSTREAM_CLUSTER_RAW%",
	    "up backend backend" },
	{ "%UPSTREAM_HOST% %UPSTREAM_HOST_NAME%", "- -" },
	{ "%UPSTREAM_PROTOCOL% %UPSTREAM_TLS_VERSION%", "- -" },
	{ "%UPSTREAM_REMOTE_ADDRESS% %UPSTREAM_LOCAL_ADDRESS%", "- -" },
	{ "%UPSTREAM_DETECTED_CLOSE_TYPE%", "-" },
	{ "%UPSTREAM_HOSTS_ATTEMPTED%", "-" },
	{ "%UPSTREAM_WIRE_BYTES_SENT%", "0" },
	{ "%UPSTREAM_PEER_SUBJECT%", "-" },
};

START_TEST(without_a_host_there_is_a_cluster)
{
	struct world *w = world_new(hcm);
	struct exchange *x = world_request(w, "GET", "/", "");

	check_rendering(w, x, &before[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct rendering after[] = {
	{ "%UPSTREAM_HOST%", "10.0.0.1:80" },
	{ "%UPSTREAM_HOST_NAME% %UPSTREAM_HOST_NAME_WITHOUT_PORT%",
	    "backend.test:81 backend.test" },
	{ "%UPSTREAM_REMOTE_ADDRESS% "
	  "%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %UPSTREAM_REMOTE_PORT%",
	    "10.0.0.1:80 10.0.0.1 80" },
	{ "%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(8)%", "10.0.0.0/8" },
	{ "%UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_LOCAL_PORT%",
	    "10.0.0.2:4000 4000" },
	{ "%UPSTREAM_PROTOCOL% %UPSTREAM_TLS_VERSION% %UPSTREAM_TLS_CIPHER%",
	    "HTTP/2 TLSv1.3 TLS_AES_128_GCM_SHA256" },
	{ "%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "2" },
	{ "%UPSTREAM_HOSTS_ATTEMPTED%", "10.0.0.9:80,10.0.0.1:80" },
	{ "%UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT%", "10.0.0.9,10.0.0.1" },
	{ "%UPSTREAM_HOST_NAMES_ATTEMPTED%", "10.0.0.9:80,backend.test:81" },
	{ "%UPSTREAM_HEADER_BYTES_SENT% %UPSTREAM_WIRE_BYTES_SENT%", "1 2" },
	{ "%UPSTREAM_HEADER_BYTES_RECEIVED% %UPSTREAM_WIRE_BYTES_RECEIVED%",
	    "3 4" },
	{ "%UPSTREAM_DETECTED_CLOSE_TYPE%", "Normal" },
};

START_TEST(a_hosts_connection_is_told)
{
	struct world *w = world_new(hcm);
	struct exchange *x = world_request(w, "GET", "/", "");

	x->attempts = 2;
	x->upstream_host = STR("10.0.0.1:80");
	x->upstream =
	    (struct exchange_upstream){ .hostname = STR("backend.test:81"),
		    .remote_address = STR("10.0.0.1:80"),
		    .local_address = STR("10.0.0.2:4000"),
		    .protocol = STR("HTTP/2"),
		    .tls_version = STR("TLSv1.3"),
		    .tls_cipher = STR("TLS_AES_128_GCM_SHA256"),
		    .hosts_attempted = STR("10.0.0.9:80,10.0.0.1:80"),
		    .names_attempted = STR("10.0.0.9:80,backend.test:81"),
		    .header_bytes_sent = 1,
		    .wire_bytes_sent = 2,
		    .header_bytes_received = 3,
		    .wire_bytes_received = 4 };
	check_rendering(w, x, &after[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

#define LOOP(test, rows)                                                       \
	tcase_add_loop_test(t, test, 0, sizeof(rows) / sizeof((rows)[0]))

Suite *suite_chain_value_upstream(void);

Suite *
suite_chain_value_upstream(void)
{
	Suite *s = suite_create("chain/value_upstream");
	TCase *t = tcase_create("operators");

	LOOP(without_a_host_there_is_a_cluster, before);
	LOOP(a_hosts_connection_is_told, after);
	suite_add_tcase(s, t);
	return s;
}
