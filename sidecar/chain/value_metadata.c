/* Operators of metadata: of the request, and of what the configuration names. */
#include "config.h"

#include <cjson/cJSON.h>

#include "chain/command.h"
#include "chain/exchange.h"
#include "chain/metadata.h"
#include "chain/route.h"
#include "config/typed.h"

enum { JSON_MAX = 256 * 1024 };

/* ---- metadata ---- */

/* Whose metadata. */
enum owner {
	OWNER_DYNAMIC,
	OWNER_CLUSTER,
	OWNER_UPSTREAM_HOST,
	OWNER_ROUTE,
	OWNER_VIRTUAL_HOST,
	OWNER_LISTENER,
	OWNER_FILTER_CHAIN,
};

/* "namespace:key:key" */
struct path {
	struct str ns;
	struct str *keys;
	size_t n;
};

static const struct path *
parse_path(struct arena *arena, struct str text)
{
	struct path *p = ARENA_NEW(arena, struct path);

	if (!text.ptr)
		return p;
	p->ns = str_split(&text, ':');
	p->keys = ARENA_ARRAY(arena, text.len + 1, struct str);
	while (text.ptr)
		p->keys[p->n++] = str_split(&text, ':');
	return p;
}

/* The older spelling of header values, ["namespace", "key"]. */
static struct str
modern(struct arena *arena, struct str text)
{
	cJSON *list = str_starts(text, STR("["))
			  ? cJSON_ParseWithLength(text.ptr, text.len)
			  : NULL;
	struct str out = STR_NONE;
	const cJSON *item = list ? list->child : NULL;

	for (; item && cJSON_IsString(item); item = item->next) {
		struct str part = str_of(item->valuestring);
		out = out.ptr ? arena_printf(arena, STR_FMT ":" STR_FMT,
				    STR_ARG(out), STR_ARG(part))
			      : arena_str(arena, part);
	}
	cJSON_Delete(list);
	return item || !out.ptr ? text : out;
}

static const char *
build_path(struct arena *arena, struct op *op)
{
	struct str text = op->argument;

	if (op->flags & COMMAND_HEADER_VALUE)
		text = modern(arena, text);
	op->compiled = parse_path(arena, text);
	return NULL;
}

static const char *
build_owned(struct arena *arena, struct op *op)
{
	static const struct {
		struct str name;
		enum owner owner;
	} owners[] = { { STR_INIT("DYNAMIC"), OWNER_DYNAMIC },
		{ STR_INIT("CLUSTER"), OWNER_CLUSTER },
		{ STR_INIT("UPSTREAM_HOST"), OWNER_UPSTREAM_HOST },
		{ STR_INIT("ROUTE"), OWNER_ROUTE },
		{ STR_INIT("VIRTUAL_HOST"), OWNER_VIRTUAL_HOST },
		{ STR_INIT("LISTENER"), OWNER_LISTENER },
		{ STR_INIT("LISTENER_FILTER_CHAIN"), OWNER_FILTER_CHAIN } };
	struct str rest = op->argument, owner = STR_NONE;

	if (rest.ptr)
		owner = str_split(&rest, ':');
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		if (str_eq(owners[i].name, owner)) {
			op->option = (int)owners[i].owner;
			op->compiled = parse_path(arena, rest);
			return NULL;
		}
	return arena_printf(
	    arena, STR_FMT " is not supported type of metadata", STR_ARG(owner))
	    .ptr;
}

static const struct conf_metadata *
metadata_of(enum owner owner, const struct exchange *x)
{
	const struct conf_listener *listener = x->gateway->listener;
	const struct route *r = x->route;

	switch (owner) {
	case OWNER_DYNAMIC:
		break;
	case OWNER_CLUSTER:
		return x->cluster ? x->cluster->metadata : NULL;
	case OWNER_UPSTREAM_HOST:
		return x->upstream.metadata;
	case OWNER_ROUTE:
		return r ? r->conf->metadata : NULL;
	case OWNER_VIRTUAL_HOST:
		return x->vhost ? x->vhost->metadata : NULL;
	case OWNER_LISTENER:
		return listener->metadata;
	case OWNER_FILTER_CHAIN:
		return listener->filter_chains.items[0].metadata;
	}
	return NULL;
}

static struct value
json_of(struct arena *arena, const struct node *node)
{
	struct value value = value_absent();
	struct buf text;

	buf_init(&text, JSON_MAX);
	if (!typed_append_json(&text, arena, node))
		value = (struct value){ .kind = VALUE_JSON,
			.text = arena_str(arena, buf_bytes(&text)) };
	buf_free(&text);
	return value;
}

static struct value
configured(const struct conf_metadata *metadata, const struct path *path,
    struct arena *arena)
{
	const struct node *node = NULL;
	struct typed typed;

	for (size_t i = 0; metadata && i < metadata->filter_metadata.n; i++)
		if (str_eq(metadata->filter_metadata.items[i].key, path->ns))
			node = *(
			    const struct node *const *)metadata->filter_metadata
				    .items[i]
				    .value;
	node = typed_find(node, path->keys, path->n);
	if (!node)
		return value_absent();
	typed = typed_of(arena, node);
	if (typed.kind == TYPED_NULL)
		return value_absent();
	return typed.kind == TYPED_TEXT ? value_text(typed.text)
					: json_of(arena, node);
}

/* A string stands for itself, anything else for its JSON. */
static struct value
dynamic(const struct exchange *x, const struct path *path)
{
	struct str json = metadata_json(x, path->ns, path->keys, path->n);

	if (!json.ptr)
		return value_absent();
	if (json.ptr[0] == '"')
		return value_text(
		    metadata_text(x, path->ns, path->keys, path->n));
	return (struct value){ .kind = VALUE_JSON, .text = json };
}

static struct value
get_metadata(const struct op *op, const struct exchange *x)
{
	enum owner owner = (enum owner)op->option;

	if (owner == OWNER_DYNAMIC)
		return dynamic(x, op->compiled);
	return configured(metadata_of(owner, x), op->compiled, x->arena);
}

/* ---- filter state ---- */

/* Nothing here puts anything there; the way it is asked for is checked. */
static const char *
build_filter_state(struct arena *arena, struct op *op)
{
	struct str rest = op->argument, key = STR_NONE, kind = STR_NONE;
	struct str field = STR_NONE;
	bool is_field;

	(void)arena;
	if (rest.ptr)
		key = str_split(&rest, ':');
	if (rest.ptr)
		kind = str_split(&rest, ':');
	if (rest.ptr)
		field = str_split(&rest, ':');
	is_field = str_eq(kind, STR("FIELD"));
	if (!key.len)
		return "Invalid filter state configuration, key cannot be "
		       "empty.";
	if (kind.len && !is_field && !str_eq(kind, STR("PLAIN")) &&
	    !str_eq(kind, STR("TYPED")))
		return "Invalid filter state serialize type, only support "
		       "PLAIN/TYPED/FIELD.";
	if (is_field != (field.len > 0))
		return "Invalid filter state serialize type, FIELD should be "
		       "used with the field name.";
	return NULL;
}

const struct command value_metadata_commands[] = {
	{ "DYNAMIC_METADATA", SYNTAX_REQUIRED | SYNTAX_LENGTH, get_metadata,
	    build_path, OWNER_DYNAMIC },
	{ "CLUSTER_METADATA", SYNTAX_REQUIRED, get_metadata, build_path,
	    OWNER_CLUSTER },
	{ "UPSTREAM_METADATA", SYNTAX_REQUIRED, get_metadata, build_path,
	    OWNER_UPSTREAM_HOST },
	{ "METADATA", SYNTAX_OPTIONAL | SYNTAX_LENGTH, get_metadata,
	    build_owned, 0 },
	{ "FILTER_STATE", SYNTAX_OPTIONAL | SYNTAX_LENGTH, NULL,
	    build_filter_state, 0 },
	{ "UPSTREAM_FILTER_STATE", SYNTAX_OPTIONAL | SYNTAX_LENGTH, NULL,
	    build_filter_state, 0 },
	{ "PER_REQUEST_STATE", SYNTAX_REQUIRED, NULL, NULL, 0 },
	{ NULL, SYNTAX_BARE, NULL, NULL, 0 },
};
