/* Rewriting hosts and paths. Paths are rewritten without their query. */
#include "config.h"

#include "base/regex.h"
#include "chain/format.h"
#include "chain/rewrite.h"
#include "chain/template.h"
#include "http/target.h"

struct rewrite {
	const struct conf_route *conf;
	const struct route_match *match;
	struct str prefix; /* in the place of what was matched */
	const struct regex *regex;
	struct str substitution;
	const struct format *path_format;
	const struct template_rewrite *template;
	struct str host_header;
	const struct regex *host_regex;
	struct str host_substitution;
	const struct format *host_format;
};

enum { HOST_MAX = 8 * 1024 };

/* ---- compiling ---- */

static void
build_regex(struct arena *arena, const struct conf_regex_rewrite *conf,
    struct diag *diag, const struct regex **regex, struct str *substitution)
{
	if (!conf || !conf->pattern)
		return;
	*substitution = conf->substitution.ptr ? conf->substitution : STR("");
	*regex = match_regex(arena, conf->pattern, diag);
	if (*regex && !regex_substitution_is_valid(*regex, *substitution))
		diag_error(diag, conf->node->place, NULL,
		    "the substitution names a group that the pattern does "
		    "not have");
}

static void
build_path(struct arena *arena, struct rewrite *r,
    const struct conf_route_action *action, struct diag *diag)
{
	const struct template *template =
	    r->match ? route_match_template(r->match) : NULL;

	r->prefix = action->prefix_rewrite;
	build_regex(
	    arena, action->regex_rewrite, diag, &r->regex, &r->substitution);
	if (action->path_rewrite.len)
		r->path_format = format_text(
		    arena, action->path_rewrite, action->node, diag);
	if (action->path_rewrite_policy && r->match)
		r->template = template_rewrite_build(
		    arena, action->path_rewrite_policy, template, diag);
	if (r->prefix.len && template)
		diag_error(diag, action->node->place, NULL,
		    "Cannot use prefix_rewrite with matcher extension");
}

static void
build_host(struct arena *arena, struct rewrite *r,
    const struct conf_route_action *action, struct diag *diag)
{
	if (action->host_rewrite_header.len)
		r->host_header =
		    header_name_sought(arena, action->host_rewrite_header);
	build_regex(arena, action->host_rewrite_path_regex, diag,
	    &r->host_regex, &r->host_substitution);
	if (action->host_rewrite.len)
		r->host_format = format_text(
		    arena, action->host_rewrite, action->node, diag);
}

/* Most routes leave host and path alone. */
static bool
rewrites(const struct conf_route_action *action)
{
	return action->prefix_rewrite.len || action->regex_rewrite ||
	       action->path_rewrite.len || action->path_rewrite_policy ||
	       action->host_rewrite_literal.len ||
	       action->host_rewrite_header.len ||
	       action->host_rewrite_path_regex || action->host_rewrite.len;
}

const struct rewrite *
rewrite_build(struct arena *arena, const struct conf_route *conf,
    const struct route_match *match, struct diag *diag)
{
	struct rewrite *r;

	if (!conf->redirect && (!conf->route || !rewrites(conf->route)))
		return NULL;
	r = ARENA_NEW(arena, struct rewrite);
	r->conf = conf;
	r->match = match;
	if (conf->route) {
		build_path(arena, r, conf->route, diag);
		build_host(arena, r, conf->route, diag);
	}
	if (conf->redirect) {
		r->prefix = conf->redirect->prefix_rewrite;
		build_regex(arena, conf->redirect->regex_rewrite, diag,
		    &r->regex, &r->substitution);
	}
	return r;
}

/* ---- paths ---- */

/* The path without its query after the rewrite; empty: it stays as it is. */
static struct str
new_path(const struct rewrite *r, const struct exchange *x, struct str path)
{
	if (r->prefix.len)
		return arena_printf(x->arena, STR_FMT STR_FMT,
		    STR_ARG(r->prefix),
		    STR_ARG(str_slice(
			path, route_match_len(r->match, path), path.len)));
	if (r->regex)
		return regex_replace(x->arena, r->regex, path, r->substitution);
	if (r->path_format)
		return format_value(r->path_format, x);
	if (r->template)
		return template_rewritten(x->arena, r->template,
		    route_match_template(r->match), path);
	return STR_NONE;
}

void
rewrite_path(const struct rewrite *r, struct exchange *x)
{
	struct str target = headers_get(&x->request, STR(":path"));
	struct str changed = r ? new_path(r, x, target_path(target)) : STR_NONE;

	if (!changed.len)
		return;
	changed = ARENA_JOIN(x->arena, changed, target_query(target));
	if (!x->gateway->suppress_envoy_headers)
		headers_set(&x->request, STR("x-envoy-original-path"), target);
	headers_set(&x->request, STR(":path"), changed);
}

/* ---- hosts ---- */

/* Whether the last entry of a list is this one, to the byte. */
static bool
ends_with_entry(struct str list, struct str entry)
{
	struct str rest = list, last = STR("");

	while (rest.ptr) {
		struct str part = str_split(&rest, ',');

		if (part.len)
			last = part;
	}
	return str_eq(last, entry);
}

static void
append_forwarded_host(struct exchange *x, struct str host)
{
	struct str name = STR("x-forwarded-host");
	struct str list = headers_joined(&x->request, name);

	if (!host.len || (list.len && ends_with_entry(list, host)))
		return;
	headers_set(&x->request, name,
	    list.len ? arena_printf(x->arena, STR_FMT "," STR_FMT,
			   STR_ARG(list), STR_ARG(host))
		     : host);
}

void
rewrite_authority(
    const struct conf_route_action *action, struct exchange *x, struct str host)
{
	struct str old = headers_get(&x->request, STR(":authority"));

	if (action->append_x_forwarded_host)
		append_forwarded_host(x, old);
	if (!x->gateway->suppress_envoy_headers)
		headers_set(&x->request, STR("x-envoy-original-host"), old);
	headers_set(&x->request, STR(":authority"), host);
}

static struct str
formatted(const struct format *format, const struct exchange *x)
{
	struct str out = STR_NONE;
	struct buf text;

	buf_init(&text, HOST_MAX);
	if (!format_render(format, x, &text))
		out = arena_str(x->arena, buf_bytes(&text));
	buf_free(&text);
	return out;
}

void
rewrite_host(const struct rewrite *r, struct exchange *x)
{
	const struct conf_route_action *action;
	struct str target = headers_get(&x->request, STR(":path"));
	struct str host = STR_NONE;

	if (!r)
		return;
	action = r->conf->route;
	if (action->host_rewrite_literal.len)
		host = action->host_rewrite_literal;
	else if (r->host_header.ptr)
		host = headers_get(&x->request, r->host_header);
	else if (r->host_regex)
		host = regex_replace(x->arena, r->host_regex,
		    target_path(target), r->host_substitution);
	else if (r->host_format)
		host = formatted(r->host_format, x);
	if (host.len)
		rewrite_authority(action, x, host);
}

/* ---- redirects ---- */

/* Offset of ":port" in a host, or its length. */
static size_t
port_start(struct str host)
{
	size_t at = host.len;

	while (at && host.ptr[at - 1] != ':')
		at--;
	if (!at || (host.ptr[0] == '[' && (at < 2 || host.ptr[at - 2] != ']')))
		return host.len;
	return at - 1;
}

/*
 * The request's own host. Its port goes when another is given, and when it
 * is the default of the scheme that the redirect leaves.
 */
static struct str
request_host(const struct exchange *x, struct str scheme, bool has_port)
{
	struct str host = headers_get(&x->request, STR(":authority"));
	struct str proto = headers_get(&x->request, STR("x-forwarded-proto"));
	size_t at = port_start(host);
	struct str port = str_slice(host, at, host.len);
	bool drop = has_port;

	if (!str_eq(scheme, proto))
		drop |=
		    (str_eq(proto, STR("https")) &&
			str_eq(port, STR(":443"))) ||
		    (str_eq(proto, STR("http")) && str_eq(port, STR(":80")));
	return drop ? str_slice(host, 0, at) : host;
}

/* Path and query; a query in path_redirect is not stripped. */
static struct str
redirect_target(const struct conf_redirect *redirect, const struct exchange *x)
{
	struct str target = headers_get(&x->request, STR(":path"));
	struct str path = redirect->path_redirect;

	if (str_find_char(path, '?', 0) < path.len)
		return path;
	if (path.len)
		target = arena_printf(x->arena, STR_FMT STR_FMT, STR_ARG(path),
		    STR_ARG(target_query(target)));
	return redirect->strip_query
		   ? str_slice(target, 0, str_find_char(target, '?', 0))
		   : target;
}

struct str
rewrite_to_https(const struct exchange *x)
{
	return arena_printf(x->arena, "https://" STR_FMT STR_FMT,
	    STR_ARG(headers_get(&x->request, STR(":authority"))),
	    STR_ARG(headers_get(&x->request, STR(":path"))));
}

struct str
rewrite_location(const struct rewrite *r, struct exchange *x)
{
	const struct conf_redirect *redirect = r->conf->redirect;
	struct str scheme, host, target, port = STR("");

	rewrite_path(r, x);
	scheme = redirect->https_redirect ? STR("https")
		 : redirect->scheme_redirect.len
		     ? redirect->scheme_redirect
		     : headers_get(&x->request, STR(":scheme"));
	if (redirect->port_redirect)
		port = arena_printf(x->arena, ":%u", redirect->port_redirect);
	host = redirect->host_redirect.len
		   ? redirect->host_redirect
		   : request_host(x, scheme, port.len > 0);
	target = redirect_target(redirect, x);
	return arena_printf(x->arena,
	    STR_FMT "://" STR_FMT STR_FMT "%s" STR_FMT, STR_ARG(scheme),
	    STR_ARG(host), STR_ARG(port),
	    str_starts(target, STR("/")) ? "" : "/", STR_ARG(target));
}
