/*
 * An Envoy for the tests of the shim: the callbacks of module/abi.h over plain
 * data, and what Envoy does around a reply. One stream at a time has one
 * filter of ours.
 */
#ifndef SALLYPORT_TESTS_UNIT_MODULE_ENVOY_H
#define SALLYPORT_TESTS_UNIT_MODULE_ENVOY_H

#include "base/buf.h"
#include "http/headers.h"
#include "module/abi.h"

enum { ENVOY_COUNTERS = 16 };

/* The hooks of the module under test: linked in, or loaded. */
struct envoy_hooks {
	const void *(*new)(const void *conf, void *stream);
	int (*request_headers)(void *, const void *, bool);
	int (*request_body)(void *, const void *, bool);
	int (*request_trailers)(void *, const void *);
	int (*response_headers)(void *, const void *, bool);
	void (*stream_complete)(void *, const void *);
	void (*destroy)(const void *);
};
extern const struct envoy_hooks envoy_linked;

struct envoy_reply {
	unsigned n; /* how often somebody replied */
	unsigned status;
	struct headers headers;
	struct str body, details;
};

struct envoy_stream {
	struct arena *arena;
	const struct envoy_hooks *hooks;
	const void *self;
	struct headers maps[4];
	bool has_map[4];
	struct buf received, buffered;
	bool is_in_body_hook;
	bool received_is_buffered;
	uint64_t limit;
	struct str texts[64]; /* attributes by number */
	uint64_t numbers[64];
	const void *route_conf;
	unsigned routes_cleared;
	struct str metadata_ns, metadata_key, metadata_value;
	double metadata_number;
	bool has_metadata_number;
	struct str flags;
	struct envoy_reply reply;
	bool ends_with_reply; /* a reply completes and destroys inline */
	bool ended, destroyed;
};

/* Forgets counters and log; sets the answers of the process. */
void envoy_begin(void);

/* A stream with request headers and a filter for it. */
struct envoy_stream *envoy_stream_new(
    const struct envoy_hooks *, const void *conf);
/* Completes and destroys what is left of it, and frees it. */
void envoy_stream_free(struct envoy_stream *);

void envoy_header(
    struct envoy_stream *, enum abi_map, const char *name, const char *value);
const char *envoy_header_value(
    struct envoy_stream *, enum abi_map, const char *name);
void envoy_text(struct envoy_stream *, enum abi_attribute, const char *);

/* The hooks in the order of a stream; they return what the module said. */
int envoy_request(struct envoy_stream *, bool end);
int envoy_body(struct envoy_stream *, const char *bytes, bool end);
int envoy_trailers(struct envoy_stream *);
int envoy_response(struct envoy_stream *, const char *status);
void envoy_complete(struct envoy_stream *);
void envoy_destroy(struct envoy_stream *);

uint64_t envoy_count(const char *name);
/* All lines of the log, each ended by a newline. */
const char *envoy_log(void);
/* Envoy runs only to check a configuration. */
void envoy_set_validation(bool);

#endif
