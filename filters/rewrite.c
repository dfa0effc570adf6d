/*
 * Rewrites the path by a regular expression and has the route chosen anew.
 * Envoy's routes can rewrite too, but only once, behind the choice.
 */
#include "config.h"

#include "base/regex.h"
#include "chain/filter.h"
#include "chain/host.h"
#include "http/target.h"

struct conf_rewrite {
	const struct node *node;
	struct str pattern, substitution;
};

static const struct schema_field fields[] = {
	{ .name = "pattern",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_rewrite, pattern),
	    .min_items = 1,
	    .required = true,
	    .text = "Regular expression looked for in the path; the query is "
		    "not part of it." },
	{ .name = "substitution",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_rewrite, substitution),
	    .fallback = "",
	    .text = "What each match becomes; \\1 to \\9 are the groups, \\0 "
		    "is the match." },
	{ .name = NULL },
};

static const struct schema_message message = {
	.name = "sallyport.rewrite",
	.size = sizeof(struct conf_rewrite),
	.fields = fields,
};

struct rewrite {
	const struct regex *pattern;
	struct str substitution;
};

static const void *
configure(struct setup *s, const void *decoded)
{
	const struct conf_rewrite *conf = decoded;
	struct rewrite *rewrite =
	    ARENA_NEW(host_setup_arena(s), struct rewrite);
	const char *why;

	rewrite->substitution = conf->substitution;
	if (regex_compile(
		host_setup_arena(s), conf->pattern, &rewrite->pattern, &why))
		host_setup_error(s, conf->node, "the pattern %s", why);
	else if (!regex_substitution_is_valid(
		     rewrite->pattern, conf->substitution))
		host_setup_error(s, conf->node,
		    "the substitution names a group that the pattern does "
		    "not have");
	return rewrite;
}

static enum verdict
refuse(struct exchange *x)
{
	host_reply(x, &(struct host_reply){
			  .status = 400, .details = STR("rewrite_failed") });
	return FILTER_REPLY;
}

/*
 * What the client asked for: for the backend as a route's own rewrite does,
 * and for the log, since a route that rewrites again forgets it.
 */
static void
keep_original(struct exchange *x)
{
	static const struct str name = STR_INIT("x-envoy-original-path");
	static const struct str ns = STR_INIT("sallyport.rewrite");
	struct str path = host_header(x, HOST_REQUEST, STR(":path"), 0);

	if (!host_metadata(x, ns, STR("path")).ptr)
		host_metadata_set(x, ns, STR("path"), path);
	if (!host_header(x, HOST_REQUEST, name, 0).ptr)
		(void)host_header_set(x, HOST_REQUEST, name, path);
}

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	const struct rewrite *rewrite = conf;
	struct str target = host_header(x, HOST_REQUEST, STR(":path"), 0);
	struct str path = target_path(target), query = target_query(target);
	struct str changed;

	(void)state;
	changed = regex_replace(
	    host_arena(x), rewrite->pattern, path, rewrite->substitution);
	if (!changed.ptr)
		return refuse(x);
	if (str_eq(changed, path))
		return FILTER_NEXT;
	target = arena_printf(host_arena(x), "%s" STR_FMT STR_FMT,
	    str_starts(changed, STR("/")) ? "" : "/", STR_ARG(changed),
	    STR_ARG(query));
	keep_original(x);
	if (!host_header_set(x, HOST_REQUEST, STR(":path"), target))
		return refuse(x);
	host_reroute(x);
	return FILTER_NEXT;
}

const struct filter filter_rewrite = {
	.name = "sallyport.rewrite",
	.text = "Rewrites the path by a regular expression and has the "
		"route chosen anew.",
	.short_form = "transforms: { request: [ { rewrite: \"^/v1/(.*)\", to: "
		      "\"/\\1\" } ] }",
	.conf = &message,
	.configure = configure,
	.on_request = on_request,
};
