/* Routes of the short form: paths, backends, limits. */
#include "config.h"

#include <inttypes.h>

#include "base/clock.h"
#include "config/scalar.h"
#include "config/short_check.h"

#define PATH_MAX_LEN  1024
#define LIMIT_MAX     1000000
#define WINDOW_MIN_NS (100 * NS_PER_MS)
#define WINDOW_MAX_NS (31 * 86400 * NS_PER_S)

static bool
is_unreserved(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

/* Why no normalised path begins so, or NULL. */
static const char *
path_problem(struct str path)
{
	if (!str_starts(path, STR("/")))
		return "a path begins with \"/\"";
	if (path.len > PATH_MAX_LEN)
		return "a path has at most 1024 characters";
	if (path.len > 1 && str_ends(path, STR("/")))
		return "a path does not end with \"/\": it stands for whole "
		       "segments";
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.ptr[i];

		if (c == '?' || c == '#')
			return "a path has neither \"?\" nor \"#\"";
		if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c))
			return "a path has no blanks and none of \" < > \\ ^ "
			       "` { | } and is ASCII: escape them with %";
		if (c == '%' && str_percent(path, i) < 0)
			return "\"%\" begins an escape of two hexadecimal "
			       "digits";
		if (c == '%' && is_unreserved((char)str_percent(path, i)))
			return "an escape of a character that needs none never "
			       "matches: write the character";
	}
	return NULL;
}

/* Whether a path holds an empty segment, "." or "..". */
static bool
has_dot_segment(struct str path)
{
	struct str rest = str_slice(path, 1, path.len);

	while (path.len > 1 && rest.ptr) {
		struct str segment = str_split(&rest, '/');

		if (segment.len == 0 || str_eq(segment, STR(".")) ||
		    str_eq(segment, STR("..")))
			return true;
	}
	return false;
}

static void
check_path(
    struct short_pass *p, const char *at, const struct short_route *route)
{
	const char *problem = path_problem(route->path);
	struct place place = short_place(route->node, "path");

	if (!route->path.ptr)
		return;
	if (problem)
		diag_error(p->diag, place, at, "%s", problem);
	else if (has_dot_segment(route->path))
		diag_error(p->diag, place, at,
		    "requests are normalised first: a path with \"//\", "
		    "\".\" or \"..\" never matches");
	if (route->path.len > 1 && str_ends(route->path, STR("/")) &&
	    str_starts(route->path, STR("/")))
		diag_hint(p->diag, "write " STR_FMT,
		    STR_ARG(str_slice(route->path, 0, route->path.len - 1)));
}

static struct str
authority_of(struct short_pass *p, const struct short_backend *to)
{
	bool is_v6 = str_find_char(to->host, ':', 0) < to->host.len;
	struct str host =
	    is_v6 ? arena_printf(p->arena, "[" STR_FMT "]", STR_ARG(to->host))
		  : to->host;

	if (to->port == (to->is_https ? 443 : 80))
		return host;
	return arena_printf(
	    p->arena, STR_FMT ":%" PRIu32, STR_ARG(host), to->port);
}

static const char *
parse_backend(struct short_pass *p, struct str text, struct short_backend *to)
{
	struct str rest;
	size_t slash;

	to->is_https = str_starts_nocase(text, STR("https://"));
	if (!to->is_https && !str_starts_nocase(text, STR("http://")))
		return "a backend begins with http:// or https://";
	rest = str_slice(text, to->is_https ? 8 : 7, text.len);
	if (str_find_char(rest, '@', 0) < rest.len)
		return "a backend has no user and password";
	slash = str_find_char(rest, '/', 0);
	to->port = to->is_https ? 443 : 80;
	if (!short_split_host(
		p, str_slice(rest, 0, slash), &to->host, &to->port))
		return "a backend is http(s)://host[:port][/base]";
	to->host = short_lower(p, to->host);
	to->is_ip = short_is_ip(p, to->host);
	to->authority = authority_of(p, to);
	to->url = arena_printf(p->arena, "%s://" STR_FMT,
	    to->is_https ? "https" : "http", STR_ARG(to->authority));
	to->base = str_slice(rest, slash, rest.len);
	while (str_ends(to->base, STR("/")))
		to->base.len--;
	if (to->base.len && path_problem(to->base))
		return path_problem(to->base);
	return to->base.len && has_dot_segment(to->base)
		   ? "the base path has a segment that is empty, \".\" or "
		     "\"..\""
		   : NULL;
}

static void
check_backend(struct short_pass *p, const char *at, struct short_route *route)
{
	const char *problem;

	if (!route->backend.ptr)
		return;
	problem = parse_backend(p, route->backend, &route->to);
	if (problem)
		diag_error(p->diag, short_place(route->node, "backend"), at,
		    "%s", problem);
}

void
short_name_clusters(struct short_pass *p)
{
	for (size_t i = 0; i < p->form->routes.n; i++) {
		struct short_backend *to = &p->form->routes.items[i].to;
		bool taken = false;

		to->cluster = arena_printf(p->arena,
		    str_find_char(to->host, ':', 0) < to->host.len
			? "[" STR_FMT "]:%" PRIu32
			: STR_FMT ":%" PRIu32,
		    STR_ARG(to->host), to->port);
		for (size_t j = 0; j < p->form->routes.n; j++) {
			const struct short_backend *other =
			    &p->form->routes.items[j].to;

			if (str_eq(other->host, to->host) &&
			    other->port == to->port &&
			    other->is_https != to->is_https)
				taken = true;
		}
		if (taken)
			to->cluster = arena_printf(p->arena, STR_FMT "-%s",
			    STR_ARG(to->cluster),
			    to->is_https ? "tls" : "plain");
	}
}

/* "100/60s"; a unit alone is one of it. */
static const char *
parse_rate(struct short_pass *p, struct str text, struct short_limit *limit)
{
	size_t slash = str_find_char(text, '/', 0);
	struct str window = str_trim(str_slice(text, slash + 1, text.len));

	if (window.len && !ascii_is_digit(window.ptr[0]))
		window = arena_printf(p->arena, "1" STR_FMT, STR_ARG(window));
	if (!str_to_u64(str_trim(str_slice(text, 0, slash)), &limit->limit) ||
	    !scalar_to_duration(window, &limit->window_ns))
		return "a limit is requests per duration, such as 100/60s";
	if (limit->limit < 1 || limit->limit > LIMIT_MAX)
		return "a limit has 1 to 1000000 requests";
	if (limit->window_ns < WINDOW_MIN_NS ||
	    limit->window_ns > WINDOW_MAX_NS)
		return "a limit's duration is 100ms to 31 days";
	return NULL;
}

static const char *
parse_limit_key(struct str text, struct short_limit *limit)
{
	size_t colon = str_find_char(text, ':', 0);
	struct str kind = str_slice(text, 0, colon);

	limit->key = str_slice(text, colon + 1, text.len);
	if (str_eq(text, STR("client"))) {
		limit->kind = SHORT_KEY_CLIENT;
	} else if (str_eq(kind, STR("header")) && short_is_token(limit->key)) {
		limit->kind = SHORT_KEY_HEADER;
	} else if (str_eq(kind, STR("claim")) && limit->key.len) {
		limit->kind = SHORT_KEY_CLAIM;
	} else {
		return "a key is client, header:NAME or claim:NAME";
	}
	return NULL;
}

static void
check_limit(struct short_pass *p, const char *at, struct short_route *route)
{
	const struct node *n = route->rate_limit;
	struct short_limit_map spelled = { .key = STR("client") };
	const char *problem = NULL;

	if (!n)
		return;
	route->limit.node = n;
	if (n->kind == NODE_SCALAR)
		spelled.limit = n->scalar;
	else
		spelled = *(struct short_limit_map *)schema_decode(p->arena,
		    p->diag, arena_printf(p->arena, "%s.rate_limit", at).ptr,
		    &short_limit_message, n);
	if (spelled.limit.ptr)
		problem = parse_rate(p, spelled.limit, &route->limit);
	if (problem)
		diag_error(p->diag, short_place(n, "limit"), at, "%s", problem);
	problem = parse_limit_key(spelled.key, &route->limit);
	if (problem)
		diag_error(p->diag, short_place(n, "key"), at, "%s", problem);
	else if (route->limit.kind == SHORT_KEY_CLAIM &&
		 route->auth != SHORT_AUTH_JWT)
		diag_error(p->diag, short_place(n, "key"), at,
		    "a limit by claim needs `auth: jwt` on the route");
	p->form->needs_limits = true;
}

/* Routes of one path must differ in all their methods. */
static void
check_overlap(struct short_pass *p, const char *at, size_t i)
{
	struct short_route *routes = p->form->routes.items;
	struct short_route *route = &routes[i];

	for (size_t j = 0; j < i; j++) {
		struct short_route *other = &routes[j];
		struct str method = STR("any method");

		if (!route->path.ptr || !other->path.ptr ||
		    !str_eq(other->path, route->path))
			continue;
		route->shares_path = other->shares_path = true;
		for (size_t m = 0; m < route->methods.n; m++)
			if (short_contains(&other->methods, other->methods.n,
				route->methods.items[m]))
				method = route->methods.items[m];
		if (other->methods.n && route->methods.n &&
		    str_eq(method, STR("any method")))
			continue;
		diag_error(p->diag, route->node->place, at,
		    "the route of line %u has the same path and " STR_FMT
		    " as well",
		    other->node->place.line, STR_ARG(method));
		return;
	}
}

void
short_check_route(struct short_pass *p, size_t i)
{
	struct short_route *route = &p->form->routes.items[i];
	const char *at = arena_printf(p->arena, "routes[%zu]", i).ptr;

	check_path(p, at, route);
	short_check_methods(p, at, route->node, &route->methods);
	check_backend(p, at, route);
	check_limit(p, at, route);
	check_overlap(p, at, i);
	if (route->auth != SHORT_AUTH_JWT)
		return;
	p->form->needs_jwt = true;
	if (!p->form->jwt)
		diag_error(p->diag, short_place(route->node, "auth"), at,
		    "`auth: jwt` needs a `jwt` section with the keys");
}
