#include "config.h"

#include "chain/metadata.h"
#include "tests/unit/chain/rendered.h"

static const char hcm[] =
    "use_remote_address: true\n"
    "route_config:\n"
    "  virtual_hosts:\n"
    "  - name: v\n"
    "    domains: ['*']\n"
    "    metadata: {filter_metadata: {ns: {who: vhost}}}\n"
    "    routes:\n"
    "    - match: {prefix: /}\n"
    "      route: {cluster: backend}\n"
    "      metadata: {filter_metadata: {ns: {who: route, n: 100000, no: null,\n"
    "        deep: {b: [1, 'x'], a: true}}}}\n";

static struct exchange *
some_exchange(struct world *w)
{
	struct exchange *x = world_request(w, "GET", "/", "");

	metadata_set(x, STR("ns"), STR("text"), STR("a \"b\""), false);
	metadata_set(x, STR("ns"), STR("payload"),
	    STR("{\"sub\":\"alice\",\"n\":7,\"list\":[1,2]}"), true);
	return x;
}

static const struct rendering rows[] = {
	{ "%DYNAMIC_METADATA(ns:text)%", "a \"b\"" },
	{ "%DYNAMIC_METADATA(ns:payload:sub)%", "alice" },
	{ "%DYNAMIC_METADATA(ns:payload:sub):2%", "al" },
	{ "%DYNAMIC_METADATA(ns:payload:n)%", "7" },
	{ "%DYNAMIC_METADATA(ns:payload)%",
	    "{\"list\":[1,2],\"n\":7,\"sub\":\"alice\"}" },
	{ "%DYNAMIC_METADATA(ns:payload:none)%", "-" },
	{ "%DYNAMIC_METADATA(none)%", "-" },
	{ "%METADATA(DYNAMIC:ns:text)%", "a \"b\"" },
	{ "%METADATA(ROUTE:ns:who)%", "route" },
	{ "%METADATA(ROUTE:ns:who):2%", "ro" },
	{ "%METADATA(ROUTE:ns:n)%", "1e+05" },
	{ "%METADATA(ROUTE:ns:no)%", "-" },
	{ "%METADATA(ROUTE:ns:deep)%", "{\"a\":true,\"b\":[1,\"x\"]}" },
	{ "%METADATA(ROUTE:ns:who:more)%", "-" },
	{ "%METADATA(VIRTUAL_HOST:ns:who)%", "vhost" },
	{ "%METADATA(LISTENER:ns:who)%", "-" },
	{ "%METADATA(CLUSTER:ns:who)%%CLUSTER_METADATA(ns:who)%", "--" },
	{ "%UPSTREAM_METADATA(ns:who)%", "-" },
	{ "%FILTER_STATE(a)%%FILTER_STATE(a:PLAIN)%", "--" },
	{ "%FILTER_STATE(a:FIELD:b)%", "-" },
};

START_TEST(metadata_is_text_or_json)
{
	struct world *w = world_new(hcm);
	struct exchange *x = some_exchange(w);

	check_rendering(w, x, &rows[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct rendering refused[] = {
	{ "%DYNAMIC_METADATA%", "DYNAMIC_METADATA requires parameters" },
	{ "%CLUSTER_METADATA(a):3%",
	    "CLUSTER_METADATA does not allow length to be specified." },
	{ "%PER_REQUEST_STATE(a)%",
	    "Not supported field in StreamInfo: PER_REQUEST_STATE" },
	{ "%METADATA(NONE:a)%", "NONE is not supported type of metadata" },
	{ "%FILTER_STATE%", "Invalid filter state configuration, key cannot "
			    "be empty." },
	{ "%FILTER_STATE(a:X)%", "Invalid filter state serialize type, only "
				 "support PLAIN/TYPED/FIELD." },
	{ "%FILTER_STATE(a:FIELD)%", "FIELD should be used with the field "
				     "name." },
};

START_TEST(wrong_paths_are_refused)
{
	struct world *w = world_new(hcm);

	check_refusal(w, &refused[_i]);
	world_free(w);
}
END_TEST

#define LOOP(test, rows)                                                       \
	tcase_add_loop_test(t, test, 0, sizeof(rows) / sizeof((rows)[0]))

Suite *suite_chain_value_metadata(void);

Suite *
suite_chain_value_metadata(void)
{
	Suite *s = suite_create("chain/value_metadata");
	TCase *t = tcase_create("operators");

	LOOP(metadata_is_text_or_json, rows);
	LOOP(wrong_paths_are_refused, refused);
	suite_add_tcase(s, t);
	return s;
}
