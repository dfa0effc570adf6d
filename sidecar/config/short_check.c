/*
 * What the short form's tables cannot say: paths, backends, limits, secrets,
 * and what parts of the file ask of each other.
 */
#include "config.h"

#include <arpa/inet.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "config/bootstrap.h"
#include "config/read.h"
#include "config/scalar.h"
#include "config/short_form.h"

#define SECRET_MAX     4096
#define SECRET_ADVISED 32
#define JWKS_MAX       (1U << 20)
#define PATH_MAX_LEN   1024
#define LIMIT_MAX      1000000
#define WINDOW_MIN_NS  (100 * NS_PER_MS)
#define WINDOW_MAX_NS  (31 * 86400 * NS_PER_S)

struct pass {
	struct arena *arena;
	struct diag *diag;
	struct short_form *form;
};

/* Where the value of a field stands; the map itself if it is not given. */
static struct place
place_of(const struct node *map, const char *field)
{
	const struct node *value = node_get(map, field);

	return value ? value->place : map->place;
}

static struct place
item_place(const struct node *map, const char *field, size_t i)
{
	const struct node *list = node_get(map, field);

	return list && list->kind == NODE_LIST && i < list->n
		   ? list->items[i].value->place
		   : map->place;
}

static bool
is_unreserved(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

static bool
is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alpha(s.ptr[i]) && !ascii_is_digit(s.ptr[i]) &&
		    (!s.ptr[i] || !strchr("!#$%&'*+-.^_`|~", s.ptr[i])))
			return false;
	return s.len > 0;
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
		if (c == '%' &&
		    (i + 2 >= path.len || ascii_hex(path.ptr[i + 1]) < 0 ||
			ascii_hex(path.ptr[i + 2]) < 0))
			return "\"%\" begins an escape of two hexadecimal "
			       "digits";
		if (c == '%' &&
		    is_unreserved((char)(ascii_hex(path.ptr[i + 1]) * 16 +
					 ascii_hex(path.ptr[i + 2]))))
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
check_path(struct pass *p, const char *at, const struct short_route *route)
{
	const char *problem = path_problem(route->path);
	struct place place = place_of(route->node, "path");

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
upper(struct pass *p, struct str s)
{
	char *copy = arena_cstr(p->arena, s);

	for (size_t i = 0; i < s.len; i++)
		if (copy[i] >= 'a' && copy[i] <= 'z')
			copy[i] = (char)(copy[i] - 'a' + 'A');
	return (struct str){ copy, s.len };
}

static bool
contains(const conf_strings *list, size_t n, struct str s)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list->items[i], s))
			return true;
	return false;
}

static void
check_methods(struct pass *p, const char *at, const struct node *node,
    const conf_strings *methods)
{
	for (size_t i = 0; i < methods->n; i++) {
		struct str m = methods->items[i];
		struct place place = item_place(node, "methods", i);

		if (!m.ptr)
			continue;
		if (!is_token(m))
			diag_error(p->diag, place, at,
			    "'" STR_FMT "' is no method", STR_ARG(m));
		else if (!str_eq(upper(p, m), m)) {
			diag_error(p->diag, place, at,
			    "methods are written in upper case");
			diag_hint(
			    p->diag, "write " STR_FMT, STR_ARG(upper(p, m)));
		} else if (contains(methods, i, m))
			diag_error(p->diag, place, at,
			    "'" STR_FMT "' stands here twice", STR_ARG(m));
	}
}

static bool
is_ip(struct pass *p, struct str host)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	const char *text = arena_cstr(p->arena, host);

	return inet_pton(AF_INET, text, bytes) == 1 ||
	       inet_pton(AF_INET6, text, bytes) == 1;
}

static bool
is_host_name(struct str host)
{
	for (size_t i = 0; i < host.len; i++)
		if (!ascii_is_alpha(host.ptr[i]) &&
		    !ascii_is_digit(host.ptr[i]) && host.ptr[i] != '-' &&
		    host.ptr[i] != '.' && host.ptr[i] != '_')
			return false;
	return host.len > 0 && host.len <= 253;
}

/*
 * Takes "host:port" or "[v6]:port" apart; the port is left alone when there
 * is none.
 */
static bool
split_host(struct pass *p, struct str text, struct str *host, uint32_t *port)
{
	size_t end = str_find_char(text, ':', 0);
	uint64_t number;

	if (str_starts(text, STR("["))) {
		end = str_find_char(text, ']', 0);
		*host = str_slice(text, 1, end);
		if (end == text.len || !is_ip(p, *host))
			return false;
		end++;
	} else {
		*host = str_slice(text, 0, end);
		if (!is_host_name(*host))
			return false;
	}
	if (end >= text.len)
		return true;
	if (text.ptr[end] != ':' ||
	    !str_to_u64(str_slice(text, end + 1, text.len), &number) ||
	    number < 1 || number > 65535)
		return false;
	*port = (uint32_t)number;
	return true;
}

static struct str
lower(struct pass *p, struct str s)
{
	char *copy = arena_cstr(p->arena, s);

	for (size_t i = 0; i < s.len; i++)
		copy[i] = ascii_lower(copy[i]);
	return (struct str){ copy, s.len };
}

static struct str
authority_of(struct pass *p, const struct short_backend *to)
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
parse_backend(struct pass *p, struct str text, struct short_backend *to)
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
	if (!split_host(p, str_slice(rest, 0, slash), &to->host, &to->port))
		return "a backend is http(s)://host[:port][/base]";
	to->host = lower(p, to->host);
	to->is_ip = is_ip(p, to->host);
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
check_backend(struct pass *p, const char *at, struct short_route *route)
{
	const char *problem;

	if (!route->backend.ptr)
		return;
	problem = parse_backend(p, route->backend, &route->to);
	if (problem)
		diag_error(p->diag, place_of(route->node, "backend"), at, "%s",
		    problem);
}

/* One cluster per scheme, host and port, named after host and port. */
static void
name_clusters(struct pass *p)
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
parse_rate(struct pass *p, struct str text, struct short_limit *limit)
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
		limit->key_field = "key";
		limit->key = text;
	} else if (str_eq(kind, STR("header")) && is_token(limit->key)) {
		limit->key_field = "key_header";
	} else if (str_eq(kind, STR("claim")) && limit->key.len) {
		limit->key_field = "key_claim";
	} else {
		return "a key is client, header:NAME or claim:NAME";
	}
	return NULL;
}

static void
check_limit(struct pass *p, const char *at, struct short_route *route)
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
		diag_error(p->diag, place_of(n, "limit"), at, "%s", problem);
	problem = parse_limit_key(spelled.key, &route->limit);
	if (problem)
		diag_error(p->diag, place_of(n, "key"), at, "%s", problem);
	else if (!strcmp(route->limit.key_field, "key_claim") &&
		 route->auth != SHORT_AUTH_JWT)
		diag_error(p->diag, place_of(n, "key"), at,
		    "a limit by claim needs `auth: jwt` on the route");
	p->form->needs_limits = true;
}

/* Routes of one path must differ in all their methods. */
static void
check_overlap(struct pass *p, const char *at, size_t i)
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
			if (contains(&other->methods, other->methods.n,
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

static void
check_route(struct pass *p, size_t i)
{
	struct short_route *route = &p->form->routes.items[i];
	const char *at = arena_printf(p->arena, "routes[%zu]", i).ptr;

	check_path(p, at, route);
	check_methods(p, at, route->node, &route->methods);
	check_backend(p, at, route);
	check_limit(p, at, route);
	check_overlap(p, at, i);
	if (route->auth != SHORT_AUTH_JWT)
		return;
	p->form->needs_jwt = true;
	if (!p->form->jwt)
		diag_error(p->diag, place_of(route->node, "auth"), at,
		    "`auth: jwt` needs a `jwt` section with the keys");
}

static struct str
without_newline(struct str s)
{
	if (str_ends(s, STR("\n")))
		s.len--;
	if (str_ends(s, STR("\r")))
		s.len--;
	return s;
}

static struct str
credential_path(struct pass *p, const char *at, const struct short_secret *s)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	struct place place = place_of(s->node, "credential");

	if (str_find_char(s->credential, '/', 0) < s->credential.len ||
	    str_starts(s->credential, STR("."))) {
		diag_error(
		    p->diag, place, at, "a credential is a name, not a path");
		return STR_NONE;
	}
	if (!directory || !*directory) {
		diag_error(p->diag, place, at,
		    "there are no credentials: CREDENTIALS_DIRECTORY is not "
		    "set");
		diag_hint(p->diag,
		    "systemd sets it for units with LoadCredential=" STR_FMT,
		    STR_ARG(s->credential));
		return STR_NONE;
	}
	return arena_printf(
	    p->arena, "%s/" STR_FMT, directory, STR_ARG(s->credential));
}

/* The bytes of a secret, or absent with the error added. */
static struct str
read_secret(struct pass *p, const char *at, const struct short_secret *s)
{
	struct conf_data_source source = { .node = s->node,
		.environment_variable = s->env,
		.filename = s->file };
	struct str bytes;

	if (s->credential.ptr)
		source.filename = credential_path(p, at, s);
	if (!s->env.ptr && !source.filename.ptr)
		return STR_NONE;
	bytes = bootstrap_data(p->arena, p->diag, at, &source, SECRET_MAX);
	if (!bytes.ptr || s->env.ptr)
		return bytes;
	bytes = without_newline(bytes);
	if (bytes.len)
		return bytes;
	diag_error(p->diag, s->node->place, at, "it is empty");
	return STR_NONE;
}

static void
check_algorithms(struct pass *p, const struct short_jwt *jwt)
{
	static const char *const known[] = { "HS256", "HS384", "HS512", NULL };

	if (jwt->jwks && jwt->algorithms.n) {
		diag_error(p->diag, place_of(jwt->node, "algorithms"), "jwt",
		    "`algorithms` goes with `secret` only");
		diag_hint(p->diag, "put \"alg\" into each key of the JWK set");
		return;
	}
	for (size_t i = 0; i < jwt->algorithms.n; i++) {
		struct str name = jwt->algorithms.items[i];
		struct place place = item_place(jwt->node, "algorithms", i);
		const char *near = schema_nearest(name, known);
		size_t at = 0;

		while (known[at] && !str_eq(str_of(known[at]), name))
			at++;
		if (!name.ptr)
			continue;
		if (!known[at]) {
			diag_error(p->diag, place, "jwt.algorithms",
			    "'" STR_FMT
			    "' is no algorithm for a secret: HS256, HS384 "
			    "and HS512 are",
			    STR_ARG(name));
			if (near)
				diag_hint(p->diag, "did you mean `%s`?", near);
			else
				diag_hint(p->diag,
				    "public keys are given with `jwks`");
		} else if (contains(&jwt->algorithms, i, name)) {
			diag_error(p->diag, place, "jwt.algorithms",
			    "'" STR_FMT "' stands here twice", STR_ARG(name));
		}
	}
}

static void
check_claims(struct pass *p, const struct short_jwt *jwt)
{
	for (size_t i = 0; i < jwt->claims.n; i++) {
		const struct map_entry *e = &jwt->claims.items[i];
		const struct str *header = e->value;

		if (e->key.len == 0)
			diag_error(p->diag, e->place, "jwt.claims",
			    "a claim has a name");
		if (header->ptr && !is_token(*header))
			diag_error(p->diag, e->place, "jwt.claims",
			    "'" STR_FMT "' is no header name",
			    STR_ARG(*header));
	}
}

static void
check_jwks(struct pass *p, const struct short_jwks *jwks)
{
	struct conf_data_source source = { .node = jwks->node,
		.filename = jwks->file };

	if (jwks->file.ptr)
		(void)bootstrap_data(
		    p->arena, p->diag, "jwt.jwks", &source, JWKS_MAX);
}

static void
check_jwt(struct pass *p, struct short_jwt *jwt)
{
	if (!jwt)
		return;
	if (jwt->secret)
		jwt->secret_bytes = read_secret(p, "jwt.secret", jwt->secret);
	if (jwt->secret_bytes.ptr && jwt->secret_bytes.len < SECRET_ADVISED)
		diag_warn(p->diag, jwt->secret->node->place, "jwt.secret",
		    "%zu bytes are too few against guessing: have at least "
		    "%d (RFC 7518, section 3.2)",
		    jwt->secret_bytes.len, SECRET_ADVISED);
	if (jwt->jwks)
		check_jwks(p, jwt->jwks);
	check_algorithms(p, jwt);
	check_claims(p, jwt);
	if (jwt->leeway % NS_PER_S)
		diag_error(p->diag, place_of(jwt->node, "leeway"), "jwt",
		    "`leeway` is in whole seconds");
	if (!p->form->needs_jwt)
		diag_warn(p->diag, jwt->node->place, "jwt",
		    "no route has `auth: jwt`: the section has no effect");
}

/* "scheme://host[:port]", as browsers send it, or "null". */
static bool
is_origin(struct pass *p, struct str origin)
{
	size_t at = str_find(origin, STR("://"), 0);
	struct str host;
	uint32_t port = 0;

	if (str_eq(origin, STR("null")) || str_eq(origin, STR("*")))
		return true;
	return at > 0 && at < origin.len && str_eq(lower(p, origin), origin) &&
	       split_host(
		   p, str_slice(origin, at + 3, origin.len), &host, &port);
}

static void
check_names(struct pass *p, const struct node *node, const char *field,
    const conf_strings *names)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->items[i].ptr && !is_token(names->items[i]))
			diag_error(p->diag, item_place(node, field, i), "cors",
			    "'" STR_FMT "' is no header name",
			    STR_ARG(names->items[i]));
}

static void
check_cors(struct pass *p, const struct short_cors *cors)
{
	if (!cors)
		return;
	for (size_t i = 0; i < cors->origins.n; i++) {
		struct str origin = cors->origins.items[i];
		struct place place = item_place(cors->node, "origins", i);

		if (!origin.ptr)
			continue;
		if (!is_origin(p, origin)) {
			diag_error(p->diag, place, "cors.origins",
			    "'" STR_FMT "' is no origin", STR_ARG(origin));
			diag_hint(p->diag,
			    "scheme, host and port in lower case and nothing "
			    "behind: https://app.example.com");
		} else if (str_eq(origin, STR("*")) && cors->credentials) {
			diag_error(p->diag, place, "cors.origins",
			    "\"*\" with `credentials` would let any site act "
			    "as the user: list the origins");
		}
	}
	check_methods(p, "cors", cors->node, &cors->methods);
	check_names(p, cors->node, "headers", &cors->headers);
	check_names(p, cors->node, "expose", &cors->expose);
	if (cors->max_age % NS_PER_S)
		diag_error(p->diag, place_of(cors->node, "max_age"), "cors",
		    "`max_age` is in whole seconds");
}

/* A literal: operators begin with %, so each % is doubled. */
static struct str
escape_percent(struct pass *p, struct str s)
{
	char *out = arena_alloc(p->arena, 2 * s.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		out[len++] = s.ptr[i];
		if (s.ptr[i] == '%')
			out[len++] = '%';
	}
	return (struct str){ out, len };
}

/* Printable ASCII, blanks and tabs. */
static bool
is_field_value(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] < ' ' && s.ptr[i] != '\t') || s.ptr[i] > '~')
			return false;
	return true;
}

static void
check_value(struct pass *p, const char *at, struct short_transform *t)
{
	const struct node *value = t->value;

	if (!t->add.ptr && !t->set.ptr) {
		if (value)
			diag_error(p->diag, value->place, at,
			    "`value` goes with `add` and `set`");
		return;
	}
	if (!value) {
		diag_error(
		    p->diag, t->node->place, at, "`value`: value is required");
		return;
	}
	if (value->kind == NODE_SCALAR)
		t->text = value->scalar;
	else
		t->text = escape_percent(
		    p, read_secret(p, at,
			   schema_decode(p->arena, p->diag,
			       arena_printf(p->arena, "%s.value", at).ptr,
			       &short_secret_message, value)));
	if (!is_field_value(t->text))
		diag_error(p->diag, value->place, at,
		    "a header value is one line of printable ASCII");
}

static void
check_transform(struct pass *p, const char *at, struct short_transform *t)
{
	struct str name = t->add.ptr ? t->add : t->set.ptr ? t->set : t->remove;

	if (name.ptr && !is_token(name))
		diag_error(p->diag, t->node->place, at,
		    "'" STR_FMT "' is no header name", STR_ARG(name));
	if (str_eq_nocase(name, STR("host")))
		diag_error(p->diag, t->node->place, at,
		    "the host header is set from `backend`");
	check_value(p, at, t);
	if (t->rewrite.ptr && !t->to.ptr)
		diag_error(
		    p->diag, t->node->place, at, "`to`: value is required");
	if (!t->rewrite.ptr && t->to.ptr)
		diag_error(p->diag, place_of(t->node, "to"), at,
		    "`to` goes with `rewrite`");
}

static void
check_transforms(struct pass *p, struct short_transforms_both *both)
{
	if (!both)
		return;
	for (size_t i = 0; i < both->request.n; i++)
		check_transform(p,
		    arena_printf(p->arena, "transforms.request[%zu]", i).ptr,
		    &both->request.items[i]);
	for (size_t i = 0; i < both->response.n; i++) {
		struct short_transform *t = &both->response.items[i];
		const char *at =
		    arena_printf(p->arena, "transforms.response[%zu]", i).ptr;

		if (t->rewrite.ptr)
			diag_error(p->diag, t->node->place, at,
			    "`rewrite` is for requests");
		check_transform(p, at, t);
	}
}

static void
check_listen(struct pass *p)
{
	struct short_form *form = p->form;
	struct place place = place_of(form->node, "listen");

	if (str_starts(form->listen, STR("unix:"))) {
		form->listen_path =
		    str_slice(form->listen, 5, form->listen.len);
		if (form->listen_path.len == 0 || form->listen_path.len > 107)
			diag_error(p->diag, place, "listen",
			    "the path of a unix socket has 1 to 107 bytes");
		return;
	}
	if (!split_host(
		p, form->listen, &form->listen_host, &form->listen_port) ||
	    form->listen_port == 0 || !is_ip(p, form->listen_host)) {
		diag_error(p->diag, place, "listen",
		    "'" STR_FMT "' is neither ADDRESS:PORT nor unix:PATH",
		    STR_ARG(form->listen));
		diag_hint(p->diag,
		    "127.0.0.1:9000, [::1]:9000 or unix:/run/sallyport.sock");
	}
}

struct short_form *
short_decode(struct arena *arena, const struct node *top, struct diag *diag)
{
	struct pass p = { .arena = arena, .diag = diag };

	p.form = schema_decode(arena, diag, "", &short_form_message, top);
	check_listen(&p);
	for (size_t i = 0; i < p.form->routes.n; i++)
		check_route(&p, i);
	name_clusters(&p);
	check_jwt(&p, p.form->jwt);
	check_cors(&p, p.form->cors);
	check_transforms(&p, p.form->transforms);
	return p.form;
}
