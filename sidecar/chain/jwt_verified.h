/*
 * What stays of a verified token: the claims that are checked each time, and
 * what its provider hands on. Apart from the request, for the provider's memo.
 */
#ifndef SALLYPORT_CHAIN_JWT_VERIFIED_H
#define SALLYPORT_CHAIN_JWT_VERIFIED_H

#include "chain/jwt.h"

struct jwt_verified {
	const struct jwt_provider *provider;
	struct jwt_claims claims;
	struct header *headers; /* for the backend */
	size_t n_headers;
	struct str bad_header; /* whose value no header can have, or absent */
	struct str payload_json, header_json; /* for the metadata, or absent */
};

/* An item under the token, for the caller to keep or to drop. */
struct memo_item *jwt_verified_item(struct arena *scratch,
    const struct jwt_provider *, const struct jws *, struct str token);

#endif
