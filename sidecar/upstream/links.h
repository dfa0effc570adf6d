/*
 * Connections to backends that speak plain HTTP/1.1, and those kept for the
 * next request. A connection is registered with the loop once and stays so
 * while it waits: bytes or its end then mean that it is of no use any more.
 */
#ifndef SALLYPORT_UPSTREAM_LINKS_H
#define SALLYPORT_UPSTREAM_LINKS_H

#include <sys/queue.h>

#include "upstream/client.h"
#include "upstream/sockets.h"

struct links;

/* Where connections lead. Lives as long as the links. */
struct endpoint;

struct link {
	struct links *all;
	struct endpoint *to;
	struct call *call; /* the one it serves */
	struct watch watch;
	bool is_kept; /* serves none */
	bool was_kept; /* has served a request already */
	uint32_t served; /* requests */
	int64_t opened_ns, kept_ns;
	char local_ip[48]; /* once link_note_connected was called; or "" */
	int local_port;
	LIST_ENTRY(link) kept_link; /* of its endpoint, the latest first */
	TAILQ_ENTRY(link) age_link; /* of all, the oldest first */
};

/*
 * Keeps at most max connections. fn gets the events of a link that has a
 * call.
 */
struct links *links_new(
    struct loop *, size_t max, void (*fn)(struct link *, uint32_t events));
/* No link may have a call. */
void links_free(struct links *);

/*
 * The endpoint of an origin, or NULL if it takes libcurl to reach it: TLS,
 * or a name to be resolved. Its connections belong to the group,
 * which says how long they are kept and is told what happens to them.
 */
struct endpoint *links_endpoint(
    struct links *, const struct client_origin *, struct socket_group *);

/* "127.0.0.1:3001", "[::1]:80" or a path. */
struct str endpoint_name(const struct endpoint *);

/* A kept connection that was alive a moment ago, or NULL. */
struct link *links_take(struct endpoint *);

/*
 * Begins a new connection; it is there when the socket can be written to.
 * NULL with errno: *no_socket tells whether there was none to be had, or
 * connecting failed at once.
 */
struct link *links_open(struct endpoint *, bool *no_socket);

/* The socket is connected: notes its own address. */
void link_note_connected(struct link *);

/* What the link is watched for; ERR_SYSTEM if that fails. */
enum err link_watch(struct link *, uint32_t events) CHECKED;

/*
 * The link's call is over: it has served a request and waits for the next,
 * it waits as it did before, or it is of no use any more. All take it from
 * the call.
 */
void link_keep(struct link *);
void link_return(struct link *);
void link_close(struct link *);

#endif
