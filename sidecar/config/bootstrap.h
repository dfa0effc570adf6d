/*
 * From a file to Envoy's messages: reads YAML or JSON, recognises the short
 * form and expands it, decodes the bootstrap.
 */
#ifndef SALLYPORT_CONFIG_BOOTSTRAP_H
#define SALLYPORT_CONFIG_BOOTSTRAP_H

#include "config/model.h"
#include "config/tree.h"

/*
 * Decodes long form nodes and checks what a single field cannot tell (one
 * listener with one HttpConnectionManager, cluster names unique, router last, ...). Never NULL;
 * usable only if the diag has no errors.
 */
struct conf_bootstrap *bootstrap_decode(
    struct arena *, const struct node *, struct diag *);

/*
 * Reads a file into the tree and decodes it into the tree's arena; when all is
 * built, the tree may be forgotten. NULL if there are errors that do not leave
 * the rest sound (diag_is_sound).
 */
struct conf_bootstrap *bootstrap_read(
    struct tree *, const char *path, struct diag *);

/*
 * The bytes of a DataSource, read now: file (at most max bytes), inline, or
 * environment. Absent, with an error added, when it cannot be had.
 */
struct str bootstrap_text(struct arena *, struct diag *, const char *path,
    const struct conf_data_source *, size_t max);

/* The same for what may not be empty. */
struct str bootstrap_data(struct arena *, struct diag *, const char *path,
    const struct conf_data_source *, size_t max);

#endif
