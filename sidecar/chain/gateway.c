/* Compiling a bootstrap: filters in their order, then the routes. */
#include "config.h"

#include "chain/early_mutation.h"
#include "chain/local_reply.h"
#include "chain/request_id.h"
#include "chain/route.h"
#include "chain/setup.h"
#include "chain/trust.h"

/* bootstrap_decode has seen to it that there is one. */
static const struct conf_hcm *
find_hcm(const struct conf_listener *listener)
{
	return listener->filter_chains.items[0].filters.items[0].hcm;
}

static void
build_router(struct setup *s, const struct any *any)
{
	struct gateway *g = s->gateway;

	router_rules_build(g->arena, any, &g->router, s->diag);
	g->suppress_envoy_headers = g->router.suppress_envoy_headers;
}

static void
build_filter(struct setup *s, const struct conf_http_filter *conf)
{
	struct gateway *g = s->gateway;
	struct filter_instance *instance = &g->filters[g->n_filters];
	const size_t align = _Alignof(max_align_t) - 1;

	if (!conf->typed_config)
		return;
	if (setup_is_router(conf->typed_config)) {
		build_router(s, conf->typed_config);
		return;
	}
	instance->filter = setup_find_filter(s, conf->typed_config, conf->name);
	if (!instance->filter)
		return;
	instance->name = conf->name;
	instance->node = conf->node;
	instance->disabled = conf->disabled;
	instance->conf = setup_filter(s, instance->filter, conf->typed_config);
	instance->state_at = g->state_size;
	g->state_size += (instance->filter->state_size + align) & ~align;
	g->n_filters++;
}

static void
index_clusters(struct gateway *g)
{
	const struct conf_static_resources *all =
	    g->bootstrap->static_resources;

	g->clusters = table_new(g->arena, all->clusters.n);
	for (size_t i = all->clusters.n; i-- > 0;)
		*table_put(g->clusters, all->clusters.items[i].name) =
		    (uint32_t)i;
}

struct gateway *
gateway_build(struct arena *arena, const struct conf_bootstrap *bootstrap,
    struct state *state, struct diag *diag)
{
	static const enum target_slashes slashes[] = {
		[CONF_SLASH_DEFAULT] = TARGET_SLASHES_KEEP,
		[CONF_SLASH_KEEP] = TARGET_SLASHES_KEEP,
		[CONF_SLASH_REJECT] = TARGET_SLASHES_REJECT,
		[CONF_SLASH_REDIRECT] = TARGET_SLASHES_REDIRECT,
		[CONF_SLASH_FORWARD] = TARGET_SLASHES_FORWARD,
	};
	struct gateway *g = ARENA_NEW(arena, struct gateway);
	struct setup setup = { .gateway = g, .state = state, .diag = diag };
	const struct conf_hcm *hcm;
	size_t before = diag_errors(diag);

	g->arena = arena;
	g->bootstrap = bootstrap;
	index_clusters(g);
	g->listener = &bootstrap->static_resources->listeners.items[0];
	g->hcm = hcm = find_hcm(g->listener);
	g->counters = hcm_counters_build(arena, hcm->stat_prefix, state);
	g->target_rules = (struct target_rules){
		.normalize = hcm->normalize_path,
		.merge_slashes = hcm->merge_slashes,
		.escaped_slashes =
		    slashes[hcm->path_with_escaped_slashes_action],
	};
	g->filters =
	    ARENA_ARRAY(arena, hcm->http_filters.n + 1, struct filter_instance);
	for (size_t i = 0; i < hcm->http_filters.n; i++)
		build_filter(&setup, &hcm->http_filters.items[i]);
	g->trust = trust_build(arena, hcm, diag);
	g->request_id = request_id_build(arena, hcm, diag);
	g->early = early_mutation_build(arena, hcm, diag);
	g->local_reply =
	    local_reply_build(arena, hcm->local_reply_config, diag);
	g->routes = route_table_build(arena, g, &setup, diag);
	return diag_errors(diag) == before ? g : NULL;
}

const struct conf_cluster *
gateway_cluster(const struct gateway *g, struct str name)
{
	uint32_t at = table_get(g->clusters, name);

	return at == TABLE_NONE
		   ? NULL
		   : &g->bootstrap->static_resources->clusters.items[at];
}
