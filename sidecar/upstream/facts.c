/* Notes for the log, taken where they cost least. */
#include "config.h"

#include "base/clock.h"
#include "upstream/facts.h"

void
facts_of_host(struct forward *f)
{
	const struct cluster_host *host = f->admission.host;
	struct exchange_upstream *u = &f->x->upstream;
	struct str hosts = u->hosts_attempted, names = u->names_attempted;

	*u = (struct exchange_upstream){ .hostname = host->hostname,
		.metadata = host->metadata,
		.hosts_attempted = hosts,
		.names_attempted = names };
}

/* "first,second" */
static void
join(struct arena *arena, struct str *list, struct str more)
{
	*list = list->len ? arena_printf(arena, STR_FMT "," STR_FMT,
				STR_ARG(*list), STR_ARG(more))
			  : more;
}

static struct str
address_of(const struct forward *f)
{
	const struct cluster_host *host = f->admission.host;

	return host->address.ptr ? host->address : host->hostname;
}

void
facts_of_connection(struct forward *f)
{
	const struct cluster_host *host = f->admission.host;
	struct exchange *x = f->x;
	struct exchange_upstream *u = &x->upstream;

	if (host->address.ptr)
		x->upstream_host = host->address;
	join(x->arena, &u->hosts_attempted, address_of(f));
	join(x->arena, &u->names_attempted,
	    host->hostname.len ? host->hostname : address_of(f));
}

static void
note_times(struct exchange_upstream *u, const struct call_facts *facts)
{
	u->connect_begin_ns = facts->started_ns;
	u->connect_end_ns = facts->ready_ns;
	if (facts->tls_version)
		u->tls_end_ns = facts->ready_ns;
	u->sent_begin_ns = facts->ready_ns;
	u->sent_end_ns = facts->sent_ns ? facts->sent_ns : facts->ready_ns;
	u->body_begin_ns = facts->body_ns;
}

/* Envoy counts three bytes around what it has read, and four around what it wrote. */
enum { READ_EXTRA = 3 };

static uint64_t
size_read(const struct headers *h)
{
	uint64_t size = 0;

	for (size_t i = 0; i < h->n; i++)
		if (!str_starts(h->items[i].name, STR(":")))
			size += h->items[i].name.len + h->items[i].value.len +
				READ_EXTRA;
	return size;
}

/* "127.0.0.1:80", "[::1]:80"; on the way of every answer: no printf. */
static struct str
with_port(struct arena *arena, struct str ip, int port)
{
	bool v6 = str_find_char(ip, ':', 0) < ip.len;
	struct str digits = arena_u64(arena, (uint64_t)port);
	char *text = arena_alloc(arena, ip.len + digits.len + 3), *at = text;

	if (v6)
		*at++ = '[';
	at = mempcpy(at, ip.ptr, ip.len);
	if (v6)
		*at++ = ']';
	*at++ = ':';
	at = mempcpy(at, digits.ptr, digits.len);
	return (struct str){ text, (size_t)(at - text) };
}

void
facts_of_answer(struct forward *f)
{
	struct exchange *x = f->x;
	struct exchange_upstream *u = &x->upstream;
	struct call_facts facts;

	call_facts(f->call, &facts);
	note_times(u, &facts);
	u->protocol = STR("HTTP/1.1");
	u->header_bytes_received = size_read(&f->response);
	u->remote_address = f->admission.host->address;
	if (!u->remote_address.ptr)
		u->remote_address = arena_str(x->arena, call_peer(f->call));
	u->tls_version = str_of(facts.tls_version);
	u->tls_cipher = str_of(facts.tls_cipher);
	if (*facts.local_ip)
		u->local_address = with_port(
		    x->arena, str_of(facts.local_ip), facts.local_port);
}

/* "GET /path HTTP/1.1" and its end, and the end of the fields. */
static uint64_t
size_of_line(const struct exchange *x)
{
	return headers_get(&x->request, STR(":method")).len +
	       headers_get(&x->request, STR(":path")).len +
	       strlen("  HTTP/1.1\r\n\r\n");
}

void
facts_of_end(struct forward *f)
{
	struct exchange_upstream *u = &f->x->upstream;
	struct call_facts facts;

	call_facts(f->call, &facts);
	if (!facts.ready_ns)
		return;
	note_times(u, &facts);
	u->header_bytes_sent = facts.fields_sent;
	u->wire_bytes_sent =
	    size_of_line(f->x) + facts.fields_sent + facts.body_sent;
	u->wire_bytes_received = facts.head_received + facts.body_received;
	if (call_state(f->call) == CALL_DONE)
		u->received_end_ns = clock_boot_ns();
}
