/*
 * The short form of the configuration, and its expansion to Envoy's. Nothing
 * downstream of this file knows that the short form exists.
 */
#ifndef SALLYPORT_CONFIG_SHORT_H
#define SALLYPORT_CONFIG_SHORT_H

#include "config/diag.h"

/* Whether the top of a file looks like the short form. */
bool short_is(const struct node *top);

/*
 * The bootstrap that means the same. Secrets are read now (environment,
 * file, systemd credential) and stand in the result. NULL after errors.
 */
const struct node *short_expand(
    struct arena *, const struct node *top, struct diag *);

/* Whether the expansion of the short form has secrets in it. */
bool short_has_secrets(const struct node *top);

#endif
