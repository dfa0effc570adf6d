/*
 * What can go wrong between two modules, as one enumeration. A request that
 * is refused carries its own status and details (chain/exchange.h); these
 * codes are for everything below that.
 */
#ifndef SALLYPORT_BASE_ERR_H
#define SALLYPORT_BASE_ERR_H

enum err {
	ERR_OK = 0,
	ERR_AGAIN, /* nothing can be done now; wait for an event */
	ERR_CLOSED, /* the peer has closed */
	ERR_FULL, /* a stated maximum would be passed */
	ERR_BAD, /* the peer's bytes break the protocol */
	ERR_DENIED, /* the bytes are sound, the answer is no */
	ERR_SYSTEM, /* the system said no: errno tells */
	ERR_CONFIG, /* the configuration is refused; the reason was said */
	ERR_N
};

#define CHECKED __attribute__((warn_unused_result))

/* A short sentence for logs. */
const char *err_text(enum err);

#endif
