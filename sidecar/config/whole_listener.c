/* The listener over the whole bootstrap, and the filters of its HTTP. */
#include "config.h"

#include "config/api.h"
#include "config/whole.h"

#define ROUTER_TYPE  "envoy.extensions.filters.http.router.v3.Router"
#define HTTP_FILTERS "envoy.extensions.filters.http."

/* "envoy.filters.http.cors" of "envoy.extensions.filters.http.cors.v3.Cors". */
static struct str
factory_name(struct whole *w, struct str type)
{
	struct str begin = STR("envoy.extensions.");
	size_t version = str_find(type, STR(".v3."), 0);

	if (!str_starts(type, begin) || version == type.len)
		return type;
	return arena_printf(w->temp, "envoy." STR_FMT,
	    STR_ARG(str_slice(type, begin.len, version)));
}

bool
whole_is_router(const struct conf_http_filter *f)
{
	return f->typed_config &&
	       str_eq(f->typed_config->type, STR(ROUTER_TYPE));
}

/*
 * is_optional leaves out what Envoy itself does not know. A filter that only
 * we do not know is refused later, since Envoy would run it.
 */
static void
leave_out(struct whole *w, const char *path, struct conf_http_filter *f)
{
	const struct any *any = f->typed_config;

	if (!f->is_optional || (any && !any->type.ptr))
		return;
	if (any && str_starts(any->type, STR(HTTP_FILTERS)) &&
	    api_find(any->type))
		return;
	diag_warn(w->diag, f->node->place, path,
	    "the filter '" STR_FMT "' is left out: it is optional and "
	    "not known",
	    STR_ARG(f->name));
	f->typed_config = NULL;
}

static void
check_order(struct whole *w, const char *path, const struct conf_hcm *hcm)
{
	const struct conf_http_filter *last =
	    &hcm->http_filters.items[hcm->http_filters.n - 1];

	for (const struct conf_http_filter *f = hcm->http_filters.items;
	     f < last; f++)
		if (whole_is_router(f))
			diag_error(w->diag, f->node->place, path,
			    "Error: terminal filter named " STR_FMT
			    " of type envoy.filters.http.router must be the "
			    "last filter in a http filter chain.",
			    STR_ARG(f->name));
	if (whole_is_router(last) && last->disabled)
		diag_error(w->diag, last->node->place, path,
		    "Error: the last (terminal) filter (" STR_FMT
		    ") in the chain cannot be disabled by default.",
		    STR_ARG(last->name));
	if (whole_is_router(last) || !last->typed_config ||
	    !last->typed_config->type.ptr)
		return;
	diag_error(w->diag, last->node->place, path,
	    "Error: non-terminal filter named " STR_FMT " of type " STR_FMT
	    " is the last filter in a http filter chain.",
	    STR_ARG(last->name),
	    STR_ARG(factory_name(w, last->typed_config->type)));
	diag_hint(w->diag,
	    "end the list with {name: envoy.filters.http.router, "
	    "typed_config: {\"@type\": type.googleapis.com/%s}}",
	    ROUTER_TYPE);
}

void
whole_filters(struct whole *w, const char *path, struct conf_hcm *hcm)
{
	if (hcm->http_filters.n == 0) {
		diag_error(w->diag, hcm->node->place, path,
		    "`http_filters`: value is required: the router filter");
		return;
	}
	for (size_t i = 0; i < hcm->http_filters.n; i++)
		leave_out(w, whole_path(w, "%s.http_filters[%zu]", path, i),
		    &hcm->http_filters.items[i]);
	check_order(w, path, hcm);
}

static void
decode_network_filter(
    struct whole *w, const char *path, struct conf_network_filter *filter)
{
	const struct any *any = filter->typed_config;
	const char *in;

	if (!any || !any->type.ptr)
		return;
	in = whole_path(w, "%s.typed_config", path);
	if (!str_eq(any->type, str_of(conf_hcm_message.name))) {
		diag_error(w->diag, filter->node->place, path,
		    "network filter '" STR_FMT "' of type " STR_FMT
		    " is not supported: only the HttpConnectionManager is",
		    STR_ARG(filter->name), STR_ARG(any->type));
		return;
	}
	filter->hcm =
	    schema_decode_any(w->arena, w->diag, &conf_hcm_message, any);
	whole_filters(w, in, filter->hcm);
	whole_routes(w, in, filter->hcm);
	whole_codec(w, in, filter->hcm);
}

static void
check_listener_filters(
    struct whole *w, const char *path, const struct conf_listener *listener)
{
	for (size_t i = 0; i < listener->listener_filters.n; i++) {
		const struct conf_network_filter *f =
		    &listener->listener_filters.items[i];
		struct str type =
		    f->typed_config ? f->typed_config->type : STR_NONE;

		if (!type.ptr) {
			diag_error(w->diag, f->node->place, path,
			    "Didn't find a registered implementation for "
			    "'" STR_FMT "' with type URL: ''",
			    STR_ARG(f->name));
		} else if (str_ends(type, STR(".TlsInspector")) ||
			   str_ends(type, STR(".HttpInspector"))) {
			diag_warn(w->diag, f->node->place, path,
			    "listener filter '" STR_FMT
			    "' has no effect here: the web server owns the "
			    "connections to clients",
			    STR_ARG(f->name));
			schema_check_any(w->arena, w->diag, f->typed_config);
		} else {
			diag_error(w->diag, f->node->place, path,
			    "listener filter '" STR_FMT
			    "' is not supported: the web server owns the "
			    "connections to clients",
			    STR_ARG(f->name));
		}
	}
}

static void
check_chain(struct whole *w, const char *path, struct conf_filter_chain *chain)
{
	whole_downstream_tls(w, path, chain->transport_socket);
	if (chain->filters.n == 0)
		diag_error(w->diag, chain->node->place, path,
		    "value is required: one network filter");
	if (chain->filters.n > 1)
		diag_error(w->diag, chain->filters.items[1].node->place, path,
		    "a second network filter: there is one");
	for (size_t i = 0; i < chain->filters.n; i++)
		decode_network_filter(w,
		    whole_path(w, "%s.filters[%zu]", path, i),
		    &chain->filters.items[i]);
}

static void
check_address(
    struct whole *w, const char *path, const struct conf_listener *listener)
{
	const struct conf_address *address = listener->address;
	const struct conf_socket_address *tcp =
	    address ? address->socket_address : NULL;

	if (!address)
		diag_error(w->diag, listener->node->place, path,
		    "address is necessary");
	if (tcp && tcp->address.len && !whole_is_ip(w, tcp->address))
		diag_error(w->diag, tcp->node->place, path,
		    "malformed IP address: " STR_FMT, STR_ARG(tcp->address));
}

void
whole_listener(
    struct whole *w, const char *path, const struct conf_listener *listener)
{
	check_listener_filters(w, path, listener);
	check_address(w, path, listener);
	if (listener->filter_chains.n == 0)
		diag_error(w->diag, listener->node->place, path,
		    "value is required: one filter chain");
	if (listener->filter_chains.n > 1)
		diag_error(w->diag,
		    listener->filter_chains.items[1].node->place, path,
		    "a second filter chain: there is one");
	for (size_t i = 0; i < listener->filter_chains.n; i++)
		check_chain(w, whole_path(w, "%s.filter_chains[%zu]", path, i),
		    &listener->filter_chains.items[i]);
}
