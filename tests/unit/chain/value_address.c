#include "config.h"

#include "tests/unit/chain/rendered.h"

static const char hcm[] = "use_remote_address: true\n"
			  "route_config: {virtual_hosts: []}\n";

static const struct rendering rows[] = {
	{ "%DOWNSTREAM_REMOTE_ADDRESS%", "192.0.2.7:40000" },
	{ "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "192.0.2.7" },
	{ "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)%", "192.0.2.0/24" },
	{ "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(30)%", "192.0.2.4/30" },
	{ "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(33)%", "192.0.2.7/32" },
	{ "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(x)%", "192.0.2.7" },
	{ "%DOWNSTREAM_REMOTE_PORT%", "40000" },
	{ "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", "192.0.2.7:40000" },
	{ "%DOWNSTREAM_DIRECT_REMOTE_PORT%", "40000" },
	{ "%DOWNSTREAM_LOCAL_ADDRESS%", "198.51.100.1:80" },
	{ "%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", "198.51.100.1" },
	{ "%DOWNSTREAM_LOCAL_PORT%", "80" },
};

START_TEST(addresses_are_told)
{
	struct world *w = world_new(hcm);
	struct exchange *x = world_request(w, "GET", "/", "");

	check_rendering(w, x, &rows[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(addresses_of_version_6_are_in_brackets)
{
	struct world *w = world_new(hcm);
	struct exchange *x = world_exchange(w, "GET", "/", "");

	x->peer.address = STR("2001:db8::1:2");
	x->upload_end = true;
	exchange_start(x);
	check_rendering(w, x,
	    &(struct rendering){ "%DOWNSTREAM_REMOTE_ADDRESS% "
				 "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% "
				 "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(64)%",
		"[2001:db8::1:2]:40000 2001:db8::1:2 2001:db8::/64" });
	exchange_end(x);
	world_free(w);
}
END_TEST

Suite *suite_chain_value_address(void);

Suite *
suite_chain_value_address(void)
{
	Suite *s = suite_create("chain/value_address");
	TCase *t = tcase_create("operators");

	tcase_add_loop_test(
	    t, addresses_are_told, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, addresses_of_version_6_are_in_brackets);
	suite_add_tcase(s, t);
	return s;
}
