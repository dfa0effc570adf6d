/* Envoy's RouteMatch. */
#include "config.h"

#include "base/regex.h"
#include "chain/exchange.h"
#include "chain/metamatch.h"
#include "chain/routematch.h"
#include "chain/template.h"
#include "http/params.h"
#include "http/target.h"

struct cookie_match {
	struct str name;
	const struct string_match *value;
	bool invert;
};

enum path_kind {
	PATH_PREFIX,
	PATH_EXACT,
	PATH_SEGMENTS,
	PATH_REGEX,
	PATH_TEMPLATE,
};

struct route_match {
	enum path_kind kind;
	struct str path; /* in lower case unless case_sensitive */
	bool case_sensitive;
	const struct regex *regex;
	struct str regex_begin; /* every match of regex begins so */
	const struct template *template;
	const struct conf_route_match *conf;
	const struct header_match **headers;
	size_t n_headers;
	const struct query_match **queries;
	size_t n_queries;
	struct cookie_match *cookies;
	size_t n_cookies;
	const struct metadata_match **metadata;
	size_t n_metadata;
};

/* ---- compiling ---- */

static void
build_path(struct arena *arena, struct route_match *m,
    const struct conf_route_match *conf, struct diag *diag)
{
	m->case_sensitive = conf->case_sensitive;
	if (conf->path_match_policy) {
		m->kind = PATH_TEMPLATE;
		m->template =
		    template_build(arena, conf->path_match_policy, diag);
	} else if (conf->safe_regex) {
		m->kind = PATH_REGEX;
		m->regex = match_regex(arena, conf->safe_regex, diag);
		m->regex_begin = regex_begin(arena, conf->safe_regex->regex);
	} else if (conf->path.ptr) {
		m->kind = PATH_EXACT;
		m->path = conf->path;
	} else if (conf->path_separated_prefix.ptr) {
		m->kind = PATH_SEGMENTS;
		m->path = conf->path_separated_prefix;
	} else {
		m->kind = PATH_PREFIX;
		m->path = conf->prefix;
	}
	if (!m->case_sensitive && m->path.ptr)
		m->path = arena_lower(arena, m->path);
}

static void
build_fields(struct arena *arena, struct route_match *m,
    const struct conf_route_match *conf, struct diag *diag)
{
	m->n_headers = conf->headers.n;
	m->headers =
	    ARENA_ARRAY(arena, m->n_headers, const struct header_match *);
	for (size_t i = 0; i < m->n_headers; i++)
		m->headers[i] =
		    header_match_build(arena, &conf->headers.items[i], diag);
	m->n_queries = conf->query_parameters.n;
	m->queries =
	    ARENA_ARRAY(arena, m->n_queries, const struct query_match *);
	for (size_t i = 0; i < m->n_queries; i++)
		m->queries[i] = query_match_build(
		    arena, &conf->query_parameters.items[i], diag);
	m->n_cookies = conf->cookies.n;
	m->cookies = ARENA_ARRAY(arena, m->n_cookies, struct cookie_match);
	for (size_t i = 0; i < m->n_cookies; i++) {
		const struct conf_cookie_matcher *c = &conf->cookies.items[i];

		m->cookies[i].name = c->name;
		m->cookies[i].invert = c->invert_match;
		if (c->string_match)
			m->cookies[i].value =
			    string_match_build(arena, c->string_match, diag);
	}
}

static void
build_metadata(struct arena *arena, struct route_match *m,
    const struct conf_route_match *conf, struct diag *diag)
{
	m->n_metadata = conf->dynamic_metadata.n;
	m->metadata =
	    ARENA_ARRAY(arena, m->n_metadata, const struct metadata_match *);
	for (size_t i = 0; i < m->n_metadata; i++)
		m->metadata[i] = metadata_match_build(
		    arena, &conf->dynamic_metadata.items[i], diag);
}

const struct route_match *
route_match_build(
    struct arena *arena, const struct conf_route_match *conf, struct diag *diag)
{
	struct route_match *m = ARENA_NEW(arena, struct route_match);
	size_t before = diag_errors(diag);

	m->conf = conf;
	build_path(arena, m, conf, diag);
	build_fields(arena, m, conf, diag);
	build_metadata(arena, m, conf, diag);
	return diag_errors(diag) == before ? m : NULL;
}

struct path_key
route_match_key(const struct route_match *m)
{
	switch (m->kind) {
	case PATH_PREFIX:
	case PATH_SEGMENTS:
		return (struct path_key){ m->path, false, !m->case_sensitive };
	case PATH_EXACT:
		return (struct path_key){ m->path, true, !m->case_sensitive };
	case PATH_REGEX:
		return (struct path_key){ m->regex_begin, false, false };
	case PATH_TEMPLATE:
		break;
	}
	return (struct path_key){ template_begin(m->template), false, false };
}

const struct template *
route_match_template(const struct route_match *m)
{
	return m->template;
}

/* ---- matching ---- */

static bool
starts(const struct route_match *m, struct str path)
{
	return m->case_sensitive ? str_starts(path, m->path)
				 : str_starts_nocase(path, m->path);
}

static bool
path_holds(const struct route_match *m, const struct route_subject *s)
{
	struct str path = s->path;

	switch (m->kind) {
	case PATH_PREFIX:
		return starts(m, path);
	case PATH_EXACT:
		return path.len == m->path.len && starts(m, path);
	case PATH_SEGMENTS:
		return starts(m, path) && (path.len == m->path.len ||
					      path.ptr[m->path.len] == '/');
	case PATH_REGEX:
		return regex_matches(m->regex, path);
	case PATH_TEMPLATE:
		return template_matches(m->template, target_path(s->target));
	}
	return false;
}

/* "application/grpc", alone or before "+" or ";". */
static bool
is_grpc(const struct headers *headers)
{
	struct str type = headers_get(headers, STR("content-type"));
	struct str grpc = STR("application/grpc");

	return str_starts(type, grpc) &&
	       (type.len == grpc.len || type.ptr[grpc.len] == '+');
}

static bool
cookie_holds(const struct cookie_match *m, const struct headers *headers)
{
	struct str value = STR_NONE, field;

	for (size_t i = 0; !value.ptr; i++) {
		field = headers_nth(headers, STR("cookie"), i);
		if (!field.ptr)
			break;
		value = params_cookie_get(field, m->name);
	}
	return (value.ptr && string_match_holds(m->value, value)) != m->invert;
}

static bool
tls_holds(const struct conf_tls_match *m, const struct exchange *x)
{
	bool presented = x->peer.certificate != EXCHANGE_NO_CERTIFICATE;
	bool validated = x->peer.certificate == EXCHANGE_GOOD_CERTIFICATE;

	return (!m->has_presented || m->presented == presented) &&
	       (!m->has_validated || m->validated == validated);
}

static bool
fields_hold(const struct route_match *m, const struct route_subject *s)
{
	for (size_t i = 0; i < m->n_headers; i++)
		if (!header_match_holds(m->headers[i], s->headers))
			return false;
	for (size_t i = 0; i < m->n_queries; i++)
		if (!query_match_holds(m->queries[i], s->target))
			return false;
	for (size_t i = 0; i < m->n_cookies; i++)
		if (!cookie_holds(&m->cookies[i], s->headers))
			return false;
	return true;
}

static bool
rest_holds(const struct route_match *m, const struct exchange *x)
{
	if (m->conf->tls_context && !tls_holds(m->conf->tls_context, x))
		return false;
	for (size_t i = 0; i < m->n_metadata; i++)
		if (!metadata_match_holds(m->metadata[i], x))
			return false;
	return true;
}

bool
route_match_holds(const struct route_match *m, const struct route_subject *s)
{
	const struct conf_runtime_fraction *fraction =
	    m->conf->runtime_fraction;

	return path_holds(m, s) &&
	       (!fraction || match_fraction(fraction, s->random, true)) &&
	       (!m->conf->grpc || is_grpc(s->headers)) && fields_hold(m, s) &&
	       (!s->exchange || rest_holds(m, s->exchange));
}

bool
route_match_request(
    const struct route_match *m, const struct headers *headers, uint64_t random)
{
	struct str target = headers_get(headers, STR(":path"));
	struct route_subject subject = { .headers = headers,
		.target = target,
		.path = target_path(target),
		.random = random };

	return route_match_holds(m, &subject);
}

size_t
route_match_len(const struct route_match *m, struct str path)
{
	return m->kind == PATH_REGEX || m->kind == PATH_TEMPLATE ||
		       m->path.len > path.len
		   ? path.len
		   : m->path.len;
}
