/*
 * A list, the latest first, since a request has a handful. What was set as
 * JSON stays text until somebody looks into it.
 */
#include "config.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "chain/exchange.h"
#include "chain/metadata.h"

enum { TEXT_MAX = 256 * 1024 };

struct metadata {
	struct metadata *next;
	struct str ns;
	struct str key; /* absent: what comes behind is gone */
	struct str value;
	bool is_json;
};

/* ---- reading ---- */

static const struct metadata *
find(const struct exchange *x, struct str ns, struct str key)
{
	for (const struct metadata *m = x->metadata; m; m = m->next) {
		if (!str_eq(m->ns, ns))
			continue;
		if (!m->key.ptr)
			return NULL;
		if (str_eq(m->key, key))
			return m;
	}
	return NULL;
}

static int
by_name(const void *a, const void *b)
{
	const cJSON *const *x = a, *const *y = b;

	return strcmp((*x)->string, (*y)->string);
}

/* The members of an object, sorted, or the items of a list. */
static const cJSON **
children(struct arena *arena, const cJSON *value, size_t *n)
{
	int size = cJSON_GetArraySize(value);
	const cJSON **all = ARENA_ARRAY(arena, (size_t)size + 1, const cJSON *);
	const cJSON *child;

	*n = 0;
	cJSON_ArrayForEach(child, value) all[(*n)++] = child;
	if (cJSON_IsObject(value))
		qsort(all, *n, sizeof(all[0]), by_name);
	return all;
}

static enum err write_value(
    struct arena *, const cJSON *value, struct buf *out);

static enum err
write_children(struct arena *arena, const cJSON *value, struct buf *out)
{
	bool object = cJSON_IsObject(value);
	enum err err = buf_append_byte(out, object ? '{' : '[');
	const cJSON **all;
	size_t n;

	all = children(arena, value, &n);
	for (size_t i = 0; i < n && !err; i++) {
		if (i)
			err = buf_append_byte(out, ',');
		if (!err && object)
			err = json_append_string(out, str_of(all[i]->string));
		if (!err && object)
			err = buf_append_byte(out, ':');
		if (!err)
			err = write_value(arena, all[i], out);
	}
	return err ? err : buf_append_byte(out, object ? '}' : ']');
}

/* The depth is bounded by the reader's. */
static enum err
write_value(struct arena *arena, const cJSON *value, struct buf *out)
{
	if (cJSON_IsString(value))
		return json_append_string(out, str_of(value->valuestring));
	if (cJSON_IsNumber(value))
		return json_append_number(out, value->valuedouble);
	if (cJSON_IsBool(value))
		return buf_append(
		    out, cJSON_IsTrue(value) ? STR("true") : STR("false"));
	if (cJSON_IsNull(value))
		return buf_append(out, STR("null"));
	return write_children(arena, value, out);
}

static struct str
print(struct arena *arena, const cJSON *value)
{
	struct str out = STR_NONE;
	struct buf text;

	if (!value || cJSON_IsNull(value))
		return out;
	buf_init(&text, TEXT_MAX);
	if (!write_value(arena, value, &text))
		out = arena_str(arena, buf_bytes(&text));
	buf_free(&text);
	return out;
}

static struct str
text_of(struct arena *arena, const cJSON *value)
{
	return cJSON_IsString(value)
		   ? arena_str(arena, str_of(value->valuestring))
		   : print(arena, value);
}

/* A value of its own; the caller deletes it. */
static cJSON *
parse(struct arena *arena, const struct metadata *m)
{
	return m->is_json ? cJSON_ParseWithLength(m->value.ptr, m->value.len)
			  : cJSON_CreateString(arena_cstr(arena, m->value));
}

/* Follows path through objects; a member may itself contain dots. */
static const cJSON *
follow(struct arena *arena, const cJSON *object, struct str path)
{
	const cJSON *member;
	size_t dot;

	while (object && path.ptr) {
		member = cJSON_GetObjectItemCaseSensitive(
		    object, arena_cstr(arena, path));
		if (member)
			return member;
		dot = str_find_char(path, '.', 0);
		if (dot == path.len)
			return NULL;
		object = cJSON_GetObjectItemCaseSensitive(
		    object, arena_cstr(arena, str_slice(path, 0, dot)));
		path = str_slice(path, dot + 1, path.len);
	}
	return object;
}

struct str
metadata_get(const struct exchange *x, struct str ns, struct str name)
{
	const struct metadata *m = find(x, ns, name);
	size_t dot = str_find_char(name, '.', 0);
	struct str out;
	cJSON *json;

	if (m)
		return metadata_text(x, ns, &name, 1);
	m = find(x, ns, str_slice(name, 0, dot));
	if (!m || !m->is_json || dot == name.len)
		return STR_NONE;
	json = parse(x->arena, m);
	out = text_of(x->arena,
	    follow(x->arena, json, str_slice(name, dot + 1, name.len)));
	cJSON_Delete(json);
	return out;
}

/* The namespace as one object, NULL if there is none. */
static cJSON *
gather(const struct exchange *x, struct str ns)
{
	cJSON *object = cJSON_CreateObject();

	for (const struct metadata *m = x->metadata; m; m = m->next) {
		const char *key;

		if (!str_eq(m->ns, ns))
			continue;
		if (!m->key.ptr)
			break;
		key = arena_cstr(x->arena, m->key);
		if (!cJSON_GetObjectItemCaseSensitive(object, key))
			cJSON_AddItemToObject(object, key, parse(x->arena, m));
	}
	return object;
}

static struct str
look_up(const struct exchange *x, struct str ns, const struct str *keys,
    size_t n, struct str (*as)(struct arena *, const cJSON *))
{
	const struct metadata *m = n ? find(x, ns, keys[0]) : NULL;
	const cJSON *at;
	struct str out;
	cJSON *json;

	if (n ? !m : !metadata_has(x, ns))
		return STR_NONE;
	json = n ? parse(x->arena, m) : gather(x, ns);
	at = json;
	for (size_t i = 1; i < n && at; i++)
		at = cJSON_GetObjectItemCaseSensitive(
		    at, arena_cstr(x->arena, keys[i]));
	out = as(x->arena, at);
	cJSON_Delete(json);
	return out;
}

struct str
metadata_text(
    const struct exchange *x, struct str ns, const struct str *keys, size_t n)
{
	const struct metadata *m = n == 1 ? find(x, ns, keys[0]) : NULL;

	if (m && !m->is_json)
		return m->value;
	return look_up(x, ns, keys, n, text_of);
}

struct str
metadata_json(
    const struct exchange *x, struct str ns, const struct str *keys, size_t n)
{
	return look_up(x, ns, keys, n, print);
}

static struct str
string_of(struct arena *arena, const cJSON *value)
{
	return cJSON_IsString(value) ? text_of(arena, value) : STR_NONE;
}

struct str
metadata_string(
    const struct exchange *x, struct str ns, const struct str *keys, size_t n)
{
	return look_up(x, ns, keys, n, string_of);
}

bool
metadata_has(const struct exchange *x, struct str ns)
{
	for (const struct metadata *m = x->metadata; m; m = m->next)
		if (str_eq(m->ns, ns))
			return true;
	return false;
}

cJSON *
metadata_parse(const struct exchange *x, struct str ns, struct str key)
{
	const struct metadata *m = find(x, ns, key);

	return m ? parse(x->arena, m) : NULL;
}

/* ---- writing ---- */

static void
add(struct exchange *x, const struct metadata *m)
{
	struct metadata *copy = ARENA_NEW(x->arena, struct metadata);

	*copy = *m;
	copy->next = x->metadata;
	x->metadata = copy;
}

void
metadata_set(struct exchange *x, struct str ns, struct str key,
    struct str value, bool is_json)
{
	add(x, &(struct metadata){ .ns = arena_str(x->arena, ns),
		   .key = arena_str(x->arena, key),
		   .value = arena_str(x->arena, value),
		   .is_json = is_json });
}

void
metadata_set_number(
    struct exchange *x, struct str ns, struct str key, double number)
{
	struct buf text;

	if (!isfinite(number)) {
		metadata_set(x, ns, key,
		    isnan(number) ? STR("nan")
		    : number > 0  ? STR("inf")
				  : STR("-inf"),
		    false);
		return;
	}
	buf_init(&text, 64);
	if (!json_append_number(&text, number))
		metadata_set(x, ns, key, buf_bytes(&text), true);
	buf_free(&text);
}

static void
set_members(struct exchange *x, struct str ns, const cJSON *object)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, object)
	{
		char *text = cJSON_PrintUnformatted(member);

		metadata_set(x, ns, str_of(member->string), str_of(text), true);
		cJSON_free(text);
	}
}

void
metadata_replace(struct exchange *x, struct str ns, struct str object)
{
	cJSON *json = cJSON_ParseWithLength(object.ptr, object.len);

	add(x, &(struct metadata){ .ns = arena_str(x->arena, ns) });
	set_members(x, ns, json);
	cJSON_Delete(json);
}

static void
append(cJSON *list, const cJSON *more)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, more)
	    cJSON_AddItemToArray(list, cJSON_Duplicate(item, true));
}

/* Merges with into object. The depth is bounded by the reader's. */
static void
update(cJSON *object, const cJSON *with)
{
	const cJSON *member;

	cJSON_ArrayForEach(member, with)
	{
		cJSON *old =
		    cJSON_GetObjectItemCaseSensitive(object, member->string);

		if (cJSON_IsObject(old) && cJSON_IsObject(member))
			update(old, member);
		else if (cJSON_IsArray(old) && cJSON_IsArray(member))
			append(old, member);
		else if (old)
			cJSON_ReplaceItemInObjectCaseSensitive(object,
			    member->string, cJSON_Duplicate(member, true));
		else
			cJSON_AddItemToObject(object, member->string,
			    cJSON_Duplicate(member, true));
	}
}

void
metadata_merge(struct exchange *x, struct str ns, struct str object)
{
	cJSON *json = cJSON_ParseWithLength(object.ptr, object.len);
	cJSON *all = gather(x, ns);

	update(all, json);
	add(x, &(struct metadata){ .ns = arena_str(x->arena, ns) });
	set_members(x, ns, all);
	cJSON_Delete(all);
	cJSON_Delete(json);
}
