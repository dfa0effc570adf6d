/*
 * The calls of a worker: which way they go, libcurl's multi interface on the
 * loop, its handles in a pool, their sockets.
 */
#include "config.h"

#include <sys/epoll.h>
#include <sys/resource.h>

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "upstream/call.h"
#include "upstream/head.h"

enum {
	KEPT_CONNECTIONS = 4096, /* but at most a quarter of the descriptors */
	POOLED_HANDLES = 256,
};

void
call_must(bool had)
{
	if (!had) {
		log_error("out of memory");
		abort();
	}
}

static struct call *
call_of(CURL *easy)
{
	char *call = NULL;

	if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call) != CURLE_OK)
		return NULL;
	return (void *)call;
}

/* Takes up what libcurl has finished. Never from within its callbacks. */
static void
collect(struct client *client)
{
	CURLMsg *message;
	CURLcode code;
	struct call *call;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		code = message->data.result;
		call = call_of(message->easy_handle);
		if (call)
			call_finish(call, code);
	}
}

static void
drive(struct client *client, curl_socket_t fd, int ready)
{
	int running;

	(void)curl_multi_socket_action(client->multi, fd, ready, &running);
	collect(client);
}

static void
on_ready(void *arg, int fd, uint32_t ready)
{
	int mask = (ready & EPOLLIN ? CURL_CSELECT_IN : 0) |
		   (ready & EPOLLOUT ? CURL_CSELECT_OUT : 0);

	drive(arg, fd, mask);
}

static void
on_kick(void *arg)
{
	drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int
on_timer(CURLM *multi, long ms, void *arg)
{
	struct client *client = arg;

	(void)multi;
	if (ms > 0)
		timer_set(client->loop, &client->timer, ms * NS_PER_MS, on_kick,
		    client);
	else
		timer_clear(client->loop, &client->timer);
	if (ms == 0)
		task_defer(client->loop, &client->kick, on_kick, client);
	return 0;
}

static void
watch(struct client *client, struct call *call, int fd, int what)
{
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) |
			  (what & CURL_POLL_OUT ? EPOLLOUT : 0);

	if (sockets_watch(client->sockets, fd, events) && call) {
		call_refuse(call, CALL_LOCAL, "the socket cannot be watched");
		call_look_later(call);
	}
}

/*
 * The answer may be complete before the request is, and libcurl would go on
 * sending. That it does not want to read any more, though we have not paused
 * it, is the sign.
 */
static bool
shows_the_end(const struct call *call, int what)
{
	return call->state == CALL_HEADERS && !call->recv_paused &&
	       what != CURL_POLL_IN && what != CURL_POLL_INOUT;
}

/* ---- connections ---- */

static void
on_connection(void *arg, enum socket_event event)
{
	static const enum client_event events[] = {
		[SOCKET_OPENED] = CLIENT_OPENED,
		[SOCKET_CLOSED] = CLIENT_CLOSED,
		[SOCKET_RESTS] = CLIENT_RESTS,
		[SOCKET_SERVED_ENOUGH] = CLIENT_SERVED_ENOUGH,
		[SOCKET_IDLED] = CLIENT_IDLED,
	};
	const struct line *line = arg;
	const struct client_hooks *hooks = &line->client->hooks;

	if (hooks->event)
		hooks->event(
		    hooks->arg, line->origin, events[event], line->opening);
}

static struct line *
line_of(struct client *client, const struct client_origin *origin)
{
	struct line *line = &client->lines[origin->index];

	if (line->origin)
		return line;
	line->client = client;
	line->origin = origin;
	line->group = (struct socket_group){ .idle_ns = origin->idle_ns,
		.age_ns = origin->age_ns,
		.uses = origin->uses,
		.event = on_connection,
		.arg = line };
	return line;
}

/* The same, once it is known which way calls to this origin go. */
static struct line *
line_to(struct client *client, const struct client_origin *origin)
{
	struct line *line = line_of(client, origin);

	if (line->endpoint_of != origin)
		line->endpoint =
		    links_endpoint(client->links, origin, &line->group);
	line->endpoint_of = origin;
	return line;
}

bool
client_has_idle(const struct client *client, const struct client_origin *o)
{
	const struct line *line = &client->lines[o->index];

	return line->group.resting > line->reserved;
}

unsigned
client_open(const struct client *client, const struct client_origin *o)
{
	return client->lines[o->index].group.open;
}

/* So that of two requests at once only one counts on a free connection. */
static void
reserve(struct call *call)
{
	struct line *line = line_of(call->client, call->spec.origin);

	call->reserves = line->group.resting > line->reserved;
	if (call->reserves)
		line->reserved++;
}

static void
unreserve(struct call *call)
{
	if (call->reserves)
		line_of(call->client, call->spec.origin)->reserved--;
	call->reserves = false;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
	struct client *client = arg;
	struct call *call = call_of(easy);
	bool own;

	(void)unused;
	if (call && what != CURL_POLL_REMOVE) {
		call->fd = fd;
		unreserve(call);
	}
	own = call && call->started && call->fd == fd;
	if (own && shows_the_end(call, what)) {
		call->read_over = true;
		call_look_later(call);
	}
	if (what != CURL_POLL_REMOVE)
		watch(client, call, fd, what);
	else if (own && (call->recv_paused || call->send_paused))
		sockets_unwatch(client->sockets, fd);
	else
		sockets_rest(client->sockets, fd);
	return 0;
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct call *call = arg;
	struct line *line = line_of(call->client, call->spec.origin);
	int fd;

	line->opening = call->spec.ticket;
	fd = sockets_open(call->client->sockets, &line->group, address->family,
	    address->socktype, address->protocol);
	line->opening = NULL;

	(void)purpose;
	if (fd < 0 && errno != EAFNOSUPPORT)
		call->open_errno = errno;
	return fd;
}

static int
on_close(void *arg, curl_socket_t fd)
{
	struct client *client = arg;

	sockets_close(client->sockets, fd);
	return 0;
}

/* ---- calls ---- */

static struct call *
make_call(struct client *client)
{
	struct call *call = calloc(1, sizeof(*call));

	call_must(call);
	call->client = client;
	return call;
}

static struct call *
take_plain(struct client *client)
{
	struct call *call = client->plain_pool;

	if (!call)
		return make_call(client);
	client->plain_pool = call->next;
	client->n_plain_pool--;
	return call;
}

static struct call *
take_handle(struct client *client)
{
	struct call *call = client->pool;

	if (call) {
		client->pool = call->next;
		client->n_pool--;
		return call;
	}
	call = make_call(client);
	call->easy = curl_easy_init();
	call_must(call->easy);
	request_set_up(call);
	transfer_set_up(call);
	SET(call->easy, CURLOPT_PRIVATE, (char *)call);
	SET(call->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	SET(call->easy, CURLOPT_OPENSOCKETDATA, call);
	SET(call->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	SET(call->easy, CURLOPT_CLOSESOCKETDATA, client);
	return call;
}

static void
drop_call(struct call *call)
{
	if (call->easy)
		curl_easy_cleanup(call->easy);
	buf_free(&call->head);
	free(call->connect_text);
	free(call->block);
	free(call);
}

static void
drop_pool(struct call *call)
{
	struct call *next;

	for (; call; call = next) {
		next = call->next;
		drop_call(call);
	}
}

static void
reset(struct call *call, const struct call_spec *spec)
{
	call->spec = *spec;
	call->direct = (struct direct){ 0 };
	call->fd = -1;
	call->attempts = 0;
	call->local_ip[0] = '\0';
	call->local_port = 0;
	call->started_ns = clock_boot_ns();
	call->ready_ns = call->sent_ns = call->body_ns = 0;
	call->started = call->has_run = false;
	call->uploaded = 0;
	call->sent = 0;
	call->reserves = false;
	buf_init(&call->head,
	    spec->origin->max_head ? spec->origin->max_head : HEAD_MAX_BYTES);
	call->has_begun = false;
	call->taken = 0;
	call->send_paused = call->recv_paused = call->read_over = false;
	call->open_errno = 0;
	call->state = CALL_WAITING;
	call->failure = call->refused = CALL_NO_FAILURE;
	call->was_sent = false;
	call->text[0] = call->error[0] = call->peer[0] = '\0';
}

static void
start_transfer(struct call *call)
{
	struct client *client = call->client;

	request_set(call, &call->spec);
	reserve(call);
	call->started = call->has_run = true;
	if (curl_multi_add_handle(client->multi, call->easy) != CURLM_OK) {
		call->started = false;
		call_fail(call, CURLE_FAILED_INIT);
		return;
	}
	task_defer(client->loop, &client->kick, on_kick, client);
}

struct call *
call_start(struct client *client, const struct call_spec *spec)
{
	struct line *line = line_to(client, spec->origin);
	struct call *call =
	    line->endpoint ? take_plain(client) : take_handle(client);

	reset(call, spec);
	if (!request_is_sound(spec)) {
		call_refuse(
		    call, CALL_LOCAL, "a request that cannot be written");
		call_fail(call, CURLE_BAD_FUNCTION_ARGUMENT);
		return call;
	}
	call->direct.to = line->endpoint;
	call->direct.line = line;
	if (line->endpoint)
		direct_start(call);
	else
		start_transfer(call);
	return call;
}

void
call_end(struct call *call)
{
	struct client *client = call->client;
	struct call **pool = call->easy ? &client->pool : &client->plain_pool;
	unsigned *n = call->easy ? &client->n_pool : &client->n_plain_pool;

	call_stop(call);
	unreserve(call);
	task_clear(client->loop, &call->notice);
	task_clear(client->loop, &call->wake);
	buf_free(&call->head);
	if (*n == POOLED_HANDLES) {
		drop_call(call);
		return;
	}
	call->next = *pool;
	*pool = call;
	++*n;
}

static long
most_kept_connections(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) ||
	    files.rlim_cur / 4 > KEPT_CONNECTIONS)
		return KEPT_CONNECTIONS;
	return (long)files.rlim_cur / 4;
}

struct client *
client_new(struct loop *loop, size_t n, const struct client_hooks *hooks)
{
	struct client *client = calloc(1, sizeof(*client));

	call_must(client && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	client->loop = loop;
	client->links =
	    links_new(loop, (size_t)most_kept_connections(), direct_event);
	client->scratch = malloc(DIRECT_SCRATCH);
	call_must(client->scratch);
	if (hooks)
		client->hooks = *hooks;
	client->lines = calloc(n + 1, sizeof(*client->lines));
	call_must(client->lines);
	client->n_lines = n;
	client->sockets = sockets_new(loop, on_ready, client);
	client->multi = curl_multi_init();
	call_must(client->multi);
#define SETM(option, value)                                                    \
	call_must(                                                             \
	    curl_multi_setopt(client->multi, (option), (value)) == CURLM_OK)
	SETM(CURLMOPT_SOCKETFUNCTION, on_socket);
	SETM(CURLMOPT_SOCKETDATA, client);
	SETM(CURLMOPT_TIMERFUNCTION, on_timer);
	SETM(CURLMOPT_TIMERDATA, client);
	SETM(CURLMOPT_MAXCONNECTS, most_kept_connections());
	SETM(CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
#undef SETM
	return client;
}

void
client_free(struct client *client)
{
	drop_pool(client->pool);
	drop_pool(client->plain_pool);
	links_free(client->links);
	free(client->scratch);
	(void)curl_multi_cleanup(client->multi);
	timer_clear(client->loop, &client->timer);
	task_clear(client->loop, &client->kick);
	sockets_free(client->sockets);
	free(client->lines);
	free(client);
	curl_global_cleanup();
}
