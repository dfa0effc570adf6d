/* Whole values: apart, since what writes only strings needs no cJSON. */
#include "config.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "base/json.h"

static int
by_name(const void *a, const void *b)
{
	const cJSON *const *left = a, *const *right = b;

	return strcmp((*left)->string, (*right)->string);
}

static enum err
append_member(struct buf *b, const cJSON *item, bool is_first)
{
	enum err err = is_first ? ERR_OK : buf_append_byte(b, ',');

	if (!err && item->string) {
		err = json_append_string(b, str_of(item->string));
		if (!err)
			err = buf_append_byte(b, ':');
	}
	return err ? err : json_append_value(b, item);
}

static enum err
append_object(struct buf *b, const cJSON *object)
{
	size_t n = 0, i = 0;
	const cJSON **members;
	const cJSON *item;
	enum err err = buf_append_byte(b, '{');

	for (item = object->child; item; item = item->next)
		n++;
	members = calloc(n + 1, sizeof(*members));
	if (!members)
		return ERR_FULL;
	for (item = object->child; item; item = item->next)
		members[i++] = item;
	qsort(members, n, sizeof(*members), by_name);
	for (i = 0; i < n && !err; i++)
		err = append_member(b, members[i], i == 0);
	free(members);
	return err ? err : buf_append_byte(b, '}');
}

static enum err
append_array(struct buf *b, const cJSON *array)
{
	const cJSON *item;
	enum err err = buf_append_byte(b, '[');

	for (item = array->child; item && !err; item = item->next)
		err = append_member(b, item, item == array->child);
	return err ? err : buf_append_byte(b, ']');
}

enum err
json_append_value(struct buf *b, const cJSON *value)
{
	if (cJSON_IsString(value))
		return json_append_string(b, str_of(value->valuestring));
	if (cJSON_IsNumber(value))
		return json_append_number(b, value->valuedouble);
	if (cJSON_IsBool(value))
		return buf_append(
		    b, cJSON_IsTrue(value) ? STR("true") : STR("false"));
	if (cJSON_IsObject(value))
		return append_object(b, value);
	if (cJSON_IsArray(value))
		return append_array(b, value);
	return buf_append(b, STR("null"));
}
