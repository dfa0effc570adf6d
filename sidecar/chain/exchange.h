/*
 * One request and its response on the way through the gateway. The front
 * makes an exchange, the chain moves it through the filters, the router
 * (upstream/) forwards it, the front writes the answer. Filters do not see
 * this header; they have host.h.
 */
#ifndef SALLYPORT_CHAIN_EXCHANGE_H
#define SALLYPORT_CHAIN_EXCHANGE_H

#include "base/buf.h"
#include "chain/flag.h"
#include "chain/gateway.h"
#include "chain/host.h"
#include "chain/wake.h"
#include "http/certificate.h"

/* Bytes of a body on their way in one direction; more waits where it is. */
enum { EXCHANGE_BODY_WINDOW = 64 * 1024 };

/* The client's certificate, as the web server saw it. */
enum exchange_certificate {
	EXCHANGE_NO_CERTIFICATE,
	EXCHANGE_BAD_CERTIFICATE, /* presented, not verified */
	EXCHANGE_GOOD_CERTIFICATE,
};

/* Certificates are read when a log format first asks for them. */
struct exchange_certs {
	struct exchange_cert {
		bool was_read, is_there;
		struct certificate cert;
	} client, server;
};

/* What only the front knows; absent values are allowed except method and target. */
struct exchange_peer {
	struct str address, port; /* of the client, as the web server saw it */
	struct str local_address, local_port;
	struct str scheme; /* "http" or "https" */
	struct str protocol; /* "HTTP/1.1" */
	enum exchange_certificate certificate;
	struct str client_cert, server_cert; /* PEM, of TLS */
	struct exchange_certs *certs; /* the same once they are read, or NULL */
	struct str tls_version, tls_cipher, tls_session, tls_name; /* SNI */
};

enum exchange_phase {
	EXCHANGE_REQUEST, /* request filters run or wait */
	EXCHANGE_FORWARDING, /* at the router, no answer yet */
	EXCHANGE_RESPONSE, /* response filters run or wait */
	EXCHANGE_ANSWERING, /* response headers are final: the front sends them, then download */
	EXCHANGE_CUT, /* the answer cannot be completed: the front breaks it off visibly */
};

/* What an access log line is written for; Envoy's AccessLogType. */
enum log_type {
	LOG_NOT_SET, /* none: header values, local replies */
	LOG_START,
	LOG_PERIODIC,
	LOG_END,
};

/* The connection to the backend and what went over it, for the log. */
struct exchange_upstream {
	struct str hostname; /* the endpoint's, if it has one */
	struct str remote_address; /* with port; absent: no connection */
	struct str local_address;
	struct str protocol; /* "HTTP/1.1" */
	struct str tls_version, tls_cipher;
	struct str hosts_attempted, names_attempted; /* comma lists */
	const struct conf_metadata *metadata; /* of the endpoint, or NULL */
	int64_t connect_begin_ns, connect_end_ns, tls_end_ns;
	int64_t sent_begin_ns, sent_end_ns;
	int64_t body_begin_ns, received_end_ns;
	uint64_t header_bytes_sent, wire_bytes_sent;
	uint64_t header_bytes_received, wire_bytes_received;
};

struct exchange {
	struct arena *arena;
	const struct gateway *gateway;
	struct state *state;
	struct exchange_peer peer;

	enum exchange_phase phase;
	bool is_counted; /* in downstream_rq_total */
	struct headers request; /* with :method, :path, :authority, :scheme */
	struct headers response; /* with :status first, once there is one */
	struct str original_path; /* :path as it came */
	struct str client_address; /* trusted, see chain/trust.h */
	struct str client_port; /* "0" when only the address is known */
	bool is_internal; /* from an address of internal_address_config */
	bool is_edge; /* the first gateway that a client outside meets */
	bool is_upgrade; /* asks for another protocol */

	/*
	 * Bodies. The front fills upload and sets upload_end; the router takes
	 * from it. The router fills download and sets download_end; the front
	 * takes from it. Whoever changes one end tells the other: the front by
	 * router_resume, the router by changed.
	 */
	int64_t upload_len; /* declared; -1 unknown, 0 none */
	struct buf upload;
	bool upload_end;
	struct buf download;
	bool download_end;

	const struct conf_virtual_host *vhost; /* NULL: none has the domain */
	const struct route *route; /* NULL: none matched */
	struct chain_run *chain; /* where the filters are; chain.c's */
	struct wakes *wakes; /* the front's; NULL: whoever made it wakes it */
	struct wake wake; /* once a filter has asked something */
	struct question *questions; /* host.c's */
	void *router; /* the router's own; upstream/router.c's */
	struct metadata *metadata; /* metadata.c's */
	int64_t max_duration_ns; /* from start_ns on; 0: any, or no route yet */
	uint64_t random; /* one number per request, for routing */
	uint64_t random_next; /* state of host_random */

	/* For the log. */
	int64_t start_wall_ns;
	int64_t start_ns; /* boot clock, as all below; 0: not yet */
	int64_t upload_end_ns;
	int64_t upstream_headers_ns; /* response headers of the backend */
	int64_t answer_begin_ns; /* response headers to the client */
	int64_t end_ns; /* exchange_end was called */
	uint64_t bytes_received; /* body bytes from the client */
	uint64_t bytes_sent; /* body bytes to the client */
	struct flags flags;
	struct str details; /* response code details */
	struct str failure_text; /* upstream transport failure reason */
	struct str upstream_host; /* "127.0.0.1:3001" */
	const struct conf_cluster *cluster;
	struct exchange_upstream upstream;
	struct str cluster_name; /* also of one that does not exist */
	struct str vcluster; /* virtual cluster, once it is forwarded */
	unsigned attempts;
	unsigned reroutes; /* how often a route was searched */
	enum log_type log_type; /* while a log line is rendered */
	bool renders_reply; /* the body of a local reply is being rendered */
	unsigned code; /* %RESPONSE_CODE%; 0: not yet */
	struct str local_body; /* body of a local reply */
	bool health_check; /* a filter says that it is one */
	const struct node *decided; /* what the filter says it has gone by */

	const struct exchange_hooks *hooks;
	void *owner; /* the front's */
};

/* A part of its way that an exchange has passed. */
enum exchange_part {
	EXCHANGE_PART_ENTRY, /* all that comes before the filters */
	EXCHANGE_PART_FILTER, /* a callback of a filter, in phase's direction */
	EXCHANGE_PART_ANSWER, /* an answer is there, whoever made it */
};

/* What the chain needs from those above it; set by the front. */
struct exchange_hooks {
	/* All request filters have passed: send it to a backend. */
	void (*forward)(struct exchange *);
	/* phase, download or upload room changed: look again, later in this turn. */
	void (*changed)(struct exchange *);
	/* A filter has answered in place of the backend: end the forwarding. */
	void (*abandon)(struct exchange *);
	/* For whoever watches, or NULL. filter is its place among the gateway's. */
	void (*passed)(
	    struct exchange *, enum exchange_part, size_t filter, enum verdict);
	/* The route is found, the filters are about to run. May be NULL. */
	void (*begun)(struct exchange *);
};

/* A zeroed exchange whose buffers have their maxima. */
struct exchange *exchange_new(struct arena *, const struct gateway *,
    struct state *, const struct exchange_hooks *, void *owner);

/*
 * Takes a request whose headers, peer and upload_len are set and moves it as
 * far as it goes: checks, normalises, finds the route, runs the filters. Outcomes are
 * seen in phase.
 */
void exchange_start(struct exchange *);

/* Re-runs the filter that waits. */
void exchange_wake(struct exchange *);

/* When a filter wants to be run again, on the boot clock; INT64_MAX: none does. */
int64_t exchange_due_ns(const struct exchange *);

/* upload has more or its end: a filter may wait for all of it. */
void exchange_upload_moved(struct exchange *);

/* Gives the exchange a name in wakes, if it has none yet. */
void exchange_join(struct exchange *);

/*
 * Answers without a backend. From the router in place of a response, or from
 * the front before exchange_start (bad request). Ignored once ANSWERING.
 */
void exchange_reply(struct exchange *, const struct host_reply *);

/* The router has put the backend's fields into response (":status" among them). */
void exchange_respond(struct exchange *);

/* The answer broke off after its headers: phase becomes CUT. */
void exchange_cut(struct exchange *);

/* Calls on_end of the filters; then the log may be written. Once, by the front, at the end. */
void exchange_end(struct exchange *);

/* Status code of the response, 0 if there is none. */
unsigned exchange_status(const struct exchange *);

/* Whether the request is one of gRPC, by its content-type. */
bool exchange_is_grpc(const struct exchange *);

/* Whether the response has no body by its nature: HEAD, 204, 304. */
bool exchange_response_is_bodyless(const struct exchange *);

#endif
