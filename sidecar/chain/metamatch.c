/* Matching metadata: a path into JSON, and what the value there must be. */
#include "config.h"

#include <cjson/cJSON.h>

#include "chain/exchange.h"
#include "chain/match.h"
#include "chain/metadata.h"
#include "chain/metamatch.h"

struct value_match {
	const struct conf_value_matcher *conf;
	const struct string_match *string;
	const struct value_match *one_of; /* of list_match */
	const struct value_match **any; /* of or_match */
};

struct metadata_match {
	const struct conf_metadata_matcher *conf;
	const struct value_match *value;
};

static const struct value_match *
build_value(struct arena *arena, const struct conf_value_matcher *conf,
    struct diag *diag)
{
	struct value_match *m = ARENA_NEW(arena, struct value_match);
	size_t n = conf->or_match ? conf->or_match->value_matchers.n : 0;

	m->conf = conf;
	if (conf->string_match)
		m->string = string_match_build(arena, conf->string_match, diag);
	if (conf->list_match && conf->list_match->one_of)
		m->one_of = build_value(arena, conf->list_match->one_of, diag);
	m->any = ARENA_ARRAY(arena, n, const struct value_match *);
	for (size_t i = 0; i < n; i++)
		m->any[i] = build_value(
		    arena, &conf->or_match->value_matchers.items[i], diag);
	return m;
}

const struct metadata_match *
metadata_match_build(struct arena *arena,
    const struct conf_metadata_matcher *conf, struct diag *diag)
{
	struct metadata_match *m = ARENA_NEW(arena, struct metadata_match);
	size_t before = diag_errors(diag);

	m->conf = conf;
	if (conf->value)
		m->value = build_value(arena, conf->value, diag);
	return diag_errors(diag) == before ? m : NULL;
}

static bool
number_holds(const struct conf_double_matcher *m, const cJSON *value)
{
	double number = cJSON_GetNumberValue(value);

	if (!cJSON_IsNumber(value))
		return false;
	if (m->range)
		return number >= m->range->start && number < m->range->end;
	return number >= m->exact && number <= m->exact;
}

static bool value_holds(const struct value_match *, const cJSON *);

static bool
any_holds(const struct value_match *m, const cJSON *value)
{
	for (size_t i = 0; i < m->conf->or_match->value_matchers.n; i++)
		if (value_holds(m->any[i], value))
			return true;
	return false;
}

static bool
element_holds(const struct value_match *m, const cJSON *list)
{
	const cJSON *element;

	if (!cJSON_IsArray(list) || !m->one_of)
		return false;
	cJSON_ArrayForEach(
	    element, list) if (value_holds(m->one_of, element)) return true;
	return false;
}

/* value is NULL where there is none. */
static bool
value_holds(const struct value_match *m, const cJSON *value)
{
	const struct conf_value_matcher *conf = m->conf;

	if (conf->null_match)
		return cJSON_IsNull(value);
	if (conf->double_match)
		return number_holds(conf->double_match, value);
	if (m->string)
		return cJSON_IsString(value) && string_match_holds(m->string,
						    str_of(value->valuestring));
	if (conf->has_bool_match)
		return cJSON_IsBool(value) &&
		       cJSON_IsTrue(value) == conf->bool_match;
	if (conf->has_present_match)
		return conf->present_match && value;
	if (conf->list_match)
		return element_holds(m, value);
	return conf->or_match && any_holds(m, value);
}

/* The value at the path behind its first key. */
static const cJSON *
follow(const struct metadata_match *m, const cJSON *value, struct arena *arena)
{
	for (size_t i = 1; value && i < m->conf->path.n; i++)
		value = cJSON_IsObject(value)
			    ? cJSON_GetObjectItemCaseSensitive(value,
				  arena_cstr(arena, m->conf->path.items[i].key))
			    : NULL;
	return value;
}

bool
metadata_match_holds(const struct metadata_match *m, const struct exchange *x)
{
	cJSON *json =
	    metadata_parse(x, m->conf->filter, m->conf->path.items[0].key);
	bool holds =
	    m->value && value_holds(m->value, follow(m, json, x->arena));

	cJSON_Delete(json);
	return holds != m->conf->invert;
}
