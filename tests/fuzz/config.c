/*
 * Any bytes as a configuration: read, expanded if they look like the short
 * form, decoded, compiled, and forgotten. Sound nodes that are printed must
 * read back as the same, as JSON too, and what is wrong must be told in JSON.
 */
#include "config.h"

#include <stdlib.h>

#include "chain/gateway.h"
#include "config/bootstrap.h"
#include "config/json.h"
#include "config/runtime.h"
#include "config/short.h"
#include "config/yaml.h"
#include "upstream/cluster.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static struct str
printed(struct arena *arena, const struct node *top,
    enum err (*print)(const struct node *, struct buf *))
{
	struct buf b;
	struct str text = STR_NONE;

	buf_init(&b, 1 << 20);
	if (!print(top, &b))
		text = arena_str(arena, buf_bytes(&b));
	buf_free(&b);
	return text;
}

static const struct node *
read_back(struct arena *arena, struct str text, const char *name)
{
	struct diag *diag = diag_new(arena);
	const struct node *again = yaml_parse(arena, text, name, diag);

	check(again && !diag_errors(diag));
	return again;
}

/* libyaml finds a key's colon only so far behind its beginning, as it has to in JSON. */
static bool
has_long_key(const struct node *n)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->items[i].key.len > 100 ||
		    has_long_key(n->items[i].value))
			return true;
	return false;
}

static void
check_reading_back(struct arena *arena, const struct node *top)
{
	struct str yaml = printed(arena, top, node_print);
	struct str json = printed(arena, top, node_print_json);
	const struct node *again;

	if (!yaml.ptr || !json.ptr)
		return;
	again = read_back(arena, yaml, "again");
	check(str_eq(printed(arena, again, node_print), yaml));
	check(str_eq(printed(arena, again, node_print_json), json));
	if (has_long_key(top))
		return;
	again = read_back(arena, json, "again.json");
	check(str_eq(printed(arena, again, node_print_json), json));
}

/* What is no JSON is refused under a name that promises JSON. */
static void
check_json(struct arena *arena, struct str text)
{
	struct diag *diag = diag_new(arena);
	size_t at = 0;
	bool is_json = !json_error(text, 64, &at);

	check(at <= text.len);
	if (!str_starts(text, STR("\xef\xbb\xbf")))
		check(is_json || !yaml_parse(arena, text, "fuzz.json", diag));
}

static void
check_words(const struct diag *diag)
{
	char *text = NULL;
	size_t len = 0, at;
	FILE *out = open_memstream(&text, &len);

	check(out != NULL);
	diag_print_json(diag, out);
	check(!fclose(out));
	check(!json_error((struct str){ text, len }, 3, &at));
	free(text);
	out = open_memstream(&text, &len);
	check(out != NULL);
	diag_print(diag, out);
	check(!fclose(out));
	free(text);
}

static void
read_all(struct tree *tree, struct str text, struct diag *diag)
{
	struct arena *arena = tree_arena(tree);
	const struct node *top = yaml_parse_tree(tree, text, "fuzz", diag);
	struct conf_bootstrap *conf;
	struct gateway *gateway;

	if (!top)
		return;
	if (!diag_errors(diag))
		check_reading_back(arena, top);
	if (short_is(top))
		top = short_expand(arena, top, diag);
	if (!top)
		return;
	conf = bootstrap_decode(arena, top, diag);
	if (!diag_is_sound(diag))
		return;
	gateway = gateway_build(arena, conf, NULL, diag);
	if (gateway && clusters_build(arena, gateway, diag))
		runtime_tell_unread(diag_runtime(diag), diag);
}

int
LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
	struct arena *arena = arena_new(65536);
	struct tree *tree = tree_new(arena);
	struct diag *diag = diag_new(arena);
	struct str text = arena_str(
	    tree_rest(tree), (struct str){ (const char *)bytes, len });

	check_json(arena, text);
	read_all(tree, text, diag);
	check_words(diag);
	tree_forget(tree);
	arena_free(arena);
	return 0;
}
