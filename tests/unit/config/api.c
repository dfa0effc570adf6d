#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "chain/filter.h"
#include "config/api.h"
#include "config/messages.h"

#define N(list) (sizeof(list) / sizeof(*(list)))

START_TEST(messages_are_sorted_and_small_enough)
{
	for (size_t i = 0; i < api_n_messages; i++) {
		ck_assert_uint_lt(api_messages[i].n_fields, API_FIELDS_MAX);
		if (i)
			ck_assert_int_lt(
			    str_cmp(str_of(api_messages[i - 1].name),
				str_of(api_messages[i].name)),
			    0);
	}
}
END_TEST

static const struct api_field *
field(const char *message, const char *name)
{
	const struct api_message *m = api_find(str_of(message));

	ck_assert_ptr_nonnull(m);
	return api_find_field(m, str_of(name));
}

START_TEST(fields_are_found_by_both_spellings)
{
	static const char *const hcm =
	    "envoy.extensions.filters.network.http_connection_manager.v3."
	    "HttpConnectionManager";

	ck_assert_ptr_nonnull(field(hcm, "use_remote_address"));
	ck_assert_ptr_eq(
	    field(hcm, "use_remote_address"), field(hcm, "useRemoteAddress"));
	ck_assert_ptr_null(field(hcm, "use_remoteAddress"));
	ck_assert_ptr_null(field(hcm, "useremoteaddress"));
	ck_assert_ptr_null(field(hcm, ""));
	ck_assert_ptr_null(api_find(STR("envoy.config.route.v3.Rout")));
	ck_assert_ptr_null(api_find(STR("")));
}
END_TEST

START_TEST(a_field_has_type_rules_and_group)
{
	const struct api_field *port =
	    field("envoy.config.core.v3.SocketAddress", "port_value");
	const struct api_field *match =
	    field("envoy.config.route.v3.Route", "match");
	const struct api_field *secure =
	    field("envoy.config.route.v3.RouteMatch", "case_sensitive");
	const struct api_field *sep =
	    field("envoy.config.route.v3.RouteMatch", "path_separated_prefix");

	ck_assert_int_eq(port->type, API_UINT32);
	ck_assert_str_eq(port->oneof, "port_specifier");
	ck_assert_double_eq(api_rule(port, API_WHOLE, API_LE)->number, 65535);
	ck_assert_ptr_nonnull(api_rule(match, API_WHOLE, API_REQUIRED));
	ck_assert_str_eq(
	    api_messages[match->at].name, "envoy.config.route.v3.RouteMatch");
	ck_assert(secure->type == API_BOOL && secure->has_presence);
	ck_assert_str_eq(
	    api_rule(sep, API_WHOLE, API_PATTERN)->text, "^[^?#]+[^?#/]$");
	ck_assert_str_eq(
	    api_find(STR("envoy.config.route.v3.Route"))->needed, "action");
}
END_TEST

START_TEST(values_are_found_by_name_and_number)
{
	const struct api_field *type =
	    field("envoy.config.cluster.v3.Cluster", "type");

	ck_assert_int_eq(api_find_value(type, STR("strict_dns"))->number, 1);
	ck_assert_str_eq(api_find_value(type, STR("2"))->name, "LOGICAL_DNS");
	ck_assert_ptr_null(api_find_value(type, STR("9")));
	ck_assert_ptr_null(api_find_value(type, STR("STRICT")));
}
END_TEST

static bool
fits(enum schema_type ours, enum api_type type)
{
	switch (ours) {
	case SCHEMA_BOOL:
		return type == API_BOOL;
	case SCHEMA_U32:
		return type == API_UINT32;
	case SCHEMA_U64:
		return type == API_UINT64;
	case SCHEMA_I64:
		return type == API_INT64 || type == API_INT32;
	case SCHEMA_DOUBLE:
		return type == API_DOUBLE || type == API_FLOAT;
	case SCHEMA_STR:
		return type == API_STRING;
	case SCHEMA_BYTES:
		return type == API_BYTES;
	case SCHEMA_DURATION:
		return type == API_DURATION;
	case SCHEMA_ENUM:
		return type == API_ENUM;
	case SCHEMA_MESSAGE:
		return type == API_MESSAGE || type == API_EMPTY;
	case SCHEMA_ANY:
		return type == API_ANY;
	case SCHEMA_NODE:
		break;
	}
	return true;
}

static void
check_choices(const char *path, const struct schema_field *row,
    const struct api_field *api)
{
	for (const struct schema_choice *c = row->choices; c && c->name; c++) {
		const struct api_value *value =
		    api_find_value(api, str_of(c->name));

		ck_assert_msg(value, "%s.%s: %s", path, row->name, c->name);
	}
}

/* Messages seen already; some contain themselves. */
struct seen {
	const struct schema_message *messages[500];
	size_t n;
};

static void check_message(struct seen *, const struct schema_message *);

/* xds has messages of its own that are like Envoy's. */
static bool
same_message(const char *theirs, const char *ours)
{
	const char *a = strrchr(theirs, '.'), *b = strrchr(ours, '.');

	return !strcmp(theirs, ours) ||
	       (!strncmp(theirs, "xds.", 4) && !strcmp(a, b));
}

static void
check_row(struct seen *seen, const struct schema_message *m,
    const struct schema_field *row)
{
	const struct api_message *api = api_find(str_of(m->name));
	const struct api_field *f =
	    api ? api_find_field(api, str_of(row->name)) : NULL;

	ck_assert_msg(!api || f, "%s: no field %s", m->name, row->name);
	if (row->message)
		check_message(seen, row->message);
	if (!f || row->stance != SCHEMA_ENFORCED)
		return;
	ck_assert_msg(
	    fits(row->type, f->type), "%s.%s: type", m->name, row->name);
	ck_assert_msg((int)row->label == (int)f->label, "%s.%s: label", m->name,
	    row->name);
	if (row->type == SCHEMA_ENUM)
		check_choices(m->name, row, f);
	if (row->type == SCHEMA_MESSAGE && f->type == API_MESSAGE &&
	    api_find(str_of(row->message->name)))
		ck_assert_msg(
		    same_message(api_messages[f->at].name, row->message->name),
		    "%s.%s: %s", m->name, row->name, row->message->name);
}

static void
check_message(struct seen *seen, const struct schema_message *m)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->messages[i] == m)
			return;
	ck_assert_uint_lt(seen->n, N(seen->messages));
	seen->messages[seen->n++] = m;
	ck_assert_msg(strncmp(m->name, "envoy.", 6) != 0 ||
			  m == &conf_empty_message || api_find(str_of(m->name)),
	    "Envoy has no %s", m->name);
	for (const struct schema_field *row = m->fields; row->name; row++) {
		for (const struct schema_field *other = m->fields; other < row;
		     other++)
			ck_assert_msg(strcmp(other->name, row->name) != 0,
			    "%s: two rows of %s", m->name, row->name);
		check_row(seen, m, row);
	}
}

START_TEST(our_rows_fit_envoys_fields)
{
	static const struct schema_message *const roots[] = {
		&conf_bootstrap_message, &conf_hcm_message,
		&conf_file_access_log_message, &conf_stream_access_log_message,
		&conf_upstream_tls_message, &conf_module_filter_message,
		&conf_module_filter_per_route_message
	};
	struct seen seen = { .n = 0 };

	for (size_t i = 0; i < N(roots); i++) {
		check_message(&seen, roots[i]);
	}
	for (size_t i = 0; filter_registry[i]; i++) {
		check_message(&seen, filter_registry[i]->conf);
		if (filter_registry[i]->route_conf)
			check_message(&seen, filter_registry[i]->route_conf);
		if (filter_registry[i]->held)
			check_message(&seen, filter_registry[i]->held);
		ck_assert_ptr_nonnull(filter_registry[i]->text);
	}
}
END_TEST

Suite *suite_config_api(void);

Suite *
suite_config_api(void)
{
	Suite *suite = suite_create("config/api");
	TCase *c = tcase_create("table");

	tcase_add_test(c, messages_are_sorted_and_small_enough);
	tcase_add_test(c, fields_are_found_by_both_spellings);
	tcase_add_test(c, a_field_has_type_rules_and_group);
	tcase_add_test(c, values_are_found_by_name_and_number);
	tcase_add_test(c, our_rows_fit_envoys_fields);
	suite_add_tcase(suite, c);
	return suite;
}
