/*
 * Puts what the configuration says into the dynamic metadata of a request,
 * for the log, rate limits and other filters.
 */
#include "config.h"

#include "chain/kit.h"
#include "config/messages.h"

struct conf_entry {
	const struct node *node;
	struct str metadata_namespace;
	bool allow_overwrite;
	const struct node *value;
};

struct conf_set {
	const struct node *node;
	struct str metadata_namespace; /* with value, the old way of writing */
	const struct node *value;
	CONF_LIST(struct conf_entry) metadata;
};

static const struct schema_field entry_fields[] = {
	{ .name = "metadata_namespace",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_entry, metadata_namespace),
	    .min_items = 1,
	    .required = true,
	    .text = "Namespace of the values." },
	{ .name = "allow_overwrite",
	    .type = SCHEMA_BOOL,
	    SCHEMA_AT(struct conf_entry, allow_overwrite),
	    .text = "Whether the values are merged into a namespace that is "
		    "there already; else it is left alone." },
	{ .name = "value",
	    .type = SCHEMA_NODE,
	    SCHEMA_AT(struct conf_entry, value),
	    .text = "The values." },
	REFUSED("typed_value", "nothing here reads metadata of other types; "
			       "use value"),
	{ .name = NULL },
};

static const struct schema_message entry_message = {
	.name = "envoy.extensions.filters.http.set_metadata.v3.Metadata",
	.size = sizeof(struct conf_entry),
	.fields = entry_fields,
};

static const struct schema_field set_fields[] = {
	{ .name = "metadata_namespace",
	    .type = SCHEMA_STR,
	    SCHEMA_AT(struct conf_set, metadata_namespace),
	    .text = "Deprecated, as is value: stands for the first entry of "
		    "metadata, with allow_overwrite." },
	{ .name = "value",
	    .type = SCHEMA_NODE,
	    SCHEMA_AT(struct conf_set, value),
	    .text = "Values under metadata_namespace." },
	{ .name = "metadata",
	    .type = SCHEMA_MESSAGE,
	    .label = SCHEMA_LIST,
	    SCHEMA_AT(struct conf_set, metadata),
	    .message = &entry_message,
	    .text = "What is set, in this order." },
	{ .name = NULL },
};

static const struct schema_message set_message = {
	.name = "envoy.extensions.filters.http.set_metadata.v3.Config",
	.size = sizeof(struct conf_set),
	.fields = set_fields,
};

struct entry {
	struct str ns, json;
	bool allow_overwrite;
};

struct set {
	struct entry *entries;
	size_t n;
	int denied; /* counter */
};

static void
add_entry(struct setup *s, struct set *set, struct str ns, bool allow_overwrite,
    const struct node *value)
{
	struct str json = value ? kit_json(s, value) : STR("{}");

	set->entries[set->n++] = (struct entry){ ns, json, allow_overwrite };
}

static struct set *
make(struct setup *s, const struct conf_set *conf)
{
	struct arena *arena = host_setup_arena(s);
	struct set *set = ARENA_NEW(arena, struct set);

	set->entries = ARENA_ARRAY(arena, conf->metadata.n + 1, struct entry);
	if (conf->value && conf->metadata_namespace.len)
		add_entry(s, set, conf->metadata_namespace, true, conf->value);
	for (size_t i = 0; i < conf->metadata.n; i++) {
		const struct conf_entry *e = &conf->metadata.items[i];

		add_entry(s, set, e->metadata_namespace, e->allow_overwrite,
		    e->value);
	}
	return set;
}

static const void *
configure(struct setup *s, const void *decoded)
{
	struct set *set = make(s, decoded);

	set->denied = host_setup_counter(s, "set_metadata.overwrite_denied");
	return set;
}

static const void *
configure_route(struct setup *s, const void *decoded)
{
	struct set *set = make(s, decoded);

	set->denied =
	    host_setup_counter_named(s, STR("set_metadata.overwrite_denied"));
	return set;
}

static void
apply(const struct set *set, struct exchange *x)
{
	for (size_t i = 0; set && i < set->n; i++) {
		const struct entry *e = &set->entries[i];

		if (!host_metadata_has(x, e->ns))
			host_metadata_replace(x, e->ns, e->json);
		else if (e->allow_overwrite)
			host_metadata_merge(x, e->ns, e->json);
		else
			host_count(x, set->denied, 1);
	}
}

static enum verdict
on_request(const void *conf, void *state, struct exchange *x)
{
	(void)state;
	apply(conf, x);
	apply(host_route_conf(x), x);
	return FILTER_NEXT;
}

const struct filter filter_set_metadata = {
	.name = "envoy.filters.http.set_metadata",
	.text = "Puts what the configuration says into the dynamic metadata "
		"of a request, for the log, rate limits and other filters.",
	.conf = &set_message,
	.route_conf = &set_message,
	.configure = configure,
	.configure_route = configure_route,
	.on_request = on_request,
};
