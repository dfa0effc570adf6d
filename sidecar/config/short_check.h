/* What the checks of the short form share among themselves. */
#ifndef SALLYPORT_CONFIG_SHORT_CHECK_H
#define SALLYPORT_CONFIG_SHORT_CHECK_H

#include "config/short_form.h"

struct short_pass {
	struct arena *arena;
	struct diag *diag;
	struct short_form *form;
};

/* Where the value of a field stands; the map itself if it is not given. */
struct place short_place(const struct node *map, const char *field);

/* The same for item i of a list. */
struct place short_item_place(
    const struct node *map, const char *field, size_t i);

/* A token of RFC 9110, as methods and header names are. */
bool short_is_token(struct str);

/* Whether s is among the first n. */
bool short_contains(const conf_strings *, size_t n, struct str s);

struct str short_lower(struct short_pass *, struct str);

bool short_is_ip(struct short_pass *, struct str host);

/*
 * Takes "host:port" or "[v6]:port" apart; the port is left alone when there
 * is none.
 */
bool short_split_host(
    struct short_pass *, struct str text, struct str *host, uint32_t *port);

/* The list under "methods" of a map. */
void short_check_methods(struct short_pass *, const char *at,
    const struct node *map, const conf_strings *methods);

/* Route i, and what it asks of the rest of the file. */
void short_check_route(struct short_pass *, size_t i);

/* One cluster per scheme, host and port, named after host and port. */
void short_name_clusters(struct short_pass *);

#endif
