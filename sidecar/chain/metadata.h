/* Dynamic metadata of a request: what filters leave for each other and for the log. */
#ifndef SALLYPORT_CHAIN_METADATA_H
#define SALLYPORT_CHAIN_METADATA_H

#include "base/str.h"

struct cJSON;
struct exchange;

/*
 * A value by namespace and key, or by a dotted path into a JSON value set
 * under the first part ("payload.sub"). Numbers and booleans as text, objects as JSON.
 */
struct str metadata_get(
    const struct exchange *, struct str ns, struct str name);

/*
 * The value under a key as JSON, NULL if there is none; the caller deletes
 * it.
 */
struct cJSON *metadata_json(
    const struct exchange *, struct str ns, struct str key);

/* Copies everything. */
void metadata_set(struct exchange *, struct str ns, struct str key,
    struct str value, bool is_json);

#endif
