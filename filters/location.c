/*
 * Maps what a backend says about its own place to the place where clients
 * see it: Location, Content-Location, and the Path and Domain of cookies.
 * Addresses of anybody else are left alone.
 */
#include "config.h"

#include "chain/filter.h"
#include "chain/host.h"
#include "http/target.h"

struct conf_location {
	const struct node *node;
};

struct conf_location_route {
	const struct node *node;
	struct str backend, base, prefix;
};

static const struct schema_field fields[] = { { .name = NULL } };

static const struct schema_message message = {
	.name = "sallyport.location",
	.size = sizeof(struct conf_location),
	.fields = fields,
};

static const struct schema_field route_fields[] = {
	{ .name = "backend",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_location_route, backend),
	    .min_items = 1,
	    .required = true,
	    .text = "The backend as it calls itself: http://host:port." },
	{ .name = "base",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_location_route, base),
	    .fallback = "/",
	    .text = "Path of the backend to which requests go." },
	{ .name = "prefix",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_location_route, prefix),
	    .fallback = "/",
	    .text = "Path under which clients see it." },
	{ .name = NULL },
};

static const struct schema_message route_message = {
	.name = "sallyport.location.route",
	.size = sizeof(struct conf_location_route),
	.fields = route_fields,
};

struct place_of {
	struct str scheme, host; /* in the case as written */
	struct str port; /* of digits, or empty for the scheme's own */
};

struct location {
	struct place_of backend;
	struct str base, prefix; /* without a slash at the end */
};

/* What the client asked for, before the router rewrites it. */
struct asked {
	struct str scheme, authority;
};

/* ---- addresses ---- */

static struct place_of
place_from(struct str scheme, struct str authority)
{
	struct place_of place = { scheme, authority, STR("") };
	size_t colon = authority.len;

	while (colon > 0 && ascii_is_digit(authority.ptr[colon - 1]))
		colon--;
	if (colon > 0 && authority.ptr[colon - 1] == ':') {
		place.host = str_slice(authority, 0, colon - 1);
		place.port = str_slice(authority, colon, authority.len);
	}
	if (str_eq(place.port,
		str_eq_nocase(scheme, STR("https")) ? STR("443") : STR("80")))
		place.port = STR("");
	return place;
}

static bool
is_same_host(const struct place_of *a, const struct place_of *b)
{
	return str_eq_nocase(a->host, b->host) && str_eq(a->port, b->port);
}

/* Length of "scheme:" at the start of a reference (RFC 3986), or 0. */
static size_t
scheme_len(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == ':' && i > 0)
			return i + 1;
		if (!ascii_is_alpha(c) &&
		    (i == 0 || (!ascii_is_digit(c) && c != '+' && c != '-' &&
				   c != '.')))
			return 0;
	}
	return 0;
}

static struct str
without_last_slash(struct str path)
{
	return str_ends(path, STR("/")) ? str_slice(path, 0, path.len - 1)
					: path;
}

/* ---- configuration ---- */

static const void *
configure_route(struct setup *s, const void *decoded)
{
	const struct conf_location_route *conf = decoded;
	struct location *location =
	    ARENA_NEW(host_setup_arena(s), struct location);
	size_t at = scheme_len(conf->backend);
	struct str rest = str_slice(conf->backend, at, conf->backend.len);

	location->base = without_last_slash(conf->base);
	location->prefix = without_last_slash(conf->prefix);
	if (!str_starts(conf->base, STR("/")) ||
	    !str_starts(conf->prefix, STR("/")))
		host_setup_error(
		    s, conf->node, "base and prefix begin with \"/\"");
	if ((!str_starts_nocase(conf->backend, STR("http:")) &&
		!str_starts_nocase(conf->backend, STR("https:"))) ||
	    !str_starts(rest, STR("//")) || rest.len < 3 ||
	    str_find_char(rest, '/', 2) < rest.len) {
		host_setup_error(s, conf->node,
		    "\"" STR_FMT "\" is no http://host:port",
		    STR_ARG(conf->backend));
		return location;
	}
	location->backend = place_from(
	    str_slice(conf->backend, 0, at - 1), str_slice(rest, 2, rest.len));
	return location;
}

/* ---- references ---- */

/* Whether the path lies under the backend's base. */
static bool
is_ours(const struct location *location, struct str path)
{
	return location->base.len == 0 ||
	       target_has_segment_prefix(target_path(path), location->base);
}

/* The path with base replaced by prefix. */
static struct str
map_path(struct arena *arena, const struct location *location, struct str path)
{
	struct str rest = str_slice(path, location->base.len, path.len);

	return arena_printf(arena, STR_FMT "%s" STR_FMT,
	    STR_ARG(location->prefix),
	    location->prefix.len == 0 && !str_starts(rest, STR("/")) ? "/" : "",
	    STR_ARG(rest));
}

/* The scheme that the client used, as far as is known. */
static struct str
outer_scheme(struct exchange *x, const struct asked *asked)
{
	struct str scheme =
	    host_header(x, HOST_REQUEST, STR("x-forwarded-proto"), 0);

	if (!str_eq(scheme, STR("http")) && !str_eq(scheme, STR("https")))
		scheme = asked->scheme;
	return scheme.len ? scheme : STR("http");
}

/*
 * Whether the backend means itself: by its own address, or by a name that
 * reached it, in the scheme that it sees or the client used. A step from
 * http to https by the client's name is meant as such.
 */
static bool
means_itself(struct exchange *x, const struct location *location,
    const struct asked *asked, const struct place_of *named)
{
	struct str seen = host_header(x, HOST_REQUEST, STR(":authority"), 0);
	struct place_of names[] = { place_from(named->scheme, seen),
		place_from(outer_scheme(x, asked), asked->authority) };

	if (str_eq_nocase(named->scheme, location->backend.scheme) &&
	    is_same_host(named, &location->backend))
		return true;
	if (!str_eq_nocase(named->scheme, location->backend.scheme) &&
	    !str_eq_nocase(named->scheme, outer_scheme(x, asked)))
		return false;
	return is_same_host(named, &names[0]) || is_same_host(named, &names[1]);
}

/* A reference mapped for the client; absent if it stays. */
static struct str
map_reference(struct exchange *x, const struct location *location,
    const struct asked *asked, struct str reference)
{
	struct arena *arena = host_arena(x);
	size_t at = scheme_len(reference), end;
	struct str rest = str_slice(reference, at, reference.len), path;
	struct place_of named;

	if (at == 0 && str_starts(rest, STR("/")) &&
	    !str_starts(rest, STR("//")))
		return is_ours(location, rest) ? map_path(arena, location, rest)
					       : STR_NONE;
	if (!str_starts(rest, STR("//")))
		return STR_NONE;
	for (end = 2; end < rest.len && !strchr("/?#\\", rest.ptr[end]);)
		end++;
	named = place_from(
	    at ? str_slice(reference, 0, at - 1) : location->backend.scheme,
	    str_slice(rest, 2, end));
	path = str_slice(rest, end, rest.len);
	if (!means_itself(x, location, asked, &named) ||
	    (path.len && path.ptr[0] == '\\') || !is_ours(location, path))
		return STR_NONE;
	path = map_path(arena, location, path);
	return arena_printf(arena, STR_FMT "://" STR_FMT STR_FMT,
	    STR_ARG(outer_scheme(x, asked)), STR_ARG(asked->authority),
	    STR_ARG(path));
}

static void
map_field(struct exchange *x, const struct location *location,
    const struct asked *asked, struct str name)
{
	struct str value = host_header(x, HOST_RESPONSE, name, 0), mapped;

	if (!value.ptr)
		return;
	mapped = map_reference(x, location, asked, str_trim(value));
	if (mapped.ptr)
		host_header_set(x, HOST_RESPONSE, name, mapped);
}

/* ---- cookies ---- */

/* The Path of a cookie covers the prefix itself: no slash at its end. */
static struct str
map_cookie_path(
    struct arena *arena, const struct location *location, struct str path)
{
	struct str mapped;

	if (!str_starts(path, STR("/")) || !is_ours(location, path))
		return path;
	mapped = map_path(arena, location, path);
	return mapped.len > 1 &&
		       str_eq(without_last_slash(mapped), location->prefix)
		   ? location->prefix
		   : mapped;
}

static bool
is_backend_host(const struct location *location, struct str domain)
{
	if (str_starts(domain, STR(".")))
		domain = str_slice(domain, 1, domain.len);
	return str_eq_nocase(domain, location->backend.host);
}

/* A cookie mapped for the client (RFC 6265 section 4.1). */
static struct str
map_cookie(
    struct arena *arena, const struct location *location, struct str cookie)
{
	struct str rest = cookie, out = str_split(&rest, ';'), part, name;
	/* Browsers drop cookies of this name whose path is not "/". */
	bool keeps_path = str_starts_nocase(str_trim(out), STR("__Host-"));

	while (rest.ptr) {
		size_t eq;
		struct str value;

		part = str_split(&rest, ';');
		eq = str_find_char(part, '=', 0);
		name = str_trim(str_slice(part, 0, eq));
		value = str_trim(str_slice(part, eq + 1, part.len));
		if (str_eq_nocase(name, STR("domain")) &&
		    is_backend_host(location, value))
			continue;
		if (str_eq_nocase(name, STR("path")) && !keeps_path) {
			value = map_cookie_path(arena, location, value);
			part = arena_printf(
			    arena, " Path=" STR_FMT, STR_ARG(value));
		}
		out = arena_printf(
		    arena, STR_FMT ";" STR_FMT, STR_ARG(out), STR_ARG(part));
	}
	return out;
}

static void
map_cookies(struct exchange *x, const struct location *location)
{
	const struct str name = STR("set-cookie");
	struct str *cookies, cookie;
	size_t n = 0;

	while (host_header(x, HOST_RESPONSE, name, n).ptr)
		n++;
	if (n == 0)
		return;
	cookies = ARENA_ARRAY(host_arena(x), n, struct str);
	for (size_t i = 0; i < n; i++) {
		cookie = host_header(x, HOST_RESPONSE, name, i);
		cookies[i] =
		    host_keep(x, map_cookie(host_arena(x), location, cookie));
	}
	host_header_remove(x, HOST_RESPONSE, name);
	for (size_t i = 0; i < n; i++)
		host_header_add(x, HOST_RESPONSE, name, cookies[i]);
}

/* ---- callbacks ---- */

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	struct asked *asked = state;

	(void)conf;
	asked->scheme = host_keep(x, host_attribute(x, HOST_SCHEME));
	asked->authority =
	    host_keep(x, host_header(x, HOST_REQUEST, STR(":authority"), 0));
	return FILTER_NEXT;
}

static enum verdict
on_response(const void *conf, void *state, struct exchange *x)
{
	const struct location *location = host_route_conf(x);
	const struct asked *asked = state;

	(void)conf;
	/* What the gateway answers by itself speaks of the outside already. */
	if (!location || !asked->authority.len ||
	    !str_eq(host_attribute(x, HOST_CODE_DETAILS), STR("via_upstream")))
		return FILTER_NEXT;
	map_field(x, location, asked, STR("location"));
	map_field(x, location, asked, STR("content-location"));
	map_cookies(x, location);
	return FILTER_NEXT;
}

const struct filter filter_location = {
	.name = "sallyport.location",
	.text = "Maps what a backend says about its own place to the place "
		"where clients see it: Location, Content-Location, and the "
		"Path and Domain of cookies. Addresses of anybody else are "
		"left alone.",
	.short_form = "always there, for routes whose path is stripped",
	.conf = &message,
	.route_conf = &route_message,
	.configure_route = configure_route,
	.state_size = sizeof(struct asked),
	.on_request = on_request,
	.on_response = on_response,
};
