/* What the router needs of chain/, recorded instead of done. */
#ifndef SALLYPORT_TESTS_UNIT_UPSTREAM_FAKE_CHAIN_H
#define SALLYPORT_TESTS_UNIT_UPSTREAM_FAKE_CHAIN_H

#include "chain/route.h"

/* The owner of a fake exchange. */
struct fake_front {
	unsigned replied; /* status of exchange_reply */
	const char *flag;
	struct headers headers; /* of the reply */
	unsigned responds, cuts, changes;
	void (*on_respond)(struct exchange *);
	void (*on_changed)(struct exchange *);
};

/* An exchange at the router, with a route of no limits. */
struct exchange *fake_exchange(struct arena *, struct fake_front *);

/* Fields of the route and gateway of a fake exchange. */
struct route *fake_route(struct exchange *);
struct gateway *fake_gateway(struct exchange *);
struct conf_route_action *fake_action(struct exchange *);
struct forwarding *fake_forwarding(struct exchange *);

#endif
