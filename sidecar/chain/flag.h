/*
 * Envoy's response flags: why an answer is not the backend's, for the access
 * log. Each has a bit, a short name ("UF") and a long one; the bits stand in
 * Envoy's order.
 */
#ifndef SALLYPORT_CHAIN_FLAG_H
#define SALLYPORT_CHAIN_FLAG_H

#include "base/arena.h"

enum flag {
	FLAG_LH = 1 << 0, /* local health check failed */
	FLAG_UH = 1 << 1, /* no healthy upstream */
	FLAG_UT = 1 << 2, /* upstream request timeout */
	FLAG_LR = 1 << 3, /* local reset */
	FLAG_UR = 1 << 4, /* upstream remote reset */
	FLAG_UF = 1 << 5, /* upstream connection failure */
	FLAG_UC = 1 << 6, /* upstream connection termination */
	FLAG_UO = 1 << 7, /* upstream overflow, breaker open */
	FLAG_NR = 1 << 8, /* no route found */
	FLAG_DI = 1 << 9, /* delay injected */
	FLAG_FI = 1 << 10, /* fault injected */
	FLAG_RL = 1 << 11, /* rate limited */
	FLAG_UAEX = 1 << 12, /* denied by the external authorization service */
	FLAG_RLSE = 1 << 13, /* rate limit service error */
	FLAG_DC = 1 << 14, /* downstream connection termination */
	FLAG_URX = 1 << 15, /* upstream retry limit exceeded */
	FLAG_SI = 1 << 16, /* stream idle timeout */
	FLAG_IH = 1 << 17, /* invalid value of one of Envoy's request headers */
	FLAG_DPE = 1 << 18, /* downstream protocol error */
	FLAG_UMSDR = 1 << 19, /* upstream max stream duration reached */
	FLAG_RFCF = 1 << 20, /* response from the cache filter */
	FLAG_NFCF = 1 << 21, /* no filter configuration found */
	FLAG_DT = 1 << 22, /* max stream duration reached */
	FLAG_UPE = 1 << 23, /* upstream protocol error */
	FLAG_NC = 1 << 24, /* no cluster found */
	FLAG_OM = 1 << 25, /* terminated by the overload manager */
	FLAG_DF = 1 << 26, /* DNS resolution failed */
	FLAG_DO = 1 << 27, /* drop overload */
	FLAG_DR = 1 << 28, /* downstream remote reset */
	FLAG_UDO = 1 << 29, /* unconditional drop overload */
};
enum { FLAG_COUNT = 30 };

/* The flags of an exchange, zeroed at first. */
struct flags {
	unsigned bits;
	unsigned char order[FLAG_COUNT]; /* bit numbers as they were set */
	unsigned char n;
};

/* Sets a flag; the log prints flags in the order they were set. 0 does nothing. */
void flags_set(struct flags *, unsigned flag);

/* As Envoy prints them ("UF,URX"), or "-"; by their short and long names. */
struct str flags_text(struct arena *, const struct flags *);
struct str flags_long_text(struct arena *, const struct flags *);

/* The bit of a short name, or 0. */
unsigned flag_find(struct str short_name);

#endif
