/* The short form's filters in Envoy's form. */
#include "config.h"

#include "base/clock.h"
#include "config/short_write.h"

#define HTTP "envoy.extensions.filters.http."

static struct str
escape_base64url(struct writer *w, struct str bytes)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijkl"
				       "mnopqrstuvwxyz0123456789-_";
	char *out = arena_alloc(w->arena, bytes.len / 3 * 4 + 5);
	size_t n = 0;

	for (size_t i = 0; i < bytes.len; i += 3) {
		unsigned group = 0;
		size_t left = bytes.len - i < 3 ? bytes.len - i : 3;

		for (size_t j = 0; j < 3; j++)
			group =
			    group << 8 |
			    (j < left ? (unsigned char)bytes.ptr[i + j] : 0U);
		for (size_t j = 0; j <= left; j++)
			out[n++] = alphabet[group >> (18 - 6 * j) & 63];
	}
	return (struct str){ out, n };
}

/* One key for each algorithm, so that a token cannot choose another. */
static struct str
secret_jwks(struct writer *w, const struct short_jwt *jwt)
{
	struct str hs256 = STR("HS256");
	conf_strings usual = { .items = &hs256, .n = 1 };
	const conf_strings *names =
	    jwt->algorithms.n ? &jwt->algorithms : &usual;
	struct str key = escape_base64url(w, jwt->secret_bytes);
	struct str keys = STR("");

	for (size_t i = 0; i < names->n; i++)
		keys = arena_printf(w->arena,
		    STR_FMT "%s{\"kty\":\"oct\",\"alg\":\"" STR_FMT
			    "\",\"k\":\"" STR_FMT "\"}",
		    STR_ARG(keys), i ? "," : "", STR_ARG(names->items[i]),
		    STR_ARG(key));
	return arena_printf(
	    w->arena, "{\"keys\":[" STR_FMT "]}", STR_ARG(keys));
}

static void
put_jwks(struct writer *w, struct node *provider, const struct short_jwt *jwt)
{
	struct node *jwks = write_map(w, provider, "local_jwks");

	if (jwt->secret)
		write_str(w, jwks, "inline_string", secret_jwks(w, jwt));
	else if (jwt->jwks->file.ptr)
		write_str(w, jwks, "filename", jwt->jwks->file);
	else
		write_str(w, jwks, "inline_string", jwt->jwks->json);
}

static void
add_claim(struct writer *w, struct node **list, struct node *provider,
    struct str header, struct str claim)
{
	struct node *item;

	if (!*list)
		*list = write_list(w, provider, "claim_to_headers");
	item = write_item(w, *list);
	write_str(w, item, "header_name", header);
	write_str(w, item, "claim_name", claim);
}

/* Those that the backend is told, and those that limits count by. */
static void
put_claims(struct writer *w, struct node *provider, const struct short_jwt *jwt)
{
	const struct short_route *routes = w->form->routes.items;
	struct node *list = NULL;

	for (size_t i = 0; i < jwt->claims.n; i++)
		add_claim(w, &list, provider,
		    *(const struct str *)jwt->claims.items[i].value,
		    jwt->claims.items[i].key);
	for (size_t i = 0; i < w->form->routes.n; i++)
		if (short_is_first_claim(w->form, i))
			add_claim(w, &list, provider,
			    short_claim_header(w, routes[i].limit.key),
			    routes[i].limit.key);
}

static void
add_jwt_filter(struct writer *w, struct node *filters)
{
	const struct short_jwt *jwt = w->form->jwt;
	struct node *conf, *provider, *list;

	w->place = jwt->node->place;
	conf = write_envoy_filter(w, filters, "envoy.filters.http.jwt_authn",
	    HTTP "jwt_authn.v3.JwtAuthentication");
	provider = write_map(w, write_map(w, conf, "providers"), "jwt");
	if (jwt->issuer.ptr)
		write_str(w, provider, "issuer", jwt->issuer);
	if (jwt->audiences.n) {
		list = write_list(w, provider, "audiences");
		for (size_t i = 0; i < jwt->audiences.n; i++)
			node_add(w->arena, list,
			    node_text(
				w->arena, w->place, jwt->audiences.items[i]));
	}
	put_jwks(w, provider, jwt);
	write_plain(w, provider, "forward", "true");
	write_number(w, provider, "clock_skew_seconds",
	    (uint64_t)(jwt->leeway / NS_PER_S));
	put_claims(w, provider, jwt);
	write_text(w,
	    write_map(w, write_map(w, conf, "requirement_map"), "jwt"),
	    "provider_name", "jwt");
}

static void
add_rewrites(struct writer *w, struct node *filters)
{
	const struct short_transforms_both *both = w->form->transforms;

	for (size_t i = 0; both && i < both->request.n; i++) {
		const struct short_transform *t = &both->request.items[i];
		struct node *conf;

		if (!t->rewrite.ptr)
			continue;
		w->place = t->node->place;
		conf = write_module_filter(w, filters, "sallyport.rewrite");
		write_str(w, conf, "pattern", t->rewrite);
		write_str(w, conf, "substitution", t->to);
	}
}

static size_t
count_headers(const short_transforms *list)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += !list->items[i].rewrite.ptr;
	return n;
}

static void
put_mutations(struct writer *w, struct node *map, const char *key,
    const short_transforms *list)
{
	struct node *mutations;

	if (!count_headers(list))
		return;
	mutations = write_list(w, map, key);
	for (size_t i = 0; i < list->n; i++) {
		const struct short_transform *t = &list->items[i];
		struct node *one;

		if (t->rewrite.ptr)
			continue;
		w->place = t->node->place;
		if (t->remove.ptr) {
			write_str(
			    w, write_item(w, mutations), "remove", t->remove);
			continue;
		}
		one = node_list(w->arena, w->place);
		write_header(w, one, t->add.ptr ? t->add : t->set, t->text,
		    t->add.ptr ? "APPEND_IF_EXISTS_OR_ADD"
			       : "OVERWRITE_IF_EXISTS_OR_ADD");
		node_put(w->arena, write_item(w, mutations), "append",
		    one->items[0].value);
	}
}

static void
add_mutation_filter(struct writer *w, struct node *filters)
{
	const struct short_transforms_both *both = w->form->transforms;
	struct node *mutations;

	if (!both ||
	    !(count_headers(&both->request) + count_headers(&both->response)))
		return;
	w->place = both->node->place;
	mutations = write_map(w,
	    write_envoy_filter(w, filters, "envoy.filters.http.header_mutation",
		HTTP "header_mutation.v3.HeaderMutation"),
	    "mutations");
	put_mutations(w, mutations, "request_mutations", &both->request);
	put_mutations(w, mutations, "response_mutations", &both->response);
}

/* Envoy does not tell a module which clusters there are. */
static void
put_cluster_names(struct writer *w, struct node *conf)
{
	struct node *list = write_list(w, conf, "clusters");

	for (size_t i = 0; i < w->form->routes.n; i++)
		if (short_is_first_cluster(w->form, i))
			node_add(w->arena, list,
			    node_text(w->arena, w->place,
				w->form->routes.items[i].to.cluster));
}

void
short_write_filters(struct writer *w, struct node *hcm)
{
	const struct short_form *form = w->form;
	struct node *filters = write_list(w, hcm, "http_filters");
	struct node *conf;

	conf = write_module_filter(w, filters, "sallyport.health");
	write_text(w, conf, "path", "/health");
	write_text(w, conf, "livez", "/livez");
	write_text(w, conf, "readyz", "/readyz");
	add_rewrites(w, filters);
	w->place = form->node->place;
	if (form->cors)
		(void)write_envoy_filter(
		    w, filters, "envoy.filters.http.cors", HTTP "cors.v3.Cors");
	if (form->needs_jwt)
		add_jwt_filter(w, filters);
	w->place = form->node->place;
	if (form->needs_limits)
		(void)write_module_filter(w, filters, "sallyport.rate_limit");
	if (form->breaker) {
		w->place = form->breaker->node->place;
		conf = write_module_filter(w, filters, "sallyport.breaker");
		write_number(w, conf, "failures", form->breaker->failures);
		write_duration(w, conf, "open_for", form->breaker->open_for);
		put_cluster_names(w, conf);
	}
	add_mutation_filter(w, filters);
	w->place = form->node->place;
	(void)write_module_filter(w, filters, "sallyport.location");
	(void)write_envoy_filter(
	    w, filters, "envoy.filters.http.router", HTTP "router.v3.Router");
}
