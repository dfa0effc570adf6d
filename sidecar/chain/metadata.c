/* A list, since a request has a handful. */
#include "config.h"

#include <cjson/cJSON.h>

#include "chain/exchange.h"
#include "chain/metadata.h"

struct metadata {
	struct metadata *next;
	struct str ns, key, value;
	bool is_json;
};

static const struct metadata *
find(const struct exchange *x, struct str ns, struct str key)
{
	for (const struct metadata *m = x->metadata; m; m = m->next)
		if (str_eq(m->ns, ns) && str_eq(m->key, key))
			return m;
	return NULL;
}

static struct str
text_of(struct arena *arena, const cJSON *value)
{
	struct str out;
	char *text;

	if (!value || cJSON_IsNull(value))
		return STR_NONE;
	if (cJSON_IsString(value))
		return arena_str(arena, str_of(value->valuestring));
	text = cJSON_PrintUnformatted(value);
	out = text ? arena_str(arena, str_of(text)) : STR_NONE;
	cJSON_free(text);
	return out;
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
		return m->value;
	m = find(x, ns, str_slice(name, 0, dot));
	if (!m || !m->is_json || dot == name.len)
		return STR_NONE;
	json = cJSON_ParseWithLength(m->value.ptr, m->value.len);
	out = text_of(x->arena,
	    follow(x->arena, json, str_slice(name, dot + 1, name.len)));
	cJSON_Delete(json);
	return out;
}

cJSON *
metadata_json(const struct exchange *x, struct str ns, struct str key)
{
	const struct metadata *m = find(x, ns, key);

	if (!m)
		return NULL;
	return m->is_json ? cJSON_ParseWithLength(m->value.ptr, m->value.len)
			  : cJSON_CreateString(arena_cstr(x->arena, m->value));
}

void
metadata_set(struct exchange *x, struct str ns, struct str key,
    struct str value, bool is_json)
{
	struct metadata *m = ARENA_NEW(x->arena, struct metadata);

	*m = (struct metadata){ x->metadata, arena_str(x->arena, ns),
		arena_str(x->arena, key), arena_str(x->arena, value), is_json };
	x->metadata = m;
}
