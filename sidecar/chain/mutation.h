/*
 * Lists of header changes as routes have them (HeaderValueOption): first the
 * removes, then every value is formatted against the headers as they were,
 * then overwrites, then additions.
 */
#ifndef SALLYPORT_CHAIN_MUTATION_H
#define SALLYPORT_CHAIN_MUTATION_H

#include "chain/exchange.h"

struct mutation;

/* Compiles; NULL when there is nothing to do or an error was added. */
const struct mutation *mutation_build(struct arena *,
    const conf_header_options *add, const conf_strings *remove, struct diag *);

/* NULL does nothing. */
void mutation_apply(
    const struct mutation *, const struct exchange *, struct headers *);

#endif
