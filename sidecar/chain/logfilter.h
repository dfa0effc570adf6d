/* Envoy's AccessLogFilter: which exchanges a log or a local reply mapper is for. */
#ifndef SALLYPORT_CHAIN_LOGFILTER_H
#define SALLYPORT_CHAIN_LOGFILTER_H

#include "chain/exchange.h"

struct logfilter;

/* Compiles; NULL after errors. */
const struct logfilter *logfilter_build(
    struct arena *, const struct conf_log_filter *, struct diag *);

/* Whether the request, which has ended, is logged. */
bool logfilter_holds(const struct logfilter *, const struct exchange *);

#endif
