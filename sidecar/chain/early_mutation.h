/* early_header_mutation_extensions: changes to a request before it is routed. */
#ifndef SALLYPORT_CHAIN_EARLY_MUTATION_H
#define SALLYPORT_CHAIN_EARLY_MUTATION_H

#include "chain/exchange.h"

struct early_mutation;

/* Compiles; NULL when there is nothing to do. */
const struct early_mutation *early_mutation_build(
    struct arena *, const struct conf_hcm *, struct diag *);

/* NULL does nothing. */
void early_mutation_apply(const struct early_mutation *, struct exchange *);

#endif
