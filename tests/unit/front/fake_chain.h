/*
 * The chain, the router and the access log as the front sees them, for its
 * tests: what happens to an exchange is noted, and the test moves it on.
 */
#ifndef SALLYPORT_TESTS_UNIT_FRONT_FAKE_CHAIN_H
#define SALLYPORT_TESTS_UNIT_FRONT_FAKE_CHAIN_H

#include "chain/exchange.h"

struct fake_chain {
	struct exchange *x; /* the last one started, NULL once ended */
	unsigned started, resumed, ended, logged;
	bool echoes; /* the backend sends back what it is sent */
	bool swallows; /* the backend takes all of the body */

	/* Of the last one logged. */
	unsigned status;
	unsigned flags;
	char details[64];
	char path[64];
	uint64_t bytes_received, bytes_sent;
	int64_t upload_len;
};
extern struct fake_chain fake_chain;

void fake_chain_reset(void);
const struct gateway *fake_chain_gateway(void);

/*
 * The backend answers: a head of this status, then body bytes. Length -1:
 * the response has no Content-Length.
 */
void fake_chain_respond(unsigned status, int64_t length);
void fake_chain_body(struct str);
void fake_chain_body_end(void);

#endif
