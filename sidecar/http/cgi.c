/*
 * CGI parameters to a request, and a response to a CGI header section. The
 * path comes from REQUEST_URI alone: SCRIPT_NAME and PATH_INFO are decoded
 * already, and differently by each web server.
 */
#include "config.h"

#include "http/cgi.h"
#include "http/target.h"

static const struct reason {
	unsigned status;
	const char *text;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 203, "Non-Authoritative Information" },
	{ 204, "No Content" },
	{ 205, "Reset Content" },
	{ 206, "Partial Content" },
	{ 207, "Multi-Status" },
	{ 208, "Already Reported" },
	{ 226, "IM Used" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 305, "Use Proxy" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Payload Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Entity" },
	{ 423, "Locked" },
	{ 424, "Failed Dependency" },
	{ 425, "Too Early" },
	{ 426, "Upgrade Required" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 451, "Unavailable For Legal Reasons" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 506, "Variant Also Negotiates" },
	{ 507, "Insufficient Storage" },
	{ 508, "Loop Detected" },
	{ 510, "Not Extended" },
	{ 511, "Network Authentication Required" },
};

const char *
cgi_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Unknown";
}

/* The parameters that have a meaning of their own, first occurrence. */
struct meta {
	struct str method, uri, host, server_name, server_port, server_addr;
	struct str remote_addr, remote_port, scheme, https, protocol;
	struct str content_length, content_type;
	struct str software;
	struct str client_verify, client_cert, server_cert;
	struct str tls_version, tls_cipher, tls_session, tls_name;
};

static struct str *
meta_place(struct meta *m, struct str name)
{
#define PLACE(name, member)                                                    \
	{                                                                      \
		STR_INIT(name), offsetof(struct meta, member)                  \
	}
	static const struct {
		struct str name;
		size_t at;
	} places[] = {
		PLACE("REQUEST_METHOD", method),
		PLACE("REQUEST_URI", uri),
		PLACE("SERVER_NAME", server_name),
		PLACE("SERVER_PORT", server_port),
		PLACE("SERVER_ADDR", server_addr),
		PLACE("REMOTE_ADDR", remote_addr),
		PLACE("REMOTE_PORT", remote_port),
		PLACE("REQUEST_SCHEME", scheme),
		PLACE("HTTPS", https),
		PLACE("SERVER_PROTOCOL", protocol),
		PLACE("SERVER_SOFTWARE", software),
		PLACE("CONTENT_LENGTH", content_length),
		PLACE("CONTENT_TYPE", content_type),
		PLACE("SSL_CLIENT_VERIFY", client_verify),
		PLACE("SSL_CLIENT_CERT", client_cert),
		PLACE("SSL_SERVER_CERT", server_cert),
		PLACE("SSL_PROTOCOL", tls_version),
		PLACE("SSL_CIPHER", tls_cipher),
		PLACE("SSL_SESSION_ID", tls_session),
		PLACE("SSL_TLS_SNI", tls_name),
	};
#undef PLACE

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (str_eq(name, places[i].name))
			return (void *)((char *)m + places[i].at);
	return NULL;
}

static enum err
refuse(struct cgi_refusal *why, unsigned status, struct str details)
{
	*why = (struct cgi_refusal){ status, details };
	return ERR_BAD;
}

/* "HTTP_X_REAL_IP" to "x-real-ip". */
static struct str
field_name(struct arena *arena, struct str param)
{
	struct str name = str_slice(param, strlen("HTTP_"), param.len);
	char *copy = arena_cstr(arena, name);

	for (size_t i = 0; i < name.len; i++)
		copy[i] = copy[i] == '_' ? '-' : ascii_lower(copy[i]);
	return (struct str){ copy, name.len };
}

/*
 * Fields that are not passed on: those the gateway has from elsewhere, and
 * Proxy, which programs mistake for a setting ("httpoxy").
 */
static bool
is_withheld(struct str name)
{
	static const struct str names[] = { STR_INIT("content-length"),
		STR_INIT("expect"), STR_INIT("proxy"),
		STR_INIT("transfer-encoding") };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* What is gathered while the parameters are walked. */
struct reading {
	struct arena *arena;
	struct meta meta;
	struct headers fields;
	bool has_transfer_encoding;
};

static enum err
take_field(
    struct reading *r, const struct cgi_param *param, struct cgi_refusal *why)
{
	struct str name = field_name(r->arena, param->name);
	struct str value = str_trim(param->value);

	if (name.len == 0)
		return ERR_OK;
	if (!header_name_is_valid(name) || !header_value_is_valid(value))
		return refuse(why, 400, STR("http1.codec_error"));
	if (str_eq(name, STR("host"))) {
		if (r->meta.host.len && !str_eq(r->meta.host, value))
			return refuse(why, 400, STR("http1.codec_error"));
		r->meta.host = value;
		return ERR_OK;
	}
	if (str_eq(name, STR("transfer-encoding")) && value.len)
		r->has_transfer_encoding = true;
	if (!is_withheld(name))
		headers_add(&r->fields, name, value);
	return ERR_OK;
}

static enum err
take_params(struct reading *r, const struct cgi_param *params, size_t n,
    struct cgi_refusal *why)
{
	struct str *place;
	enum err err = ERR_OK, first = ERR_OK;

	for (size_t i = 0; i < n; i++) {
		if (params[i].value.len >= CGI_VALUE_MAX)
			err = refuse(why, 431, STR("http1.headers_too_large"));
		else if (str_starts(params[i].name, STR("HTTP_")))
			err = take_field(r, &params[i], why);
		else if ((place = meta_place(&r->meta, params[i].name)) &&
			 !place->ptr)
			*place = params[i].value;
		if (err)
			first = err;
	}
	return first;
}

/* SERVER_NAME with SERVER_PORT, unless that is the scheme's own. */
static struct str
server_authority(struct arena *arena, const struct meta *m, struct str scheme)
{
	struct str usual =
	    str_eq(scheme, STR("https")) ? STR("443") : STR("80");
	bool is_v6 =
	    str_find_char(m->server_name, ':', 0) < m->server_name.len &&
	    m->server_name.ptr[0] != '[';
	struct str host = m->server_name;

	if (is_v6)
		host = arena_printf(arena, "[" STR_FMT "]", STR_ARG(host));
	if (m->server_port.len == 0 || str_eq(m->server_port, usual))
		return host;
	return arena_printf(
	    arena, STR_FMT ":" STR_FMT, STR_ARG(host), STR_ARG(m->server_port));
}

static struct str
scheme_of(const struct meta *m)
{
	if (str_eq_nocase(m->scheme, STR("https")))
		return STR("https");
	if (m->scheme.len == 0 &&
	    (str_eq_nocase(m->https, STR("on")) || str_eq(m->https, STR("1"))))
		return STR("https");
	return STR("http");
}

static struct str
protocol_of(const struct meta *m)
{
	if (str_eq(m->protocol, STR("HTTP/2.0")))
		return STR("HTTP/2");
	if (str_eq(m->protocol, STR("HTTP/3.0")))
		return STR("HTTP/3");
	return m->protocol;
}

static enum err
check_method(struct str method, struct cgi_refusal *why)
{
	if (!header_name_is_valid(method) || str_eq(method, STR("CONNECT")))
		return refuse(why, 400, STR("http1.codec_error"));
	if (str_eq(method, STR("TRACE")))
		return refuse(why, 405, STR("trace_not_allowed"));
	return ERR_OK;
}

/* RFC 3875 section 4.1.2, and what the web servers make of it. */
static enum err
read_length(
    const struct reading *r, struct cgi_request *out, struct cgi_refusal *why)
{
	struct str text = r->meta.content_length;
	uint64_t value;

	out->content_length = -1;
	if (r->has_transfer_encoding || text.len == 0 ||
	    str_eq(text, STR("-1")))
		return ERR_OK;
	if (!str_to_u64(text, &value) || value > INT64_MAX)
		return refuse(
		    why, 400, STR("http1.content_length_not_allowed"));
	out->content_length = (int64_t)value;
	return ERR_OK;
}

/*
 * Content-Type and Content-Length as header fields. Caddy invents a
 * CONTENT_TYPE where the client sent none, but its HTTP_CONTENT_TYPE is true.
 * Several web servers send a length of 0 with every request without a body.
 */
static void
add_content_fields(struct reading *r, struct cgi_request *out)
{
	struct headers *h = &out->headers;
	struct str type = r->meta.content_type, method = r->meta.method;
	bool invents = str_starts(r->meta.software, STR("Caddy"));
	bool expects_body = str_eq(method, STR("POST")) ||
			    str_eq(method, STR("PUT")) ||
			    str_eq(method, STR("PATCH"));

	if (type.len && !invents && !headers_get(h, STR("content-type")).ptr &&
	    header_value_is_valid(type))
		headers_add(h, STR("content-type"), type);
	if (out->content_length > 0 ||
	    (out->content_length == 0 && expects_body))
		headers_add(h, STR("content-length"),
		    arena_u64(r->arena, (uint64_t)out->content_length));
}

/*
 * HTTP/1 says what host it is for, or it is for none; of later versions some
 * web servers do not hand the host over.
 */
static bool
may_lack_host(const struct meta *m)
{
	return !str_starts(m->protocol, STR("HTTP/1.")) &&
	       !str_starts(m->protocol, STR("HTTP/0."));
}

/* What is no URL of ours, and why. "*" is one, though nothing is found there. */
static enum err
check_target(struct str *target, struct str *authority, struct cgi_refusal *why)
{
	struct str raw = *target;

	if (!raw.ptr || !header_value_is_valid(raw))
		return refuse(why, 400, STR("http1.invalid_url"));
	if (str_eq(raw, STR("*")) || !target_origin(raw, target, authority))
		return ERR_OK;
	if (str_starts_nocase(raw, STR("http://")) ||
	    str_starts_nocase(raw, STR("https://")))
		return refuse(why, 400, STR("http1.invalid_url"));
	if (str_find(raw, STR("://"), 0) < raw.len)
		return refuse(why, 400, STR("http1.invalid_scheme"));
	return refuse(why, 400, STR("http1.codec_error"));
}

/* The pseudo headers, then the fields; errors are remembered, not obeyed. */
static enum err
compose(struct reading *r, struct cgi_request *out, struct cgi_refusal *why)
{
	struct meta *m = &r->meta;
	struct str target = m->uri, authority = m->host;
	enum err err = check_method(m->method, why);

	if (check_target(&target, &authority, why))
		err = ERR_BAD;
	if (!authority.len && m->server_name.len && may_lack_host(m))
		authority = server_authority(r->arena, m, out->scheme);
	if (m->method.ptr)
		headers_add(&out->headers, STR(":method"), m->method);
	if (target.ptr)
		headers_add(&out->headers, STR(":path"), target);
	if (authority.ptr)
		headers_add(&out->headers, STR(":authority"), authority);
	headers_add(&out->headers, STR(":scheme"), out->scheme);
	for (size_t i = 0; i < r->fields.n; i++)
		headers_add(&out->headers, r->fields.items[i].name,
		    r->fields.items[i].value);
	return err;
}

enum err
cgi_request_read(struct arena *arena, const struct cgi_param *params, size_t n,
    struct cgi_request *out, struct cgi_refusal *why)
{
	struct reading r = { .arena = arena };
	struct meta *m = &r.meta;
	enum err taken, composed, length;

	headers_init(&r.fields, arena);
	*out = (struct cgi_request){ .content_length = -1 };
	headers_init(&out->headers, arena);
	taken = take_params(&r, params, n, why);
	out->address = m->remote_addr;
	out->port = m->remote_port;
	out->local_address = m->server_addr;
	out->local_port = m->server_port;
	out->scheme = scheme_of(m);
	out->protocol = protocol_of(m);
	out->client_verify = m->client_verify;
	out->client_cert = m->client_cert;
	out->server_cert = m->server_cert;
	out->tls_version = m->tls_version;
	out->tls_cipher = m->tls_cipher;
	out->tls_session = m->tls_session;
	out->tls_name = m->tls_name;
	if (taken) {
		struct cgi_refusal ignored;
		composed = compose(&r, out, &ignored);
		return composed ? ERR_BAD : taken;
	}
	composed = compose(&r, out, why);
	if (composed)
		return composed;
	length = read_length(&r, out, why);
	if (!length)
		add_content_fields(&r, out);
	return length;
}

static bool
may_leave(const struct header *h)
{
	static const struct str names[] = { STR_INIT("status"),
		STR_INIT("connection"), STR_INIT("keep-alive"),
		STR_INIT("proxy-connection"), STR_INIT("transfer-encoding"),
		STR_INIT("upgrade") };
	static const struct str prefixes[] = { STR_INIT("x-accel-"),
		STR_INIT("x-sendfile"), STR_INIT("x-lighttpd-") };

	if (!header_name_is_valid(h->name) || !header_value_is_valid(h->value))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq_nocase(h->name, names[i]))
			return false;
	if (ascii_lower(h->name.ptr[0]) != 'x')
		return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (str_starts_nocase(h->name, prefixes[i]))
			return false;
	return true;
}

static enum err
write_line(struct buf *b, struct str a, struct str between, struct str c)
{
	size_t len = a.len + between.len + c.len + strlen("\r\n");
	char *at;
	enum err err = buf_reserve(b, len, &at);

	if (err)
		return err;
	at = mempcpy(at, a.ptr, a.len);
	at = mempcpy(at, between.ptr, between.len);
	if (c.len)
		at = mempcpy(at, c.ptr, c.len);
	(void)mempcpy(at, "\r\n", strlen("\r\n"));
	buf_commit(b, len);
	return ERR_OK;
}

static enum err
write_status(struct buf *b, unsigned status)
{
	char room[STR_U64_MAX];
	enum err err = buf_append(b, STR("Status: "));

	if (err)
		return err;
	return write_line(b, str_from_u64(room, status), STR(" "),
	    str_of(cgi_reason(status)));
}

/* nginx must not collect a stream of events before it sends them. */
static bool
is_event_stream(const struct headers *h)
{
	return str_starts_nocase(
	    headers_get(h, STR("content-type")), STR("text/event-stream"));
}

static bool
is_location(const struct header *h)
{
	return str_eq_nocase(h->name, STR("location"));
}

/* The fields that are a Location, or all the others. */
static enum err
write_fields(struct buf *b, const struct headers *h, bool locations)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < h->n && !err; i++)
		if (is_location(&h->items[i]) == locations &&
		    may_leave(&h->items[i]))
			err = write_line(
			    b, h->items[i].name, STR(": "), h->items[i].value);
	return err;
}

/* HAProxy makes a 302 of whatever has a Location after its Status. */
enum err
cgi_response_write(struct buf *b, unsigned status, const struct headers *h,
    int64_t content_length)
{
	char room[STR_U64_MAX];
	enum err err = write_fields(b, h, true);

	if (!err)
		err = write_status(b, status);
	if (!err)
		err = write_fields(b, h, false);
	if (!err && content_length >= 0 &&
	    !headers_get(h, STR("content-length")).ptr)
		err = write_line(b, STR("content-length"), STR(": "),
		    str_from_u64(room, (uint64_t)content_length));
	if (!err && is_event_stream(h))
		err = buf_append(b, STR("X-Accel-Buffering: no\r\n"));
	return err ? err : buf_append(b, STR("\r\n"));
}
