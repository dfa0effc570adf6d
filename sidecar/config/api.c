/* Looking things up in the table of Envoy's messages. */
#include "config.h"

#include "config/api.h"
#include "config/scalar.h"

const struct api_message *
api_find(struct str name)
{
	size_t low = 0, high = api_n_messages;

	while (low < high) {
		size_t at = low + (high - low) / 2;
		int order = str_cmp(str_of(api_messages[at].name), name);

		if (order == 0)
			return &api_messages[at];
		if (order < 0)
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

/* Whether key is the rest of a name in lowerCamelCase. */
static bool
is_camel(const char *name, struct str key)
{
	size_t i = 0;

	for (; *name; name++, i++) {
		char c = *name;

		if (c == '_' && name[1]) {
			c = *++name;
			if (c >= 'a' && c <= 'z')
				c = (char)(c - 'a' + 'A');
		}
		if (i == key.len || key.ptr[i] != c)
			return false;
	}
	return i == key.len;
}

bool
api_is_named(const char *name, struct str key)
{
	size_t i = 0;

	/* The two spellings part at the first "_". */
	while (i < key.len && name[i] == key.ptr[i] && name[i] != '_')
		i++;
	if (name[i] != '_')
		return !name[i] && i == key.len;
	key = str_slice(key, i, key.len);
	return str_eq(str_of(name + i), key) || is_camel(name + i, key);
}

const struct api_field *
api_find_field(const struct api_message *message, struct str name)
{
	const struct api_field *fields = &api_fields[message->field];

	for (unsigned i = 0; i < message->n_fields; i++)
		if (api_is_named(fields[i].name, name))
			return &fields[i];
	return NULL;
}

const struct api_value *
api_find_value(const struct api_field *field, struct str word)
{
	const struct api_enum *e = &api_enums[field->at];
	const struct api_value *values = &api_values[e->value];
	int64_t number;
	bool is_number = scalar_to_i64(word, &number);

	for (unsigned i = 0; i < e->n_values; i++)
		if (str_eq_nocase(str_of(values[i].name), word) ||
		    (is_number && values[i].number == number))
			return &values[i];
	return NULL;
}

const struct api_rule *
api_rule(const struct api_field *field, enum api_about about,
    enum api_rule_kind kind)
{
	for (unsigned i = 0; i < field->n_rules; i++) {
		const struct api_rule *r = &api_rules[field->rule + i];

		if (r->kind == kind && r->about == about)
			return r;
	}
	return NULL;
}
