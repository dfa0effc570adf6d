#include "config.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/jsonpage.h"
#include "chain/trust.h"
#include "front/echo.h"
#include "front/stream.h"
#include "state/mark.h"

enum {
	DELAY_MAX_MS = 10 * 1000,
	HEADER_MAX = 32 * 1024,
	VALUE_SHOWN = 256, /* of a field or another text */
	TEXT_MAX = 48 * 1024, /* leaves room for the end */
	PARTS = 3, /* of a stream */
};

enum manner { PLAINLY, HELD, EVENTS, STREAMED, WITH_HEADER };

static const struct {
	struct str word;
	enum manner manner;
	unsigned max;
} manners[] = {
	{ STR_INIT(""), PLAINLY, 0 },
	{ STR_INIT("hold"), HELD, DELAY_MAX_MS },
	{ STR_INIT("events"), EVENTS, DELAY_MAX_MS },
	{ STR_INIT("stream"), STREAMED, DELAY_MAX_MS },
	{ STR_INIT("header"), WITH_HEADER, HEADER_MAX },
};

struct echo {
	struct stream *stream;
	enum manner manner;
	unsigned number; /* milliseconds or bytes */
	struct headers asked; /* as they came */
	struct str target, software, method;
	unsigned refused;
	int64_t began_ns, body_began_ns, body_end_ns;
	struct timer timer;
	bool is_due; /* the time is over */
	unsigned parts; /* of a stream, that are out */
};

/* A manner that is not known is none: the mark must not reach a backend. */
static void
read_manner(struct str text, struct echo *e)
{
	struct str word = str_split(&text, ' ');
	uint64_t number = 0;

	if (text.ptr && !str_to_u64(text, &number))
		return;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		if (!str_eq(word, manners[i].word) || number > manners[i].max)
			continue;
		e->manner = manners[i].manner;
		e->number = (unsigned)number;
	}
}

static struct str
param(const struct cgi_param *params, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(params[i].name, name))
			return params[i].value;
	return STR_NONE;
}

struct echo *
echo_open(struct stream *s, const struct headers *headers,
    const struct cgi_param *params, size_t n, unsigned refused)
{
	struct exchange *x = s->x;
	struct str mark = headers_get(headers, STR("x-sallyport-doctor"));
	struct echo *e;

	if (!mark.ptr || !mark_is_good(s->front->state, clock_boot_now_ns(),
			     str_slice(mark, 0, MARK_LEN)))
		return NULL;
	e = ARENA_NEW(x->arena, struct echo);
	read_manner(str_slice(mark, MARK_LEN + 1, mark.len), e);
	e->stream = s;
	e->refused = refused;
	e->began_ns = clock_boot_now_ns();
	e->method = param(params, n, STR("REQUEST_METHOD"));
	e->target = param(params, n, STR("REQUEST_URI"));
	e->software = param(params, n, STR("SERVER_SOFTWARE"));
	headers_init(&e->asked, x->arena);
	for (size_t i = 0; i < headers->n; i++)
		headers_add(
		    &e->asked, headers->items[i].name, headers->items[i].value);
	/* It changes the exchange's own fields. */
	(void)!trust_find_client(x);
	return e;
}

/* ---- what is said ---- */

/* As much of a text as is shown; an absent one is empty. */
static struct str
shown(struct str text)
{
	return text.ptr ? str_slice(text, 0, VALUE_SHOWN) : STR("");
}

static void
put_text(struct jsonpage *p, const char *name, struct str text)
{
	json_put_string(p, name, shown(text));
}

/* Boot clock, which the doctor has, too. */
static void
put_time(struct jsonpage *p, const char *name, int64_t ns)
{
	json_put_number(p, name, (double)(ns / (NS_PER_MS / 1000)));
}

/* [name, value, length], as many as there is room for. */
static void
put_fields(struct jsonpage *p, const struct headers *h)
{
	json_open_list(p, "headers");
	for (size_t i = 0; i < h->n && buf_len(p->out) < TEXT_MAX; i++) {
		if (h->items[i].name.ptr[0] == ':' ||
		    str_eq(h->items[i].name, STR("x-sallyport-doctor")))
			continue;
		json_open_list(p, NULL);
		put_text(p, NULL, h->items[i].name);
		put_text(p, NULL, h->items[i].value);
		json_put_number(p, NULL, (double)h->items[i].value.len);
		json_close_list(p);
	}
	json_close_list(p);
}

static void
put_request(struct buf *out, const struct echo *e)
{
	const struct exchange *x = e->stream->x;
	struct jsonpage page = { .out = out }, *p = &page;

	json_open_map(p, NULL);
	json_put_number(p, "sallyport_doctor", 1);
	json_put_number(p, "pid", getpid());
	put_text(p, "setting",
	    e->stream->out->form == OUTPUT_BARE ? STR("cgi") : STR("fastcgi"));
	put_text(p, "software", e->software);
	put_text(p, "method", e->method);
	put_text(p, "target", e->target);
	put_text(p, "host", headers_get(&e->asked, STR(":authority")));
	put_text(p, "scheme", x->peer.scheme);
	put_text(p, "protocol", x->peer.protocol);
	put_text(p, "remote_addr", x->peer.address);
	put_text(p, "client", x->client_address);
	json_put_number(p, "refused", e->refused);
	json_put_number(p, "declared", (double)x->upload_len);
	json_put_number(p, "received", (double)x->bytes_received);
	put_time(p, "began_us", e->began_ns);
	put_time(p, "body_began_us", e->body_began_ns);
	put_time(p, "body_end_us", e->body_end_ns);
	put_time(p, "answered_us", clock_boot_now_ns());
	put_fields(p, &e->asked);
	json_close_map(p);
	json_end(p);
}

/* ---- answering ---- */

static void
begin_answer(struct echo *e, struct str type)
{
	struct exchange *x = e->stream->x;
	struct headers *h = &x->response;

	headers_add(h, STR(":status"), STR("200"));
	headers_add(h, STR("content-type"), type);
	headers_add(h, STR("cache-control"), STR("no-store"));
	if (e->manner == WITH_HEADER) {
		char *value = arena_alloc(x->arena, e->number + 1);

		memset(value, 'a', e->number);
		headers_add(h, STR("x-sallyport-long"),
		    (struct str){ value, e->number });
	}
	x->code = 200;
	x->details = STR("sallyport_doctor");
	x->answer_begin_ns = clock_boot_ns();
	x->phase = EXCHANGE_ANSWERING;
}

static void
answer(struct echo *e)
{
	struct exchange *x = e->stream->x;

	begin_answer(e, STR("application/json"));
	put_request(&x->download, e);
	headers_add(&x->response, STR("content-length"),
	    arena_u64(x->arena, buf_len(&x->download)));
	x->download_end = true;
}

static void
stream_part(struct echo *e)
{
	struct exchange *x = e->stream->x;
	bool is_event = e->manner == EVENTS;

	if (!e->parts)
		begin_answer(e, is_event ? STR("text/event-stream")
					 : STR("application/octet-stream"));
	/* What there is no room for is seen as cut. */
	if (is_event)
		(void)!buf_append(&x->download, STR("data: "));
	put_request(&x->download, e);
	if (is_event)
		(void)!buf_append(&x->download, STR("\n"));
	x->download_end = ++e->parts == PARTS;
}

static void
on_time(void *arg)
{
	struct echo *e = arg;

	e->is_due = true;
	e->stream->changed(e->stream->owner);
}

/* True once the time that was asked for is over. */
static bool
has_waited(struct echo *e)
{
	if (!e->is_due && !e->timer.slot)
		timer_set(e->stream->front->loop, &e->timer,
		    (int64_t)e->number * NS_PER_MS, on_time, e);
	return e->is_due;
}

static void
take_body(struct echo *e)
{
	struct exchange *x = e->stream->x;

	if (!e->body_began_ns && x->bytes_received)
		e->body_began_ns = clock_boot_now_ns();
	if (!e->body_end_ns && x->upload_end)
		e->body_end_ns = clock_boot_now_ns();
	if (buf_is_empty(&x->upload))
		return;
	buf_clear(&x->upload);
	if (!x->upload_end)
		x->hooks->changed(x);
}

void
echo_advance(struct echo *e)
{
	struct exchange *x = e->stream->x;

	take_body(e);
	if (x->phase > EXCHANGE_ANSWERING || x->download_end || !x->upload_end)
		return;
	switch (e->manner) {
	case PLAINLY:
	case WITH_HEADER:
		answer(e);
		break;
	case HELD:
		if (has_waited(e))
			answer(e);
		break;
	case EVENTS:
	case STREAMED:
		if (!e->parts || has_waited(e)) {
			stream_part(e);
			e->is_due = false;
		}
		if (!x->download_end)
			(void)has_waited(e);
		break;
	}
}

void
echo_close(struct echo *e)
{
	timer_clear(e->stream->front->loop, &e->timer);
}
