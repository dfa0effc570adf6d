/* Claims as text. */
#include "config.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "http/base64.h"
#include "http/claims.h"

static const struct cJSON *
find(struct arena *arena, const struct cJSON *claim, const struct str *path,
    size_t n)
{
	for (size_t i = 0; claim && i < n; i++)
		claim = jose_member(claim, arena_cstr(arena, path[i]));
	return claim;
}

static struct str
number_text(struct arena *arena, double value)
{
	if (value < 0 || value >= 0x1p64 || value != floor(value))
		return arena_printf(arena, "%f", value);
	return arena_printf(arena, "%llu", (unsigned long long)value);
}

static struct str
json_text(struct arena *arena, const struct cJSON *value)
{
	char *text = cJSON_PrintUnformatted(value);
	struct str copy = arena_str(arena, str_of(text));

	cJSON_free(text);
	return copy;
}

struct str
claims_header(struct arena *arena, const struct cJSON *claims,
    const struct str *path, size_t n)
{
	const struct cJSON *claim = find(arena, claims, path, n);
	struct str text = STR_NONE;

	if (cJSON_IsString(claim))
		text = arena_str(arena, jose_string(claim));
	else if (cJSON_IsBool(claim))
		text = cJSON_IsTrue(claim) ? STR("true") : STR("false");
	else if (cJSON_IsNumber(claim))
		text = number_text(arena, claim->valuedouble);
	else if (cJSON_IsArray(claim) || cJSON_IsObject(claim))
		text = base64_encode(arena, json_text(arena, claim));
	return text.len ? text : STR_NONE;
}

static struct cJSON *
list_of(struct arena *arena, struct str text)
{
	struct cJSON *list = cJSON_CreateArray();
	struct str word;

	while (text.ptr) {
		word = str_split(&text, ' ');
		if (word.len)
			cJSON_AddItemToArray(
			    list, cJSON_CreateString(arena_cstr(arena, word)));
	}
	return list;
}

struct str
claims_json_with_lists(struct arena *arena, const struct cJSON *claims,
    const struct str *split, size_t n)
{
	struct cJSON *copy = cJSON_Duplicate(claims, true);
	struct str text;

	for (size_t i = 0; i < n; i++) {
		const char *name = arena_cstr(arena, split[i]);
		struct str value = jose_string(jose_member(copy, name));

		if (value.ptr)
			cJSON_ReplaceItemInObjectCaseSensitive(
			    copy, name, list_of(arena, value));
	}
	text = json_text(arena, copy);
	cJSON_Delete(copy);
	return text;
}
