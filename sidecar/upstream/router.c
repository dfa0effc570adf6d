/* Where forwarding begins and ends. */
#include "config.h"

#include <sys/random.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <ifaddrs.h>
#include <stdlib.h>

#include "base/clock.h"
#include "upstream/facts.h"
#include "upstream/forward.h"

/* The first IPv4 address that is not the loopback's, as Envoy calls itself. */
static struct str
find_own_address(char *at)
{
	struct ifaddrs *all, *i;
	struct in_addr found = { htonl(INADDR_LOOPBACK) };

	if (!getifaddrs(&all)) {
		for (i = all; i; i = i->ifa_next) {
			const struct sockaddr_in *in = (void *)i->ifa_addr;
			if (!in || in->sin_family != AF_INET ||
			    ntohl(in->sin_addr.s_addr) >> 24 == 127)
				continue;
			found = in->sin_addr;
			break;
		}
		freeifaddrs(all);
	}
	return inet_ntop(AF_INET, &found, at, INET_ADDRSTRLEN)
		   ? str_of(at)
		   : STR("127.0.0.1");
}

struct router *
router_new(
    struct loop *loop, const struct clusters *clusters, struct state *state)
{
	struct router *r = calloc(1, sizeof(*r));
	struct client_hooks hooks;
	uint64_t seed = 0;

	if (!r)
		abort();
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = (uint64_t)clock_wall_ns();
	r->loop = loop;
	r->clusters = clusters;
	r->stats = stats_new(state, clusters);
	r->balancer = balancer_new(clusters, seed);
	r->admissions =
	    admissions_new(loop, state, clusters, r->stats, r->balancer);
	hooks = admissions_hooks(r->admissions);
	r->client = client_new(loop, clusters->n_origins, &hooks);
	admissions_set_client(r->admissions, r->client);
	r->own_address = find_own_address(r->own_text);
	return r;
}

void
router_free(struct router *r)
{
	mirrors_end(r);
	client_free(r->client);
	admissions_free(r->admissions);
	balancer_free(r->balancer);
	stats_free(r->stats);
	free(r);
}

void
router_end(struct exchange *x)
{
	struct forward *f = x->router;

	if (!f)
		return;
	x->router = NULL;
	failure_note_host(f);
	if (f->admission.holds_pending)
		stats_count(f->router->stats, f->cluster, RQ_CANCELLED);
	task_clear(f->router->loop, &f->cut);
	timer_clear(f->router->loop, &f->timer);
	retry_end(f);
	attempt_end(f);
	mirrors_leave(f);
}

/* ---- before the first try ---- */

/* Whether one of the headers for the router has a sound value. */
static bool
is_sound(struct str name, struct str value)
{
	struct str unknown;
	uint64_t n;

	if (str_eq(name, STR("x-envoy-retry-on"))) {
		(void)retry_on_read(value, RETRY_WORDS_HTTP, &unknown);
		return !unknown.ptr;
	}
	if (str_eq(name, STR("x-envoy-retry-grpc-on"))) {
		(void)retry_on_read(value, RETRY_WORDS_GRPC, &unknown);
		return !unknown.ptr;
	}
	return limits_read_number(value, &n);
}

/* Replies to the first header that is not; false if it did. */
static bool
check_headers(struct forward *f)
{
	const struct router_rules *rules = &f->x->gateway->router;
	struct exchange *x = f->x;

	for (size_t i = 0; i < rules->n_strict; i++) {
		struct str name = rules->strict[i];
		struct str value = headers_get(&x->request, name);
		if (!value.ptr || is_sound(name, value))
			continue;
		failure_reply(f, 400,
		    arena_printf(x->arena,
			"invalid header '" STR_FMT "' with value '" STR_FMT "'",
			STR_ARG(name), STR_ARG(value)),
		    arena_printf(x->arena,
			"request_headers_failed_strict_check{" STR_FMT "}",
			STR_ARG(name)),
		    "IH");
		return false;
	}
	return true;
}

static void
read_stat_name(struct forward *f)
{
	struct str name = STR("x-envoy-upstream-alt-stat-name");

	f->stat_name = headers_get(&f->x->request, name);
	headers_remove(&f->x->request, name);
}

/* So many of all, at random. */
static bool
is_among(struct forward *f, uint32_t part, uint32_t all)
{
	return part && host_random(f->x, all) < part;
}

static bool
is_in_maintenance(struct forward *f)
{
	if (!is_among(f, f->cluster->maintenance_percent, 100))
		return false;
	stats_count(f->router->stats, f->cluster, RQ_MAINTENANCE_MODE);
	forward_count(f, 503, false);
	failure_reply_overloaded(f, STR("maintenance mode"),
	    STR("maintenance_mode"), "UO", STR("x-envoy-overloaded"));
	return true;
}

/* Envoy's drop_overloads. */
static bool
is_dropped(struct forward *f)
{
	uint32_t ppm = f->cluster->drop_ppm;

	if (!is_among(f, ppm, 1000000))
		return false;
	forward_count(f, 503, false);
	if (ppm == 1000000)
		failure_reply_overloaded(f, STR("unconditional drop overload"),
		    STR("unconditional_drop_overload"), "UDO",
		    STR("x-envoy-unconditional-drop-overload"));
	else
		failure_reply_overloaded(f, STR("drop overload"),
		    STR("drop_overload"), "DO", STR("x-envoy-drop-overload"));
	return true;
}

static void
prepare(struct forward *f)
{
	struct exchange *x = f->x;

	headers_remove(&x->request, STR("x-envoy-hedge-on-per-try-timeout"));
	limits_read(f);
	f->begun = true;
	x->attempts = 1;
	if (f->rules->counts_in_request)
		headers_set(
		    &x->request, STR("x-envoy-attempt-count"), STR("1"));
	route_prepare_request(x->route, x);
	retry_read(f);
}

static void
note_upload_end(struct forward *f)
{
	struct exchange *x = f->x;

	if (!x->upload_end || f->upload_ended)
		return;
	f->upload_ended = true;
	f->upload_end_ns =
	    x->upload_end_ns ? x->upload_end_ns : clock_boot_ns();
	limits_arm(f);
}

static void
reply_no_cluster(struct exchange *x)
{
	static const unsigned codes[] = { [CONF_NOT_FOUND_503] = 503,
		[CONF_NOT_FOUND_404] = 404,
		[CONF_NOT_FOUND_500] = 500 };
	const struct conf_route_action *action = x->route->conf->route;
	int code = action ? action->cluster_not_found_response_code : 0;

	exchange_count(x, HCM_NO_CLUSTER);
	exchange_reply(x, &(struct host_reply){ .status = codes[code],
			      .details = STR("cluster_not_found"),
			      .flag = "NC" });
}

/* All that comes before a try; NULL if it has replied. */
static struct forward *
begin(struct router *r, struct exchange *x)
{
	const struct conf_cluster *conf = route_cluster(x->route, x);
	const struct cluster *cluster =
	    conf ? clusters_find(r->clusters, conf) : NULL;
	struct forward *f;

	x->cluster = conf;
	if (!cluster) {
		reply_no_cluster(x);
		return NULL;
	}
	f = ARENA_NEW(x->arena, struct forward);
	*f = (struct forward){ .router = r,
		.x = x,
		.rules = x->route->forwarding,
		.cluster = cluster,
		.moved_ns = clock_boot_ns() };
	headers_init(&f->response, x->arena);
	headers_init(&f->made, x->arena);
	x->router = f;
	if (!check_headers(f))
		return NULL;
	read_stat_name(f);
	if (is_in_maintenance(f) || is_dropped(f))
		return NULL;
	prepare(f);
	if (attempt_choose(f))
		return f;
	failure_no_host(f);
	return NULL;
}

void
router_forward(struct router *r, struct exchange *x)
{
	struct forward *f = begin(r, x);

	if (!f)
		return;
	mirrors_start(f);
	f->holds = f->retry.on != 0;
	f->keeps = f->holds || f->mirrors;
	note_upload_end(f);
	limits_arm(f);
	attempt_start(f);
}

const struct cluster_host *
router_prepare(struct router *r, struct exchange *x)
{
	struct forward *f = begin(r, x);

	if (!f)
		return NULL;
	note_upload_end(f);
	facts_of_host(f);
	route_use_hostname(x->route, x, f->admission.host->hostname);
	return f->admission.host;
}

void
router_pretend(struct exchange *x, unsigned status)
{
	struct forward *f = x->router;

	facts_of_connection(f);
	headers_add(&f->response, STR(":status"), arena_u64(x->arena, status));
	attempt_respond(f);
	attempt_end(f);
	timer_clear(f->router->loop, &f->timer);
	x->download_end = true;
	exchange_respond(x);
}

/* ---- more of the body ---- */

/* There is more of it than may be kept: it is sent once only. */
static void
abandon_retries(struct forward *f)
{
	bool waits = f->retry_ns != 0;

	stats_count(f->router->stats, f->cluster, RETRY_OR_SHADOW_ABANDONED);
	retry_end(f);
	f->holds = false;
	f->retry_ns = 0;
	if (!waits) {
		attempt_trim(f);
		return;
	}
	timer_clear(f->router->loop, &f->timer);
	failure_reply(f, 507,
	    STR("exceeded request buffer limit while retrying upstream"),
	    STR("request_payload_exceeded_retry_buffer_limit"), NULL);
}

void
router_resume(struct exchange *x)
{
	struct forward *f = x->router;

	/* Without a call it waits for its turn, or for the next try. */
	if (!f || (!f->call && x->phase != EXCHANGE_FORWARDING))
		return;
	f->moved_ns = clock_boot_ns();
	note_upload_end(f);
	if (f->call)
		call_resume(f->call);
	if (f->holds && buf_len(&x->upload) > f->rules->keep_max)
		abandon_retries(f);
	else
		attempt_trim(f);
}
