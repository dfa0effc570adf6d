/* What the doctor looks at, one request after the other. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/doctor.h"

enum {
	PARTS = 3,
	HELD_AT_ONCE = 4,
	REQUEST_HEADER = 12000,
	RESPONSE_HEADER = 7000,
	CHUNKED_LEN = 300 * 1000,
};

/* Of RFC 5737: nobody has them. */
#define FORGED "192.0.2.77"

void
doctor_copy(char *out, size_t size, struct str text)
{
	size_t n = text.len < size - 1 ? text.len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] =
		    text.ptr[i] < ' ' || text.ptr[i] > '~' ? '?' : text.ptr[i];
	out[n] = '\0';
}

void
doctor_say(struct doctor *d, enum ailment ailment, enum severity severity,
    const char *format, ...)
{
	struct finding *f = &d->findings[d->n];
	char text[sizeof(f->text)];
	va_list args;

	if (d->n == FINDINGS_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	f->ailment = ailment;
	f->severity = severity;
	doctor_copy(f->text, sizeof(f->text), str_of(text));
	d->n++;
}

static void
fine(struct doctor *d, enum ailment ailment)
{
	doctor_say(d, ailment, DOCTOR_FINE, "%s", "");
}

static int64_t
now_ns(void)
{
	return clock_boot_now_ns();
}

/* Sends it with the mark and a manner ("" is a plain echo). */
static void
ask_all(struct doctor *d, struct probe *p, size_t n, const char *manner)
{
	char mark[MARK_LEN + 32];

	/* Each step may take a while; a mark does not hold for all of them. */
	if (mark_renew(d->state, now_ns(), d->mark))
		abort();
	(void)snprintf(
	    mark, sizeof(mark), "%s%s%s", d->mark, *manner ? " " : "", manner);
	for (size_t i = 0; i < n; i++) {
		p[i].mark = mark;
		if (!p[i].target)
			p[i].target = d->path;
	}
	probe_run(&d->site, p, n);
	for (size_t i = 0; i < n; i++)
		p[i].mark = NULL;
}

static void
ask(struct doctor *d, struct probe *p, const char *manner)
{
	ask_all(d, p, 1, manner);
}

/* "the web server answers 413", "no answer: ..." */
static const char *
outcome(const struct probe *p, char *out, size_t size)
{
	if (p->status)
		(void)snprintf(out, size, "the answer is %u", p->status);
	else
		(void)snprintf(out, size, "there is no answer (%s)",
		    p->failure ? p->failure : "it is empty");
	return out;
}

/* ---- the first request ---- */

static void
note_server(struct doctor *d, const struct probe *p)
{
	struct str name = probe_header(p, "server");
	struct str software = probe_text(p, "software");

	/* Software is of the one that speaks to the gateway. */
	if (software.len)
		name = software;
	doctor_copy(d->software, sizeof(d->software), name);
	if (d->server == SERVER_OTHER)
		d->server = server_by_name(name);
}

/* Of loopback all addresses are ours: one that no proxy has is taken. */
static void
choose_source(struct doctor *d, const struct probe *p)
{
	if (!strncmp(p->remote_address, "127.", strlen("127.")))
		d->site.source = "127.83.76.80";
}

static bool
is_from_gateway(const struct probe *p)
{
	return probe_header(p, "x-request-id").len ||
	       str_starts(buf_bytes(&p->body), STR("{\"error\""));
}

static void
explain_no_echo(struct doctor *d, const struct probe *p)
{
	bool is_down =
	    p->status == 500 || (p->status >= 502 && p->status <= 504);

	if (is_from_gateway(p))
		doctor_say(d, AILMENT_NOT_HANDED_OVER, DOCTOR_PROBLEM,
		    "A gateway answers %u, but it does not use this state "
		    "file, or something takes X-Sallyport-Doctor off the "
		    "requests: name its state file with --state",
		    p->status);
	else if (is_down)
		doctor_say(d, AILMENT_UNREACHABLE, DOCTOR_PROBLEM,
		    "%s answers %u by itself: it does not reach the gateway",
		    server_name(d->server), p->status);
	else
		doctor_say(d, AILMENT_NOT_HANDED_OVER, DOCTOR_PROBLEM,
		    "%s answers %u by itself: it does not hand %s to the "
		    "gateway (or the gateway uses another state file: --state)",
		    server_name(d->server), p->status, d->path);
}

bool
doctor_reach(struct doctor *d)
{
	struct probe p = { .method = NULL };

	ask(d, &p, "");
	note_server(d, &p);
	if (p.echo) {
		d->is_reached = true;
		d->pid = probe_number(&p, "pid");
		choose_source(d, &p);
	} else if (!p.status) {
		doctor_say(d, AILMENT_NO_SERVER, DOCTOR_PROBLEM,
		    p.is_connected ? "The web server gives no answer: %s"
				   : "The web server is not reached: %s",
		    p.failure ? p.failure : "it closes the connection");
	} else {
		explain_no_echo(d, &p);
	}
	probe_free(&p);
	return d->is_reached;
}

/* ---- who asks, and for what ---- */

static void
look_at_address(struct doctor *d)
{
	struct probe p = { .method = NULL };
	struct str seen;

	ask(d, &p, "");
	seen = probe_text(&p, "remote_addr");
	if (!p.echo)
		doctor_say(d, AILMENT_ADDRESS, DOCTOR_PROBLEM,
		    "A request from %s does not get through", d->site.source);
	else if (str_eq(probe_text(&p, "client"), str_of(p.local_address)) ||
		 str_eq(seen, str_of(p.local_address)))
		fine(d, AILMENT_ADDRESS);
	else if (!seen.len)
		doctor_say(d, AILMENT_ADDRESS, DOCTOR_PROBLEM,
		    "The web server does not say whom a request comes from "
		    "(REMOTE_ADDR), so all clients are one to the gateway");
	else
		doctor_say(d, AILMENT_ADDRESS, DOCTOR_PROBLEM,
		    "The gateway takes " STR_FMT " for the client, but the "
		    "request was sent from %s: limits count the proxy in "
		    "between",
		    STR_ARG(seen), p.local_address);
	probe_free(&p);
}

static void
look_at_forged_address(struct doctor *d)
{
	static const char *const forged[] = { "X-Forwarded-For: " FORGED,
		"X-Real-IP: " FORGED, "Forwarded: for=" FORGED, NULL };
	struct probe p = { .headers = forged };
	char why[128];

	ask(d, &p, "");
	if (!p.echo)
		doctor_say(d, AILMENT_ADDRESS_FORGED, DOCTOR_PROBLEM,
		    "A request with X-Forwarded-For does not get through: %s",
		    outcome(&p, why, sizeof(why)));
	else if (str_eq(probe_text(&p, "remote_addr"), STR(FORGED)))
		doctor_say(d, AILMENT_ADDRESS_FORGED, DOCTOR_PROBLEM,
		    "Whoever sends X-Forwarded-For is taken for whom he "
		    "names: limits are passed by");
	else
		fine(d, AILMENT_ADDRESS_FORGED);
	if (str_eq(probe_text(&p, "client"), STR(FORGED)) &&
	    !str_eq(probe_text(&p, "remote_addr"), STR(FORGED)))
		doctor_say(d, AILMENT_ADDRESS_BELIEVED, DOCTOR_PROBLEM,
		    "The gateway believes the X-Forwarded-For of a client: "
		    "limits are passed by");
	else
		fine(d, AILMENT_ADDRESS_BELIEVED);
	probe_free(&p);
}

static void
look_at_authorization(struct doctor *d)
{
	static const char *const headers[] = {
		"Authorization: Bearer sallyport-doctor", NULL
	};
	struct probe p = { .headers = headers };
	size_t len;
	struct str seen;
	char why[128];

	ask(d, &p, "");
	seen = probe_seen_header(&p, "authorization", &len);
	if (!p.echo)
		doctor_say(d, AILMENT_AUTHORIZATION, DOCTOR_PROBLEM,
		    "A request with Authorization does not get through: %s",
		    outcome(&p, why, sizeof(why)));
	else if (!str_eq(seen, STR("Bearer sallyport-doctor")))
		doctor_say(d, AILMENT_AUTHORIZATION, DOCTOR_PROBLEM,
		    "The web server %s Authorization: no token reaches the "
		    "gateway, and every route that asks for one answers 401",
		    seen.ptr ? "changes" : "drops");
	else
		fine(d, AILMENT_AUTHORIZATION);
	probe_free(&p);
}

static void
look_at_url(struct doctor *d)
{
	struct probe p = { .method = NULL };
	bool is_https = !strncmp(d->site.url, "https:", strlen("https:"));
	struct str scheme, host;
	char why[128];

	ask(d, &p, "");
	if (!p.echo)
		doctor_say(d, AILMENT_NOT_HANDED_OVER, DOCTOR_PROBLEM,
		    "A request that came through before does not any more: %s",
		    outcome(&p, why, sizeof(why)));
	scheme = probe_text(&p, "scheme");
	host = probe_text(&p, "host");
	if (p.echo && str_eq(scheme, STR("https")) != is_https)
		doctor_say(d, AILMENT_SCHEME, DOCTOR_PROBLEM,
		    "The gateway takes %s for " STR_FMT, d->site.url,
		    STR_ARG(scheme));
	else
		fine(d, AILMENT_SCHEME);
	if (p.echo && !str_eq_nocase(host, str_of(d->site.host)))
		doctor_say(d, AILMENT_HOST, DOCTOR_PROBLEM,
		    "The gateway is asked for the host \"" STR_FMT
		    "\" in place of \"%s\"",
		    STR_ARG(host), d->site.host);
	else
		fine(d, AILMENT_HOST);
	if (probe_header(&p, "status").ptr)
		doctor_say(d, AILMENT_STATUS_FIELD, DOCTOR_PROBLEM,
		    "Answers carry the field Status, which is for the web "
		    "server");
	else
		fine(d, AILMENT_STATUS_FIELD);
	probe_free(&p);
}

/* ---- methods ---- */

static void
look_at_methods(struct doctor *d)
{
	static const char *const methods[] = { "POST", "PUT", "PATCH", "DELETE",
		"OPTIONS" };
	bool all_pass = true;
	char why[128];

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct probe p = { .method = methods[i] };

		ask(d, &p, "");
		if (!p.echo ||
		    !str_eq(probe_text(&p, "method"), str_of(methods[i]))) {
			all_pass = false;
			doctor_say(d, AILMENT_METHOD, DOCTOR_PROBLEM,
			    "%s does not reach the gateway: %s", methods[i],
			    outcome(&p, why, sizeof(why)));
		}
		probe_free(&p);
	}
	if (all_pass)
		fine(d, AILMENT_METHOD);
}

static void
look_at_head(struct doctor *d)
{
	struct probe p = { .method = "HEAD" };
	char why[128];

	ask(d, &p, "");
	if (p.status != 200 || p.failure) {
		doctor_say(d, AILMENT_HEAD, DOCTOR_PROBLEM, "HEAD fails: %s",
		    outcome(&p, why, sizeof(why)));
	} else {
		fine(d, AILMENT_HEAD);
		if (!probe_header(&p, "content-length").ptr)
			doctor_say(d, AILMENT_HEAD_LENGTH, DOCTOR_PROBLEM,
			    "The web server takes Content-Length off the "
			    "answers to HEAD");
		else
			fine(d, AILMENT_HEAD_LENGTH);
	}
	probe_free(&p);
}

/* ---- targets ---- */

static const struct {
	enum ailment ailment;
	const char *tail;
} targets[] = {
	{ AILMENT_ESCAPED_SLASH, "doctor/a%2Fb" },
	{ AILMENT_SLASHES, "doctor//a" },
	{ AILMENT_TARGET, "doctor/a%252Fb" },
	{ AILMENT_TARGET, "doctor/a%20b;c=%7Ed" },
	{ AILMENT_TARGET, "doctor/a?b=%2F//%20&c" },
};

static void
look_at_target(struct doctor *d, enum ailment ailment, const char *tail)
{
	char target[TARGET_MAX + 64], why[128];
	struct probe p = { .target = target };
	struct str seen;

	(void)snprintf(target, sizeof(target), "%s%s", d->path, tail);
	ask(d, &p, "");
	seen = probe_text(&p, "target");
	if (!p.echo)
		doctor_say(d, ailment, DOCTOR_PROBLEM,
		    "%s does not reach the gateway: %s", target,
		    outcome(&p, why, sizeof(why)));
	else if (!str_ends(seen, str_of(target)))
		doctor_say(d, ailment, DOCTOR_PROBLEM,
		    "%s reaches the gateway as " STR_FMT, target,
		    STR_ARG(seen));
	else
		fine(d, ailment);
	probe_free(&p);
}

static void
look_at_targets(struct doctor *d)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		look_at_target(d, targets[i].ailment, targets[i].tail);
}

/* ---- bodies and headers ---- */

/* HAProxy 2.6 takes of such a body what fits its buffer, and no switch helps. */
static enum severity
severity_of(const struct doctor *d, enum ailment ailment)
{
	return ailment == AILMENT_CHUNKED_BODY && d->server == SERVER_HAPROXY
		   ? DOCTOR_NOTE
		   : DOCTOR_PROBLEM;
}

static void
look_at_body(struct doctor *d, enum ailment ailment, int64_t len)
{
	bool is_chunked = ailment == AILMENT_CHUNKED_BODY;
	struct probe p = {
		.method = "POST", .body_len = len, .is_chunked = is_chunked
	};
	int64_t came;
	char why[128];

	ask(d, &p, "");
	came = probe_number(&p, "received");
	if (!p.echo)
		doctor_say(d, ailment, severity_of(d, ailment),
		    "A body of %" PRId64 " bytes%s does not reach the "
		    "gateway: %s",
		    len, is_chunked ? ", sent in chunks," : "",
		    outcome(&p, why, sizeof(why)));
	else if (came != len)
		doctor_say(d, ailment, DOCTOR_PROBLEM,
		    "Of a body of %" PRId64 " bytes%s %" PRId64
		    " reach the gateway",
		    len, is_chunked ? ", sent in chunks," : "", came);
	else
		fine(d, ailment);
	probe_free(&p);
}

static void
look_at_request_header(struct doctor *d)
{
	static char line[REQUEST_HEADER + 32] = "X-Sallyport-Long: ";
	const char *const headers[] = { line, NULL };
	struct probe p = { .headers = headers };
	size_t at = strlen("X-Sallyport-Long: "), len;
	char why[128];

	memset(line + at, 'a', REQUEST_HEADER);
	ask(d, &p, "");
	(void)probe_seen_header(&p, "x-sallyport-long", &len);
	if (!p.echo)
		doctor_say(d, AILMENT_REQUEST_HEADER, DOCTOR_PROBLEM,
		    "A request header of %d bytes does not get through: %s",
		    REQUEST_HEADER, outcome(&p, why, sizeof(why)));
	else if (len != REQUEST_HEADER)
		doctor_say(d, AILMENT_REQUEST_HEADER, DOCTOR_PROBLEM,
		    "Of a request header of %d bytes %zu reach the gateway",
		    REQUEST_HEADER, len);
	else
		fine(d, AILMENT_REQUEST_HEADER);
	probe_free(&p);
}

static void
look_at_response_header(struct doctor *d)
{
	struct probe p = { .method = NULL };
	char manner[32], why[128];

	(void)snprintf(manner, sizeof(manner), "header %d", RESPONSE_HEADER);
	ask(d, &p, manner);
	if (probe_header(&p, "x-sallyport-long").len != RESPONSE_HEADER)
		doctor_say(d, AILMENT_RESPONSE_HEADER, DOCTOR_PROBLEM,
		    "A response header of %d bytes does not get through: %s",
		    RESPONSE_HEADER, outcome(&p, why, sizeof(why)));
	else
		fine(d, AILMENT_RESPONSE_HEADER);
	probe_free(&p);
}

/* ---- time ---- */

/* On a busy host what is sent a little apart may be seen together, too. */
static void
look_at_stream(struct doctor *d, enum ailment ailment, const char *manner)
{
	static const unsigned delays_ms[] = { 2 * PROBE_PAUSE_MS, 1500 };
	struct probe p = { .method = NULL };
	char text[32], why[128];
	size_t i = 0;

	do {
		probe_free(&p);
		p = (struct probe){ .method = NULL };
		(void)snprintf(
		    text, sizeof(text), "%s %u", manner, delays_ms[i]);
		ask(d, &p, text);
	} while (p.echo && p.bursts < PARTS && ++i < 2);
	if (!p.echo || p.failure)
		doctor_say(d, ailment, DOCTOR_PROBLEM,
		    "A stream does not get through: %s",
		    p.failure ? p.failure : outcome(&p, why, sizeof(why)));
	else if (p.bursts < PARTS)
		doctor_say(d, ailment, DOCTOR_PROBLEM,
		    "The web server holds answers back: what the gateway sent "
		    "%u ms apart came together",
		    delays_ms[1]);
	else
		fine(d, ailment);
	probe_free(&p);
}

/* The largest number of requests that the gateway had at the same time. */
static size_t
count_together(const struct probe *p, size_t n)
{
	size_t best = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t at = probe_number(&p[i], "began_us");
		size_t now = 0;

		for (size_t j = 0; j < n && at >= 0; j++)
			now += probe_number(&p[j], "began_us") <= at &&
			       probe_number(&p[j], "answered_us") > at;
		best = now > best ? now : best;
	}
	return best;
}

/* How many were answered, and how many of them together. */
static void
hold(struct doctor *d, unsigned ms, size_t *answered, size_t *together)
{
	struct probe p[HELD_AT_ONCE] = { { .method = NULL } };
	char manner[32];

	(void)snprintf(manner, sizeof(manner), "hold %u", ms);
	ask_all(d, p, HELD_AT_ONCE, manner);
	*answered = 0;
	for (size_t i = 0; i < HELD_AT_ONCE; i++)
		*answered += p[i].echo != NULL;
	*together = count_together(p, HELD_AT_ONCE);
	for (size_t i = 0; i < HELD_AT_ONCE; i++)
		probe_free(&p[i]);
}

/* mod_fcgid takes a second or more to start another process. */
static void
look_at_concurrency(struct doctor *d)
{
	static const unsigned times_ms[] = { 300, 3000 };
	size_t answered = 0, together = 0;

	for (size_t i = 0; i < 2 && together < 2; i++)
		hold(d, times_ms[i], &answered, &together);
	if (answered < HELD_AT_ONCE)
		doctor_say(d, AILMENT_SERIAL, DOCTOR_PROBLEM,
		    "Of %d requests at once %zu were answered", HELD_AT_ONCE,
		    answered);
	else if (together < 2)
		doctor_say(d, AILMENT_SERIAL, DOCTOR_PROBLEM,
		    "Of %d requests at once the gateway gets one after the "
		    "other: a slow one holds up all others",
		    HELD_AT_ONCE);
	else
		fine(d, AILMENT_SERIAL);
}

void
doctor_examine(struct doctor *d)
{
	fine(d, AILMENT_UNREACHABLE);
	look_at_authorization(d);
	look_at_address(d);
	look_at_forged_address(d);
	look_at_url(d);
	look_at_methods(d);
	look_at_head(d);
	look_at_targets(d);
	look_at_body(d, AILMENT_BODY, d->body_len);
	look_at_body(d, AILMENT_CHUNKED_BODY, CHUNKED_LEN);
	look_at_request_header(d);
	look_at_response_header(d);
	look_at_stream(d, AILMENT_EVENTS, "events");
	look_at_stream(d, AILMENT_STREAM, "stream");
	look_at_concurrency(d);
}
