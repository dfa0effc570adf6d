/* Clusters from their configuration. */
#include "config.h"

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "config/bootstrap.h"
#include "upstream/cluster.h"

enum { CA_MAX_BYTES = 4 << 20 };

/* What the making of one cluster needs throughout. */
struct build {
	struct arena *arena;
	struct diag *diag;
	const struct conf_cluster *conf;
	const char *path; /* "static_resources.clusters[0]" */
	struct client_origin common; /* what all its hosts share */
	const char *scheme;
	struct str sni;
};

static struct place
place_of(const struct node *node)
{
	return node ? node->place : (struct place){ .source = NULL };
}

static bool
is_ip(struct arena *arena, struct str text, int family)
{
	unsigned char address[16];

	return inet_pton(family, arena_cstr(arena, text), address) == 1;
}

/* A host name as URLs and certificates know it. */
static bool
is_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' &&
		    c != '.' && c != '_')
			return false;
	}
	return name.len > 0 && name.len < 254;
}

/* Whether libssl finds an authority in it. */
static bool
holds_certificate(struct str pem)
{
	BIO *bio =
	    pem.len <= INT_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
	X509 *certificate =
	    bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	X509_free(certificate);
	(void)BIO_free(bio);
	ERR_clear_error();
	return certificate != NULL;
}

static void
set_trust(struct build *b, const struct conf_data_source *ca)
{
	const char *path = arena_printf(b->arena,
	    "%s.transport_socket.typed_config.common_tls_context."
	    "validation_context.trusted_ca",
	    b->path)
			       .ptr;
	struct str pem =
	    bootstrap_data(b->arena, b->diag, path, ca, CA_MAX_BYTES);

	if (!pem.ptr)
		return;
	if (!holds_certificate(pem)) {
		diag_error(b->diag, place_of(ca->node), path,
		    "no certificate in PEM form is in it");
		return;
	}
	b->common.verify = true;
	/* libcurl keeps what it read of a file, not what it read of memory. */
	if (ca->filename.ptr)
		b->common.ca_file = arena_cstr(b->arena, ca->filename);
	else
		b->common.ca_pem = pem;
}

static void
set_tls(struct build *b, const struct conf_upstream_tls *tls)
{
	const struct conf_common_tls *common = tls->common_tls_context;

	b->scheme = "https";
	b->sni = tls->sni;
	if (b->sni.len && !is_name(b->sni))
		diag_error(b->diag, place_of(tls->node),
		    arena_printf(b->arena,
			"%s.transport_socket.typed_config.sni", b->path)
			.ptr,
		    "\"" STR_FMT "\" is not a host name", STR_ARG(b->sni));
	if (common && common->validation_context &&
	    common->validation_context->trusted_ca)
		set_trust(b, common->validation_context->trusted_ca);
}

static void
set_url(struct build *b, struct client_origin *origin, struct str host,
    unsigned port)
{
	bool renamed = b->sni.len && !str_eq_nocase(b->sni, host);

	if (renamed)
		origin->connect_to = arena_printf(
		    b->arena, "::" STR_FMT ":%u", STR_ARG(host), port)
					 .ptr;
	origin->url = arena_printf(b->arena, "%s://" STR_FMT ":%u/", b->scheme,
	    STR_ARG(renamed ? b->sni : host), port)
			  .ptr;
}

static void
make_inet(struct build *b, struct cluster_host *h,
    const struct conf_socket_address *at, const char *path)
{
	bool v6 = is_ip(b->arena, at->address, AF_INET6);
	bool name = !v6 && !is_ip(b->arena, at->address, AF_INET);
	struct str host = at->address;

	if (name && !is_name(host)) {
		diag_error(b->diag, place_of(at->node), path,
		    "\"" STR_FMT "\" is neither an address nor a name",
		    STR_ARG(host));
		return;
	}
	if (at->port_value == 0 || at->port_value > 65535) {
		diag_error(b->diag, place_of(at->node), path,
		    "port_value must be between 1 and 65535");
		return;
	}
	if (v6)
		host = arena_printf(b->arena, "[" STR_FMT "]", STR_ARG(host));
	set_url(b, &h->origin, host, at->port_value);
	if (!name)
		h->address = arena_printf(
		    b->arena, STR_FMT ":%u", STR_ARG(host), at->port_value);
	h->origin.verify_name = b->common.verify && (name || b->sni.len);
}

static void
make_pipe(struct build *b, struct cluster_host *h, const struct conf_pipe *pipe,
    const char *path)
{
	struct str host = b->sni.len ? b->sni : STR("localhost");

	/* sun_path has 108 bytes, the last a NUL. */
	if (pipe->path.len == 0 || pipe->path.len > 107) {
		diag_error(b->diag, place_of(pipe->node), path,
		    "the path of a socket has 1 to 107 bytes");
		return;
	}
	h->origin.unix_path = arena_cstr(b->arena, pipe->path);
	h->origin.url = arena_printf(
	    b->arena, "%s://" STR_FMT "/", b->scheme, STR_ARG(host))
			    .ptr;
	h->origin.verify_name = b->common.verify && b->sni.len;
	h->address = pipe->path;
}

static void
make_host(struct build *b, struct cluster_host *h,
    const struct conf_lb_endpoint *conf, const char *path)
{
	const struct conf_address *address =
	    conf->endpoint ? conf->endpoint->address : NULL;

	h->origin = b->common;
	h->weight =
	    conf->load_balancing_weight ? conf->load_balancing_weight : 1;
	path = arena_printf(b->arena, "%s.endpoint.address", path).ptr;
	if (address && address->socket_address)
		make_inet(b, h, address->socket_address, path);
	else if (address && address->pipe)
		make_pipe(b, h, address->pipe, path);
	else
		diag_error(b->diag, place_of(conf->node), path,
		    "an endpoint needs a socket_address or a pipe");
}

static size_t
count_hosts(const struct conf_load_assignment *all)
{
	size_t n = 0;

	for (size_t i = 0; all && i < all->endpoints.n; i++)
		n += all->endpoints.items[i].lb_endpoints.n;
	return n;
}

static void
make_hosts(struct build *b, struct cluster_host *hosts,
    const struct conf_load_assignment *all)
{
	const char *path;

	for (size_t i = 0; all && i < all->endpoints.n; i++) {
		const struct conf_locality_endpoints *group =
		    &all->endpoints.items[i];
		path = arena_printf(
		    b->arena, "%s.load_assignment.endpoints[%zu]", b->path, i)
			   .ptr;
		if (group->priority)
			diag_error(b->diag, place_of(group->node), path,
			    "only priority 0 is used: all hosts of a cluster "
			    "are equal");
		for (size_t j = 0; j < group->lb_endpoints.n; j++)
			make_host(b, hosts++, &group->lb_endpoints.items[j],
			    arena_printf(
				b->arena, "%s.lb_endpoints[%zu]", path, j)
				.ptr);
	}
}

static void
check_policy(struct build *b)
{
	if (b->conf->lb_policy == CONF_ROUND_ROBIN ||
	    b->conf->lb_policy == CONF_LEAST_REQUEST ||
	    b->conf->lb_policy == CONF_RANDOM)
		return;
	diag_error(b->diag, place_of(b->conf->node),
	    arena_printf(b->arena, "%s.lb_policy", b->path).ptr,
	    "hosts are not chosen by hash: use ROUND_ROBIN, LEAST_REQUEST or "
	    "RANDOM");
}

static void
make_cluster(struct build *b, struct cluster *c)
{
	const struct conf_cluster *conf = b->conf;
	int64_t connect_ms = conf->connect_timeout / NS_PER_MS;
	struct cluster_host *hosts;

	check_policy(b);
	b->common.connect_timeout_ms = connect_ms ? (long)connect_ms : 1;
	if (conf->transport_socket && conf->transport_socket->tls)
		set_tls(b, conf->transport_socket->tls);
	c->conf = conf;
	c->n = count_hosts(conf->load_assignment);
	c->hosts = hosts = ARENA_ARRAY(b->arena, c->n, struct cluster_host);
	make_hosts(b, hosts, conf->load_assignment);
	for (size_t i = 1; i < c->n; i++)
		c->is_weighted |= hosts[i].weight != hosts[0].weight;
}

struct clusters *
clusters_build(
    struct arena *arena, const struct gateway *gateway, struct diag *diag)
{
	const struct conf_static_resources *all =
	    gateway->bootstrap->static_resources;
	struct clusters *clusters = ARENA_NEW(arena, struct clusters);
	struct cluster *items;

	clusters->n = all ? all->clusters.n : 0;
	clusters->items = items =
	    ARENA_ARRAY(arena, clusters->n, struct cluster);
	for (size_t i = 0; i < clusters->n; i++) {
		struct build b = { .arena = arena,
			.diag = diag,
			.conf = &all->clusters.items[i],
			.scheme = "http" };
		b.path =
		    arena_printf(arena, "static_resources.clusters[%zu]", i)
			.ptr;
		items[i].index = i;
		items[i].first = clusters->n_hosts;
		make_cluster(&b, &items[i]);
		clusters->n_hosts += items[i].n;
	}
	return clusters;
}

const struct cluster *
clusters_find(const struct clusters *clusters, const struct conf_cluster *conf)
{
	for (size_t i = 0; i < clusters->n; i++)
		if (clusters->items[i].conf == conf)
			return &clusters->items[i];
	return NULL;
}
