/* The one extension Envoy has for it: a list of mutations, in their order. */
#include "config.h"

#include "chain/early_mutation.h"
#include "chain/match.h"
#include "chain/mutation.h"
#include "config/messages.h"
#include "config/model_forward.h"

#define EXTENSION                                                              \
	"envoy.extensions.http.early_header_mutation.header_mutation.v3."      \
	"HeaderMutation"

struct step {
	const struct mutation *change; /* one addition, or one remove */
	const struct string_match *removes; /* or names that match */
};

struct early_mutation {
	struct step *steps;
	size_t n;
};

struct conf_remove_on_match {
	const struct node *node;
	struct conf_string_matcher *key_matcher;
};
struct conf_step {
	const struct node *node;
	struct str remove;
	struct conf_header_option *append;
	struct conf_remove_on_match *remove_on_match;
};
struct conf_steps {
	const struct node *node;
	CONF_LIST(struct conf_step) mutations;
};

static const struct schema_field remove_on_match_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_remove_on_match, key_matcher),
	    .message = &conf_string_matcher_message, .required = true,
	    .text = "What the names of the headers to remove match." },
	{ .name = NULL },
};
static const struct schema_message remove_on_match_message = {
	.name = "envoy.config.common.mutation_rules.v3.HeaderMutation."
		"RemoveOnMatch",
	.size = sizeof(struct conf_remove_on_match),
	.fields = remove_on_match_fields,
};

static const struct schema_field step_fields[] = {
	{ FIELD(SCHEMA_STR, conf_step, remove), .oneof = "action",
	    .min_items = 1, .text = "Header to remove." },
	{ FIELD(SCHEMA_MESSAGE, conf_step, append), .oneof = "action",
	    .message = &conf_header_option_message,
	    .text = "Header to add, or to put in place of another." },
	{ FIELD(SCHEMA_MESSAGE, conf_step, remove_on_match), .oneof = "action",
	    .message = &remove_on_match_message,
	    .text = "Remove all headers whose name matches." },
	{ .name = NULL },
};
static const struct schema_message step_message = {
	.name = "envoy.config.common.mutation_rules.v3.HeaderMutation",
	.size = sizeof(struct conf_step),
	.fields = step_fields,
	.required_oneof = "action",
};

static const struct schema_field steps_fields[] = {
	{ FIELD(SCHEMA_MESSAGE, conf_steps, mutations), .label = SCHEMA_LIST,
	    .message = &step_message, .min_items = 1,
	    .text = "The changes, in this order." },
	{ .name = NULL },
};
static const struct schema_message steps_message = {
	.name = EXTENSION,
	.size = sizeof(struct conf_steps),
	.fields = steps_fields,
};

static void
build_step(struct arena *arena, struct step *step, const struct conf_step *conf,
    struct diag *diag)
{
	static const conf_header_options no_additions = { NULL, 0 };
	struct str name = conf->remove;
	conf_header_options addition = { conf->append, conf->append ? 1 : 0 };
	conf_strings removes = { &name, name.ptr ? 1 : 0 };

	if (conf->remove_on_match)
		step->removes = string_match_build(
		    arena, conf->remove_on_match->key_matcher, diag);
	else if (conf->append)
		step->change = mutation_build(arena, &addition, NULL, diag);
	else
		step->change =
		    mutation_build(arena, &no_additions, &removes, diag);
}

static const struct conf_steps *
decode(
    struct arena *arena, const struct conf_extension *conf, struct diag *diag)
{
	const struct any *any = conf->typed_config;

	if (!any)
		return NULL;
	if (str_eq(any->type, STR(EXTENSION)))
		return schema_decode_any(arena, diag, &steps_message, any);
	diag_error(diag, any->node->place, any->path,
	    "Didn't find a registered implementation for '" STR_FMT
	    "' with type URL: '" STR_FMT "'",
	    STR_ARG(conf->name), STR_ARG(any->type));
	return NULL;
}

const struct early_mutation *
early_mutation_build(
    struct arena *arena, const struct conf_hcm *hcm, struct diag *diag)
{
	size_t n = hcm->early_header_mutation_extensions.n, n_steps = 0;
	struct early_mutation *m = ARENA_NEW(arena, struct early_mutation);
	const struct conf_steps **confs =
	    ARENA_ARRAY(arena, n + 1, const struct conf_steps *);

	for (size_t i = 0; i < n; i++) {
		confs[i] = decode(arena,
		    &hcm->early_header_mutation_extensions.items[i], diag);
		n_steps += confs[i] ? confs[i]->mutations.n : 0;
	}
	m->steps = ARENA_ARRAY(arena, n_steps + 1, struct step);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; confs[i] && j < confs[i]->mutations.n; j++)
			build_step(arena, &m->steps[m->n++],
			    &confs[i]->mutations.items[j], diag);
	return m->n ? m : NULL;
}

static void
remove_matching(const struct string_match *match, struct headers *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->n; i++)
		if (h->items[i].name.ptr[0] == ':' ||
		    !string_match_holds(match, h->items[i].name))
			h->items[kept++] = h->items[i];
	h->n = kept;
}

void
early_mutation_apply(const struct early_mutation *m, struct exchange *x)
{
	for (size_t i = 0; m && i < m->n; i++) {
		const struct step *step = &m->steps[i];

		if (step->removes)
			remove_matching(step->removes, &x->request);
		else
			mutation_apply(step->change, x, &x->request);
	}
}
