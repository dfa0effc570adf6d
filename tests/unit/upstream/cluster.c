#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/upstream/authority.h"
#include "upstream/cluster.h"

static struct arena *arena;
static struct diag *diag;

static struct authority authority;

static void
begin(void)
{
	arena = arena_new(4096);
	authority_make(&authority);
}

static void
finish(void)
{
	authority_free(&authority);
	arena_free(arena);
}

/* All errors, one a line. */
static const char *
told(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const char *copy;

	ck_assert_ptr_nonnull(out);
	diag_print(diag, out);
	ck_assert_int_eq(fclose(out), 0);
	copy = arena_cstr(arena, (struct str){ text, len });
	free(text);
	return copy;
}

/* One endpoint of a cluster under test. */
static struct conf_lb_endpoint
endpoint_at(const char *address, unsigned port)
{
	struct conf_endpoint *endpoint = ARENA_NEW(arena, struct conf_endpoint);
	struct conf_address *at = ARENA_NEW(arena, struct conf_address);

	endpoint->address = at;
	if (*address == '/') {
		at->pipe = ARENA_NEW(arena, struct conf_pipe);
		at->pipe->path = str_of(address);
	} else {
		at->socket_address =
		    ARENA_NEW(arena, struct conf_socket_address);
		at->socket_address->address = str_of(address);
		at->socket_address->port_value = port;
	}
	return (struct conf_lb_endpoint){ .endpoint = endpoint };
}

static struct conf_cluster
cluster_at(const char *address, unsigned port)
{
	struct conf_load_assignment *all =
	    ARENA_NEW(arena, struct conf_load_assignment);
	struct conf_locality_endpoints *group =
	    ARENA_NEW(arena, struct conf_locality_endpoints);
	struct conf_lb_endpoint *endpoint =
	    ARENA_NEW(arena, struct conf_lb_endpoint);

	*endpoint = endpoint_at(address, port);
	group->lb_endpoints.items = endpoint;
	group->lb_endpoints.n = 1;
	all->endpoints.items = group;
	all->endpoints.n = 1;
	return (struct conf_cluster){ .load_assignment = all,
		.connect_timeout = 5 * NS_PER_S };
}

static struct conf_transport_socket *
tls_socket(const char *sni, struct conf_data_source *ca)
{
	struct conf_transport_socket *socket =
	    ARENA_NEW(arena, struct conf_transport_socket);
	struct conf_common_tls *common =
	    ARENA_NEW(arena, struct conf_common_tls);

	socket->tls = ARENA_NEW(arena, struct conf_upstream_tls);
	socket->tls->sni = str_of(sni);
	socket->tls->common_tls_context = common;
	common->validation_context =
	    ARENA_NEW(arena, struct conf_validation_context);
	common->validation_context->trusted_ca = ca;
	return socket;
}

static struct conf_data_source *
inline_text(const char *text)
{
	struct conf_data_source *source =
	    ARENA_NEW(arena, struct conf_data_source);

	source->inline_string = str_of(text);
	return source;
}

static struct clusters *
build(struct conf_cluster *confs, size_t n)
{
	struct conf_static_resources *all =
	    ARENA_NEW(arena, struct conf_static_resources);
	struct conf_bootstrap *bootstrap =
	    ARENA_NEW(arena, struct conf_bootstrap);
	struct gateway *gateway = ARENA_NEW(arena, struct gateway);

	all->clusters.items = confs;
	all->clusters.n = n;
	bootstrap->static_resources = all;
	gateway->bootstrap = bootstrap;
	return clusters_build(arena, gateway, (diag = diag_new(arena)));
}

static const struct cluster_host *
only_host(struct conf_cluster *conf)
{
	struct clusters *clusters = build(conf, 1);

	ck_assert_str_eq(told(), "");
	ck_assert_uint_eq(clusters->n_hosts, 1);
	return &clusters->items[0].hosts[0];
}

static bool
same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static const struct {
	const char *address;
	unsigned port;
	bool tls;
	const char *sni;
	const char *url, *connect_to, *unix_path;
	const char *logged;
} places[] = {
	{ "10.0.0.1", 80, false, NULL, "http://10.0.0.1:80/", NULL, NULL,
	    "10.0.0.1:80" },
	{ "::1", 8080, false, NULL, "http://[::1]:8080/", NULL, NULL,
	    "[::1]:8080" },
	{ "api.test", 80, false, NULL, "http://api.test:80/", NULL, NULL,
	    NULL },
	{ "/run/api.sock", 0, false, NULL, "http://localhost/", NULL,
	    "/run/api.sock", "/run/api.sock" },
	{ "10.0.0.1", 443, true, NULL, "https://10.0.0.1:443/", NULL, NULL,
	    "10.0.0.1:443" },
	{ "10.0.0.1", 443, true, "api.test", "https://api.test:443/",
	    "::10.0.0.1:443", NULL, "10.0.0.1:443" },
	{ "::1", 443, true, "api.test", "https://api.test:443/", "::[::1]:443",
	    NULL, "[::1]:443" },
	{ "api.test", 443, true, "api.test", "https://api.test:443/", NULL,
	    NULL, NULL },
	{ "a.test", 443, true, "b.test", "https://b.test:443/", "::a.test:443",
	    NULL, NULL },
	{ "/run/api.sock", 0, true, "api.test", "https://api.test/", NULL,
	    "/run/api.sock", "/run/api.sock" },
};

START_TEST(an_endpoint_becomes_an_origin)
{
	struct conf_cluster conf =
	    cluster_at(places[_i].address, places[_i].port);
	const struct cluster_host *host;

	if (places[_i].tls)
		conf.transport_socket = tls_socket(places[_i].sni, NULL);
	host = only_host(&conf);
	ck_assert_str_eq(host->origin.url, places[_i].url);
	ck_assert(same(host->origin.connect_to, places[_i].connect_to));
	ck_assert(same(host->origin.unix_path, places[_i].unix_path));
	ck_assert(str_eq(host->address, str_of(places[_i].logged)));
	ck_assert_int_eq(host->origin.connect_timeout_ms, 5000);
	ck_assert(!host->origin.verify);
	ck_assert_uint_eq(host->weight, 1);
}
END_TEST

static const struct {
	const char *address, *sni;
	bool name;
} trusts[] = {
	{ "10.0.0.1", NULL, false },
	{ "10.0.0.1", "api.test", true },
	{ "api.test", NULL, true },
	{ "/run/api.sock", NULL, false },
	{ "/run/api.sock", "api.test", true },
};

START_TEST(with_an_authority_chain_and_name_are_verified)
{
	struct conf_cluster conf = cluster_at(trusts[_i].address, 443);
	const struct cluster_host *host;

	conf.transport_socket =
	    tls_socket(trusts[_i].sni, inline_text(authority.pem));
	host = only_host(&conf);
	ck_assert(host->origin.verify);
	ck_assert_int_eq(host->origin.verify_name, trusts[_i].name);
	ck_assert(str_eq(host->origin.ca_pem, str_of(authority.pem)));
}
END_TEST

START_TEST(an_authority_in_a_file_stays_there)
{
	struct conf_cluster conf = cluster_at("10.0.0.1", 443);
	struct conf_data_source source = { .filename = STR_NONE };
	char path[] = "/tmp/sallyport-test-XXXXXX";
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(write(fd, authority.pem, strlen(authority.pem)), 0);
	source.filename = str_of(path);
	conf.transport_socket = tls_socket(NULL, &source);
	ck_assert_str_eq(only_host(&conf)->origin.ca_file, path);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

static const struct {
	const char *address;
	unsigned port, priority;
	int policy;
	const char *sni, *ca;
	const char *error;
} mistakes[] = {
	{ "10.0.0.1", 80, 1, 0, NULL, NULL,
	    ".load_assignment.endpoints[0]: only priority 0" },
	{ "10.0.0.1", 80, 0, CONF_LB_CONFIG, NULL, NULL,
	    ".lb_policy: cluster: field load_balancing_policy" },
	{ "a b", 80, 0, 0, NULL, NULL,
	    ".lb_endpoints[0].endpoint.address: \"a b\" is neither" },
	{ "a/b", 80, 0, 0, NULL, NULL, "is neither" },
	{ "user@host", 80, 0, 0, NULL, NULL, "is neither" },
	{ "10.0.0.1", 0, 0, 0, NULL, NULL, "between 1 and 65535" },
	{ "10.0.0.1", 80, 0, 0, "a/b", NULL, "is not a host name" },
	{ "10.0.0.1", 80, 0, 0, "api.test", "nonsense",
	    ".validation_context.trusted_ca: no certificate" },
};

START_TEST(a_mistake_is_reported_with_its_place)
{
	struct conf_cluster conf =
	    cluster_at(mistakes[_i].address, mistakes[_i].port);

	conf.lb_policy = mistakes[_i].policy;
	conf.load_assignment->endpoints.items[0].priority =
	    mistakes[_i].priority;
	if (mistakes[_i].sni)
		conf.transport_socket = tls_socket(mistakes[_i].sni,
		    mistakes[_i].ca ? inline_text(mistakes[_i].ca) : NULL);
	(void)build(&conf, 1);
	ck_assert_ptr_nonnull(strstr(told(), "static_resources.clusters[0]"));
	ck_assert_ptr_nonnull(strstr(told(), mistakes[_i].error));
}
END_TEST

START_TEST(clusters_are_found_and_their_hosts_told_apart)
{
	struct conf_cluster confs[3] = { cluster_at("10.0.0.1", 80),
		{ .connect_timeout = NS_PER_S }, cluster_at("10.0.0.2", 80) };
	struct clusters *clusters = build(confs, 3);

	ck_assert_uint_eq(clusters->n_hosts, 2);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_ptr_eq(
		    clusters_find(clusters, &confs[i]), &clusters->items[i]);
		ck_assert_uint_eq(clusters->items[i].index, i);
	}
	ck_assert_uint_eq(clusters->items[1].n, 0);
	ck_assert_uint_eq(clusters->items[2].first, 1);
}
END_TEST

START_TEST(all_localities_count)
{
	struct conf_cluster conf = cluster_at("10.0.0.1", 80);
	struct conf_lb_endpoint endpoints[2] = { endpoint_at("10.0.0.2", 80),
		endpoint_at("10.0.0.3", 80) };
	struct conf_locality_endpoints groups[2];
	struct clusters *clusters;

	endpoints[1].load_balancing_weight = 3;
	groups[0] = conf.load_assignment->endpoints.items[0];
	groups[1] = (struct conf_locality_endpoints){
		.lb_endpoints = { .items = endpoints, .n = 2 }
	};
	conf.load_assignment->endpoints.items = groups;
	conf.load_assignment->endpoints.n = 2;
	clusters = build(&conf, 1);
	ck_assert_uint_eq(clusters->items[0].n, 3);
	ck_assert(clusters->items[0].is_weighted);
	ck_assert_uint_eq(clusters->items[0].hosts[2].weight, 3);
	ck_assert(
	    str_eq(clusters->items[0].hosts[2].address, STR("10.0.0.3:80")));
}
END_TEST

#define TABLE_TEST(t, table, fn)                                               \
	tcase_add_loop_test(t, fn, 0, (int)(sizeof(table) / sizeof((table)[0])))

Suite *suite_upstream_cluster(void);

Suite *
suite_upstream_cluster(void)
{
	Suite *s = suite_create("upstream/cluster");
	TCase *t = tcase_create("building");

	tcase_add_checked_fixture(t, begin, finish);
	TABLE_TEST(t, places, an_endpoint_becomes_an_origin);
	TABLE_TEST(t, trusts, with_an_authority_chain_and_name_are_verified);
	TABLE_TEST(t, mistakes, a_mistake_is_reported_with_its_place);
	tcase_add_test(t, an_authority_in_a_file_stays_there);
	tcase_add_test(t, clusters_are_found_and_their_hosts_told_apart);
	tcase_add_test(t, all_localities_count);
	suite_add_tcase(s, t);
	return s;
}
