/*
 * What a filter may ask of the gateway. Three programs implement it: the
 * gateway (chain/host.c), the unit tests (tests/unit/fake_host.c), and the
 * shim that makes our filters an Envoy module (sidecar/module).
 *
 * A str returned here is valid until the callback returns or the same
 * headers are changed; host_keep makes one that lasts as long as the request.
 * Names of header fields are in lower case.
 */
#ifndef SALLYPORT_CHAIN_HOST_H
#define SALLYPORT_CHAIN_HOST_H

#include "chain/filter.h"
#include "http/headers.h"
#include "state/file.h"

/* ---- while a configuration is built ---- */

/* Memory that lives as long as the configuration. */
struct arena *host_setup_arena(struct setup *);

/* Refuses the configuration; node (may be NULL) is where the fault stands. */
void host_setup_error(struct setup *, const struct node *node,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
void host_setup_warn(struct setup *, const struct node *node,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * Id of a counter under the filter's root ("http.<stat_prefix>." in the
 * gateway), for host_count; -1 counts nothing.
 */
int host_setup_counter(struct setup *, const char *name);

/* The same for a name that is whole as it is ("x.http_local_rate_limit.ok"). */
int host_setup_counter_named(struct setup *, struct str name);

/* Id of a gauge under the filter's root, for host_gauge_add; -1 likewise. */
int host_setup_gauge(struct setup *, const char *name);

/* Bytes of a DataSource, or absent with the error said. */
struct conf_data_source;
struct str host_setup_data(
    struct setup *, const struct conf_data_source *, size_t max);

/*
 * A text with Envoy's substitution operators ("%REQ(x-id)%"), compiled. NULL with the
 * error said.
 */
struct format;
const struct format *host_setup_format(
    struct setup *, const struct node *, struct str text);

/* A SubstitutionFormatString for bodies, compiled. NULL with the error said. */
struct conf_format;
const struct format *host_setup_body_format(
    struct setup *, const struct conf_format *);

/* Decodes an Any within a configuration whose message has been found. */
struct any;
const void *host_setup_decode(
    struct setup *, const struct schema_message *, const struct any *);

/*
 * Where the configuration at hand stands, as a dotted path: what tells it
 * from all others.
 */
struct str host_setup_path(struct setup *);

/*
 * Name of the configuration's cluster number i; absent after the last one,
 * and where the host cannot tell.
 */
struct str host_setup_cluster(struct setup *, size_t i);

/*
 * Notes that the configuration has a breaker of that name, or one for each
 * cluster if name is absent: the state file may hold others, of gateways that
 * share it and of configurations that were.
 */
void host_setup_breaker(struct setup *, struct str name);

/*
 * Whether host_metadata can find such a value. A host that sees no parts of
 * structures refuses the configuration, and says so.
 */
bool host_setup_metadata(
    struct setup *, const struct node *, struct str ns, struct str name);

/* The shared state, or NULL where the file is not there yet (validation). */
struct state *host_setup_state(struct setup *);

/* ---- while a request runs ---- */

enum host_map { HOST_REQUEST, HOST_RESPONSE };

/* Field number index (0 for the first) of that name, or absent. */
struct str host_header(
    struct exchange *, enum host_map, struct str name, size_t index);

/* A snapshot of all fields; *n of them, in arena memory of the request. */
const struct header *host_headers(struct exchange *, enum host_map, size_t *n);

/*
 * Changing fields; names and values are copied. They return false, changing nothing, for an
 * invalid name, an empty value, CR, LF or NUL, and when the map is not there (yet).
 */
bool host_header_set(
    struct exchange *, enum host_map, struct str name, struct str value);
bool host_header_add(
    struct exchange *, enum host_map, struct str name, struct str value);
bool host_header_remove(struct exchange *, enum host_map, struct str name);

/* Adds a field without a value. A module in Envoy cannot: there it returns false. */
bool host_header_add_empty(struct exchange *, enum host_map, struct str name);

/*
 * Answers the request here; return FILTER_REPLY afterwards. details is the
 * response code details for the log ("cors_response"). Everything is copied.
 * The filter's own on_response does not run for it, so all its fields belong in headers.
 */
struct kit_fields;
struct host_reply {
	unsigned status;
	const struct header *headers;
	size_t n_headers;
	struct str body; /* text/plain unless headers name a content-type */
	struct str details;
	const char *flag; /* response flag for the log ("RL"), or NULL */
	const struct kit_fields
	    *fields; /* changes to the answer's fields (chain/kit.h), or NULL */
	unsigned grpc_status; /* for gRPC requests; 0: what status means */
	bool bare; /* untouched by the route, local_reply_config and gRPC */
};
void host_reply(struct exchange *, const struct host_reply *);

/*
 * The whole body of the request, absent unless the host has collected it for
 * this filter or an earlier one. Replacing it copies the bytes and corrects
 * content-length; false, changing nothing, when there is none to replace.
 */
struct str host_body(struct exchange *);
bool host_body_replace(struct exchange *, struct str bytes);

/*
 * Questions that take time. The first call asks; later calls by the same
 * filter with the same slot tell how it stands. A callback returns
 * FILTER_WAIT while the answer is HOST_PENDING and is run again when there is
 * news, or for no reason at all. Whatever is asked ends with the request.
 */
enum host_answer { HOST_PENDING, HOST_READY };

/* Whether delay_ns have passed since the first call. */
enum host_answer host_timer(struct exchange *, unsigned slot, int64_t delay_ns);

/* The per-route configuration of this filter that holds for the request, or NULL. */
const void *host_route_conf(struct exchange *);

/*
 * All of them, for filters that combine levels: those of the route
 * configuration, the virtual host, the route and the weighted cluster, NULL
 * where a level has none.
 */
enum host_level {
	HOST_LEVEL_GLOBAL,
	HOST_LEVEL_VHOST,
	HOST_LEVEL_ROUTE,
	HOST_LEVEL_CLUSTER,
	HOST_LEVELS,
	/* What stands in fields of their own, "cors" of virtual host and route. */
	HOST_OLD_VHOST = HOST_LEVELS,
	HOST_OLD_ROUTE,
	HOST_ALL_LEVELS
};
const void *host_route_conf_at(struct exchange *, enum host_level);

/* Has the route chosen anew after :path or headers changed. */
void host_reroute(struct exchange *);

/* Adds a response flag for the log ("DI"). */
void host_flag(struct exchange *, const char *flag);

/*
 * What in the configuration the verdict has come from, where that is less than
 * all of the filter's: for explanations. The last word counts.
 */
void host_decided_by(struct exchange *, const struct node *);

/* The request is a health check: the log and the counters may leave it out. */
void host_note_health_check(struct exchange *);

/* How many hosts a cluster has and how many of them are healthy; false if there is no such cluster. */
bool host_cluster_members(
    struct exchange *, struct str name, size_t *healthy, size_t *all);

enum host_attribute {
	HOST_CLIENT_ADDRESS, /* trusted client address, without port */
	HOST_CLIENT_PORT,
	HOST_SCHEME,
	HOST_PROTOCOL,
	HOST_REQUEST_ID,
	HOST_ROUTE_NAME,
	HOST_CLUSTER_NAME, /* of the chosen route, absent without one */
	HOST_SERVICE_CLUSTER, /* this gateway's own: node.cluster of the configuration */
	HOST_CODE_DETAILS, /* once a response exists */
	HOST_RESPONSE_CODE, /* as decimal text; absent before */
};
struct str host_attribute(struct exchange *, enum host_attribute);

/* Whether the chosen route forwards to a cluster (no redirect, no direct response). */
bool host_route_forwards(struct exchange *);

/*
 * Dynamic metadata. name is a key, or a dotted path into a JSON value set
 * under its first part ("payload.sub"). set_json takes a JSON text. The
 * others change a whole namespace by a JSON object: they put it in its place,
 * or merge it in (chain/metadata.h says how).
 */
struct str host_metadata(struct exchange *, struct str ns, struct str name);
bool host_metadata_has(struct exchange *, struct str ns);
void host_metadata_set(
    struct exchange *, struct str ns, struct str key, struct str value);
void host_metadata_set_json(
    struct exchange *, struct str ns, struct str key, struct str json);
void host_metadata_set_number(
    struct exchange *, struct str ns, struct str key, double number);
void host_metadata_replace(struct exchange *, struct str ns, struct str object);
void host_metadata_merge(struct exchange *, struct str ns, struct str object);

/* The value at a path of n keys, strings as they are, all else as JSON; absent if there is none. */
struct str host_metadata_at(
    struct exchange *, struct str ns, const struct str *keys, size_t n);

/* The same if it is a text; absent for anything else. */
struct str host_metadata_string(
    struct exchange *, struct str ns, const struct str *keys, size_t n);

/* The same of the metadata that the chosen route has in the configuration. */
struct str host_route_metadata_string(
    struct exchange *, struct str ns, const struct str *keys, size_t n);

/* The text with its operators filled in, in request memory. */
struct str host_format(struct exchange *, const struct format *);

/* The same of a body's format; body is what %LOCAL_REPLY_BODY% stands for. */
struct str host_body_format(
    struct exchange *, const struct format *, struct str body);

/*
 * rate_limits of the chosen route (HOST_LEVEL_ROUTE) or of its virtual host
 * (HOST_LEVEL_VHOST); NULL if there are none or the route does not forward.
 * And whether the route asks for the latter too.
 */
struct rate_limits;
const struct rate_limits *host_rate_limits(struct exchange *, enum host_level);
bool host_route_includes_vhost_limits(struct exchange *);

/* Adds to a counter of host_setup_counter; -1 is none. */
void host_count(struct exchange *, int counter, uint64_t by);

/* This process's part of a gauge; and the sum over all processes. */
void host_gauge_add(struct exchange *, int gauge, int64_t by);
int64_t host_gauge(struct exchange *, int gauge);

/*
 * Whether a breaker in the state file is one of the configuration's
 * (host_setup_breaker). A host that cannot tell says so of all.
 */
bool host_has_breaker(struct exchange *, struct str name);

/* The state file, or NULL; the time of the clocks, in nanoseconds. */
struct state *host_state(struct exchange *);
int64_t host_boot_ns(struct exchange *);
int64_t host_wall_ns(struct exchange *);

/* Memory that lasts as long as the request, and a copy of s in it. */
struct arena *host_arena(struct exchange *);
struct str host_keep(struct exchange *, struct str);

/* A value in [0, n) that is random per call; for fractional percents. */
uint64_t host_random(struct exchange *, uint64_t n);

enum host_log { HOST_LOG_ERROR, HOST_LOG_WARN, HOST_LOG_INFO, HOST_LOG_DEBUG };
void host_log(struct exchange *, enum host_log, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
