/*
 * Envoy's URI templates, "/users/{id}/files": the extensions of
 * path_match_policy and path_rewrite_policy.
 */
#ifndef SALLYPORT_CHAIN_TEMPLATE_H
#define SALLYPORT_CHAIN_TEMPLATE_H

#include "config/model.h"

struct template;
struct template_rewrite;

/* These compile; NULL when an error was added. */
const struct template *template_build(
    struct arena *, const struct conf_typed_extension *, struct diag *);
const struct template_rewrite *template_rewrite_build(struct arena *,
    const struct conf_typed_extension *, const struct template *,
    struct diag *);

/* Whether the whole path, without a query, fits. */
bool template_matches(const struct template *, struct str path);

/* What every path that fits begins with. */
struct str template_begin(const struct template *);

/* The new path; absent when path does not fit the template. */
struct str template_rewritten(struct arena *, const struct template_rewrite *,
    const struct template *, struct str path);

#endif
