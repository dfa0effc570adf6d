/* The short form decoded, on its way from short.c to short_expand.c. */
#ifndef SALLYPORT_CONFIG_SHORT_FORM_H
#define SALLYPORT_CONFIG_SHORT_FORM_H

#include "config/model.h"

/* "https://host:port/base", taken apart. */
struct short_backend {
	struct str url; /* scheme, host and port, as a client would write it */
	struct str authority; /* host, and port unless it is the scheme's */
	struct str host; /* without brackets */
	uint32_t port;
	struct str base; /* "" or "/v2" */
	struct str cluster;
	bool is_https;
	bool is_ip;
};

enum short_key { SHORT_KEY_CLIENT, SHORT_KEY_HEADER, SHORT_KEY_CLAIM };

/* "100/60s", and who is counted. */
struct short_limit {
	const struct node *node; /* NULL: no limit */
	uint64_t limit;
	int64_t window_ns;
	enum short_key kind;
	struct str key; /* of the header or claim */
};

/* The long spelling of rate_limit. */
struct short_limit_map {
	const struct node *node;
	struct str limit, key;
};

enum short_auth { SHORT_AUTH_NONE, SHORT_AUTH_JWT };

struct short_route {
	const struct node *node;
	struct str path;
	conf_strings methods; /* empty: all */
	struct str backend;
	int auth;
	const struct node *rate_limit;
	bool strip;
	int64_t timeout;
	bool has_timeout;
	/* computed */
	struct short_backend to;
	struct short_limit limit;
	bool shares_path; /* another route has the same path */
};

struct short_secret {
	const struct node *node;
	struct str env, file, credential;
};

struct short_jwks {
	const struct node *node;
	struct str file, json;
};

struct short_jwt {
	const struct node *node;
	struct short_secret *secret;
	struct short_jwks *jwks;
	struct str issuer;
	conf_strings audiences, algorithms;
	int64_t leeway;
	struct map claims; /* values: struct str *, header names */
	/* computed */
	struct str secret_bytes;
};

struct short_cors {
	const struct node *node;
	conf_strings origins, methods, headers, expose;
	bool credentials;
	int64_t max_age;
	bool has_max_age;
};

struct short_breaker {
	const struct node *node;
	uint32_t failures;
	int64_t open_for;
};

struct short_transform {
	const struct node *node;
	struct str add, set, remove, rewrite, to;
	const struct node *value;
	/* computed: value, or what it refers to with % escaped */
	struct str text;
};
typedef CONF_LIST(struct short_transform) short_transforms;

struct short_transforms_both {
	const struct node *node;
	short_transforms request, response;
};

struct short_form {
	const struct node *node;
	struct str listen;
	CONF_LIST(struct short_route) routes;
	struct short_jwt *jwt;
	struct short_cors *cors;
	struct short_breaker *breaker;
	struct short_transforms_both *transforms;
	struct str access_log;
	/* computed */
	struct str listen_host; /* absent: listen_path */
	uint32_t listen_port;
	struct str listen_path;
	bool needs_jwt, needs_limits;
};

/* Decodes and checks; usable only if the diag has no errors. */
struct short_form *short_decode(
    struct arena *, const struct node *top, struct diag *);

/* The bootstrap nodes of a form without errors. */
const struct node *short_build(struct arena *, const struct short_form *);

extern const struct schema_message short_form_message;
extern const struct schema_message short_limit_message;
extern const struct schema_message short_secret_message;

#endif
