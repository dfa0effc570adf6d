/* What the log may ask about a try: its connection, its times, its bytes. */
#ifndef SALLYPORT_UPSTREAM_FACTS_H
#define SALLYPORT_UPSTREAM_FACTS_H

#include "upstream/forward.h"

/* A host is chosen, nothing is known of it but what the configuration says. */
void facts_of_host(struct forward *);

/* There is a connection. From within the client. */
void facts_of_connection(struct forward *);

/* The answer's fields are there, as they came. */
void facts_of_answer(struct forward *);

/* The call is about to end. */
void facts_of_end(struct forward *);

#endif
