/*
 * Dynamic metadata of a request: what filters leave for each other and for
 * the log. Each namespace is a JSON object.
 */
#ifndef SALLYPORT_CHAIN_METADATA_H
#define SALLYPORT_CHAIN_METADATA_H

#include "base/str.h"

struct cJSON;
struct exchange;

/*
 * A value by namespace and key, or by a dotted path into a JSON value set
 * under the first part ("payload.sub"). Strings as they are, all else as JSON.
 */
struct str metadata_get(
    const struct exchange *, struct str ns, struct str name);

/*
 * The value under a key as JSON, NULL if there is none; the caller deletes
 * it.
 */
struct cJSON *metadata_parse(
    const struct exchange *, struct str ns, struct str key);

/*
 * The value at a path of n keys, the whole namespace for none. As text like
 * metadata_get, or as JSON, strings in quotes and members in order. Absent if
 * there is none or null.
 */
struct str metadata_text(
    const struct exchange *, struct str ns, const struct str *keys, size_t n);
struct str metadata_json(
    const struct exchange *, struct str ns, const struct str *keys, size_t n);

/* The same if the value is a string; absent for anything else. */
struct str metadata_string(
    const struct exchange *, struct str ns, const struct str *keys, size_t n);

/* Whether there is anything in the namespace. */
bool metadata_has(const struct exchange *, struct str ns);

/* Sets a key, to a string or to a JSON value, or to a number. Copies everything. */
void metadata_set(struct exchange *, struct str ns, struct str key,
    struct str value, bool is_json);
void metadata_set_number(
    struct exchange *, struct str ns, struct str key, double number);

/*
 * Puts a JSON object in the place of the namespace, or merges it in: objects
 * member by member, lists end to end, all else is overwritten.
 */
void metadata_replace(struct exchange *, struct str ns, struct str object);
void metadata_merge(struct exchange *, struct str ns, struct str object);

#endif
