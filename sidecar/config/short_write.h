/* Writing nodes of Envoy's form, each at the place that caused it. */
#ifndef SALLYPORT_CONFIG_SHORT_WRITE_H
#define SALLYPORT_CONFIG_SHORT_WRITE_H

#include "config/short_form.h"

struct writer {
	struct arena *arena;
	struct place place; /* of what is being written out */
	const struct short_form *form;
};

/* A new map or list under a key, and a new map at the end of a list. */
struct node *write_map(struct writer *, struct node *map, const char *key);
struct node *write_list(struct writer *, struct node *map, const char *key);
struct node *write_item(struct writer *, struct node *list);

/* A text, an unquoted word, a number, a duration in seconds under a key. */
void write_str(struct writer *, struct node *map, const char *key, struct str);
void write_text(
    struct writer *, struct node *map, const char *key, const char *text);
void write_plain(
    struct writer *, struct node *map, const char *key, const char *text);
void write_number(
    struct writer *, struct node *map, const char *key, uint64_t value);
void write_duration(
    struct writer *, struct node *map, const char *key, int64_t ns);

/* The texts of a list with something between them. */
struct str write_joined(
    struct writer *, const conf_strings *, const char *between);

/* A new map under a key that is an Any of that type. */
struct node *write_any(
    struct writer *, struct node *map, const char *key, const char *type);

/*
 * An Any for a filter of ours: message is DynamicModuleFilter or
 * DynamicModuleFilterPerRoute. Returns the map with the filter's own fields.
 */
struct node *write_module(struct writer *, struct node *map, const char *key,
    const char *message, const char *filter);

/* A new item of http_filters; returns the map with its fields. */
struct node *write_module_filter(
    struct writer *, struct node *filters, const char *name);
struct node *write_envoy_filter(
    struct writer *, struct node *filters, const char *name, const char *type);

/* A new HeaderValueOption at the end of a list. */
void write_header(struct writer *, struct node *list, struct str key,
    struct str value, const char *action);

/* Whether no earlier route has the cluster of route i. */
bool short_is_first_cluster(const struct short_form *, size_t i);

/*
 * A claim that requests are counted by travels in a field, as modules of
 * Envoy do not see tokens. Whether no earlier route counts by the claim of
 * route i, if it counts by one; and the field's name.
 */
bool short_is_first_claim(const struct short_form *, size_t i);
struct str short_claim_header(struct writer *, struct str claim);

/* http_filters and route_config of an HttpConnectionManager. */
void short_write_filters(struct writer *, struct node *hcm);
void short_write_routes(struct writer *, struct node *hcm);

#endif
