/* Layers of the runtime, and what their texts mean. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/table.h"
#include "config/diag.h"
#include "config/read.h"
#include "config/runtime.h"
#include "config/scalar.h"

enum {
	DEPTH_MAX = 16, /* folders of a disk layer, as in Envoy */
	VALUE_MAX = 64 * 1024, /* bytes of a file */
	FILES_MAX = 10000,
};

struct entry {
	struct str key;
	struct place place;
	struct str text; /* a scalar's; absent for a fractional percent */
	struct conf_fractional_percent percent;
	bool *is_read;
};

struct runtime {
	struct arena *arena;
	struct diag *diag;
	struct entry *entries;
	size_t n, cap;
	struct table *index; /* key to place in entries */
	size_t n_files;
};

static void
grow(struct runtime *rt)
{
	size_t cap = rt->cap ? 2 * rt->cap : 16;
	struct entry *entries = ARENA_ARRAY(rt->arena, cap, struct entry);

	if (rt->n)
		memcpy(entries, rt->entries, rt->n * sizeof(*entries));
	rt->entries = entries;
	rt->cap = cap;
	rt->index = table_new(rt->arena, cap);
	for (uint32_t i = 0; i < rt->n; i++)
		*table_put(rt->index, entries[i].key) = i;
}

/* Layers are read from the last to the first: what is there stays. */
static void
put(struct runtime *rt, struct str key, struct entry value)
{
	if (table_get(rt->index, key) != TABLE_NONE)
		return;
	if (rt->n == rt->cap)
		grow(rt);
	value.key = key;
	value.is_read = ARENA_NEW(rt->arena, bool);
	*table_put(rt->index, key) = (uint32_t)rt->n;
	rt->entries[rt->n++] = value;
}

static bool
read_denominator(const struct node *n, int *out)
{
	static const char *const names[] = { "HUNDRED", "TEN_THOUSAND",
		"MILLION" };

	*out = 0;
	for (int i = 0; n && i < 3; i++)
		if (str_eq_nocase(n->scalar, str_of(names[i]))) {
			*out = i;
			return true;
		}
	return !n;
}

/* One that does not hold together counts as no value, as in Envoy. */
static void
put_percent(struct runtime *rt, struct str key, const struct node *map)
{
	const struct node *numerator = node_get(map, "numerator");
	struct entry e = { .place = map->place };
	uint64_t n = 0;

	if ((!numerator || scalar_to_u64(numerator->scalar, &n)) &&
	    n <= UINT32_MAX &&
	    read_denominator(
		node_get(map, "denominator"), &e.percent.denominator))
		e.percent.node = map;
	else
		diag_warn(rt->diag, map->place, NULL,
		    "the runtime key '" STR_FMT
		    "' has no value: no fractional percent",
		    STR_ARG(key));
	e.percent.numerator = (uint32_t)n;
	put(rt, key, e);
}

static void
put_value(struct runtime *rt, struct str key, const struct node *n)
{
	switch (n->kind) {
	case NODE_SCALAR:
		put(rt, key,
		    (struct entry){ .place = n->place, .text = n->scalar });
		return;
	case NODE_NULL:
	case NODE_LIST:
		diag_error(rt->diag, n->place, NULL,
		    "Invalid runtime entry value for " STR_FMT, STR_ARG(key));
		return;
	case NODE_MAP:
		break;
	}
	if (n->n == 0 || node_get(n, "numerator") ||
	    node_get(n, "denominator")) {
		put_percent(rt, key, n);
		return;
	}
	for (size_t i = 0; i < n->n; i++)
		put_value(rt,
		    arena_printf(rt->arena, STR_FMT "." STR_FMT, STR_ARG(key),
			STR_ARG(n->items[i].key)),
		    n->items[i].value);
}

static void
read_static(struct runtime *rt, const struct node *map)
{
	for (size_t i = 0; map->kind == NODE_MAP && i < map->n; i++)
		put_value(rt, map->items[i].key, map->items[i].value);
}

/* A file without the lines that begin with "#" and without its last blanks. */
static struct str
without_comments(struct arena *arena, struct str text)
{
	char *out = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	while (text.ptr) {
		struct str line = str_split(&text, '\n');

		if (str_starts(line, STR("#")))
			continue;
		if (line.len)
			memcpy(out + len, line.ptr, line.len);
		len += line.len;
		if (text.ptr)
			out[len++] = '\n';
	}
	while (len && strchr(" \t\r\n\v\f", out[len - 1]))
		len--;
	return (struct str){ out, len };
}

static void
read_entry(
    struct runtime *rt, struct place place, const char *path, struct str key)
{
	struct str text;
	enum err err = read_file(rt->arena, path, VALUE_MAX, &text);

	if (err && errno == EISDIR)
		return;
	if (err) {
		diag_warn(rt->diag, place, NULL, "%s: %s", path,
		    err == ERR_FULL ? "larger than 64 KiB" : strerror(errno));
		return;
	}
	put(rt, key,
	    (struct entry){
		.place = place, .text = without_comments(rt->arena, text) });
}

static void
read_folder(struct runtime *rt, struct place place, const char *path,
    struct str prefix, unsigned depth)
{
	DIR *dir = depth > DEPTH_MAX ? NULL : opendir(path);
	const struct dirent *file;

	while (dir && (file = readdir(dir))) {
		struct str name = str_of(file->d_name);
		const char *inner;
		struct str key;

		if (str_eq(name, STR(".")) || str_eq(name, STR("..")))
			continue;
		if (++rt->n_files > FILES_MAX) {
			diag_error(rt->diag, place, NULL,
			    "a disk layer of more than %d files", FILES_MAX);
			break;
		}
		inner =
		    arena_printf(rt->arena, "%s/" STR_FMT, path, STR_ARG(name))
			.ptr;
		key = arena_printf(rt->arena, STR_FMT "%s" STR_FMT,
		    STR_ARG(prefix), prefix.len ? "." : "", STR_ARG(name));
		read_folder(rt, place, inner, key, depth + 1);
		read_entry(rt, place, inner, key);
	}
	if (dir)
		(void)closedir(dir);
}

static void
read_disk(
    struct runtime *rt, const struct conf_disk_layer *disk, struct str cluster)
{
	struct place place = disk->node->place;
	struct str root =
	    arena_printf(rt->arena, STR_FMT "/" STR_FMT "%s" STR_FMT,
		STR_ARG(disk->symlink_root), STR_ARG(disk->subdirectory),
		disk->append_service_cluster ? "/" : "",
		STR_ARG(disk->append_service_cluster ? cluster : STR("")));

	if (!disk->symlink_root.len) {
		diag_error(rt->diag, place, "layered_runtime",
		    "`symlink_root` is missing: invalid file path");
		return;
	}
	if (access(arena_cstr(rt->arena, disk->symlink_root), F_OK)) {
		diag_error(rt->diag, place, "layered_runtime",
		    "unable to add filesystem watch for file " STR_FMT ": %s",
		    STR_ARG(disk->symlink_root), strerror(errno));
		return;
	}
	rt->n_files = 0;
	read_folder(rt, place, root.ptr, STR(""), 1);
	if (!rt->n_files)
		diag_warn(rt->diag, place, NULL,
		    "the disk layer is empty: no files in %s", root.ptr);
}

static void
check_layers(struct diag *diag, const struct conf_layered_runtime *conf)
{
	size_t admins = 0;

	for (size_t i = 0; i < conf->layers.n; i++) {
		const struct conf_runtime_layer *layer = &conf->layers.items[i];

		for (size_t j = 0; j < i; j++)
			if (layer->name.len &&
			    str_eq(conf->layers.items[j].name, layer->name))
				diag_error(diag, layer->node->place, NULL,
				    "Duplicate layer name: " STR_FMT,
				    STR_ARG(layer->name));
		admins += layer->admin_layer != NULL;
		if (layer->admin_layer && admins == 2)
			diag_error(diag, layer->node->place, NULL,
			    "Too many admin layers specified in "
			    "LayeredRuntime, at most one may be specified");
	}
}

struct runtime *
runtime_read(struct arena *arena, struct diag *diag,
    const struct conf_layered_runtime *conf, struct str cluster)
{
	struct runtime *rt = ARENA_NEW(arena, struct runtime);

	*rt = (struct runtime){ .arena = arena, .diag = diag };
	check_layers(diag, conf);
	for (size_t i = conf->layers.n; i-- > 0;) {
		const struct conf_runtime_layer *layer = &conf->layers.items[i];

		if (layer->static_layer)
			read_static(rt, layer->static_layer);
		if (layer->disk_layer)
			read_disk(rt, layer->disk_layer, cluster);
	}
	return rt;
}

static const struct entry *
find(const struct runtime *rt, struct str key)
{
	uint32_t at = rt && key.len ? table_get(rt->index, key) : TABLE_NONE;

	if (at == TABLE_NONE)
		return NULL;
	*rt->entries[at].is_read = true;
	return &rt->entries[at];
}

static bool
to_double(struct str text, double *out)
{
	return scalar_to_double(str_trim(text), out);
}

bool
runtime_double(const struct runtime *rt, struct str key, double *out)
{
	const struct entry *e = find(rt, key);

	return e && to_double(e->text, out);
}

bool
runtime_u64(const struct runtime *rt, struct str key, uint64_t *out)
{
	const struct entry *e = find(rt, key);
	double value;

	if (e && str_to_u64(str_trim(e->text), out))
		return true;
	if (!e || !to_double(e->text, &value) || value < 0 ||
	    value >= 18446744073709551616.0)
		return false;
	*out = (uint64_t)value;
	return true;
}

bool
runtime_fraction(const struct runtime *rt, struct str key,
    struct conf_fractional_percent *out)
{
	const struct entry *e = find(rt, key);
	uint64_t percent;

	if (!e)
		return false;
	if (e->percent.node) {
		*out = e->percent;
		return true;
	}
	if (!runtime_u64(rt, key, &percent))
		return false;
	out->numerator = percent > 100 ? 100 : (uint32_t)percent;
	out->denominator = 0;
	return true;
}

/* Keys that Envoy reads by itself; the rest are named in a configuration. */
static bool
is_envoys(struct str key)
{
	static const char *const prefixes[] = { "circuit_breakers.",
		"outlier_detection.", "upstream.", "health_check.",
		"http_connection_manager.", "ratelimit.", "fault.http.",
		"router.", "ext_authz." };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (str_starts(key, str_of(prefixes[i])))
			return true;
	return false;
}

void
runtime_tell_unread(const struct runtime *rt, struct diag *diag)
{
	for (size_t i = 0; rt && i < rt->n; i++) {
		const struct entry *e = &rt->entries[i];

		/* Read with the first expression, if there is one. */
		if (str_starts(e->key, STR("re2.max_program_size.")))
			continue;
		if (!*e->is_read && is_envoys(e->key))
			diag_error(diag, e->place, NULL,
			    "the runtime key '" STR_FMT "' is not supported",
			    STR_ARG(e->key));
		else if (!*e->is_read)
			diag_warn(diag, e->place, NULL,
			    "nothing here reads the runtime key '" STR_FMT "'",
			    STR_ARG(e->key));
	}
}
