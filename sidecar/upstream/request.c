/*
 * What libcurl is told about a request. It frames, speaks TLS and keeps
 * connections; everything it would decide by itself (redirects, proxies,
 * credentials, decoding, extra fields) is off.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "upstream/call.h"

enum {
	DNS_CACHE_S = 5, /* Envoy's dns_refresh_rate */
	EXTRA_LINES = 3, /* Host, Accept, and one for the body */
	WHOLE_BODY = 32 * 1024, /* libcurl sends up to 64 KiB with the head */
};

void
request_set_up(struct call *call)
{
	CURL *easy = call->easy;

	SET(easy, CURLOPT_ERRORBUFFER, call->error);
	SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_PROXY, "");
	SET(easy, CURLOPT_NOPROXY, "*");
	SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	SET(easy, CURLOPT_PATH_AS_IS, 1L);
	SET(easy, CURLOPT_HTTP09_ALLOWED, 0L);
	SET(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(easy, CURLOPT_HTTP_TRANSFER_DECODING, 1L);
	SET(easy, CURLOPT_BUFFERSIZE, 16L * 1024);
	SET(easy, CURLOPT_UPLOAD_BUFFERSIZE, 32L * 1024);
	SET(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_CACHE_S);
	SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(easy, CURLOPT_CAPATH, NULL);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Without it a cancelled request waits for its resolver thread. */
	SET(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void
set_origin(struct call *call, const struct client_origin *origin)
{
	CURL *easy = call->easy;
	struct curl_blob pem = { NULL, origin->ca_pem.len, CURL_BLOB_COPY };

	if (call->origin == origin)
		return;
	call->origin = origin;
	SET(easy, CURLOPT_URL, origin->url);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, origin->connect_timeout_ms);
	SET(easy, CURLOPT_UNIX_SOCKET_PATH, origin->unix_path);
	SET(easy, CURLOPT_SSL_VERIFYPEER, origin->verify ? 1L : 0L);
	SET(easy, CURLOPT_SSL_VERIFYHOST, origin->verify_name ? 2L : 0L);
	SET(easy, CURLOPT_CAINFO, origin->ca_file);
	if (origin->ca_pem.ptr)
		memcpy(&pem.data, &origin->ca_pem.ptr, sizeof(pem.data));
	SET(easy, CURLOPT_CAINFO_BLOB, origin->ca_pem.ptr ? &pem : NULL);
	free(call->connect_text);
	call->connect_text = NULL;
	if (origin->connect_to)
		call_must((call->connect_text = strdup(origin->connect_to)));
	call->connect_to = (struct curl_slist){ .data = call->connect_text };
	SET(easy, CURLOPT_CONNECT_TO,
	    origin->connect_to ? &call->connect_to : NULL);
}

/* What libcurl writes itself, or what only one hop is told. */
static bool
is_left_out(struct str name)
{
	static const struct str names[] = { STR_INIT("host"),
		STR_INIT("content-length"), STR_INIT("transfer-encoding"),
		STR_INIT("connection"), STR_INIT("expect") };

	if (name.len && name.ptr[0] == ':')
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* The request's lines while they are laid out in call->block. */
struct lines {
	struct curl_slist *nodes;
	size_t n;
	size_t size; /* of the fields on the wire */
	char *at;
};

enum { FIELD_EXTRA = 4 }; /* ": " and the line's end */

static char *
put_text(struct lines *l, struct str s)
{
	char *text = l->at;

	if (s.len)
		memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	l->at += s.len + 1;
	return text;
}

static void
put_node(struct lines *l, char *line)
{
	l->nodes[l->n] = (struct curl_slist){ .data = line };
	if (l->n)
		l->nodes[l->n - 1].next = &l->nodes[l->n];
	l->n++;
}

/* libcurl drops a field without a value unless it is written "name;". */
static void
put_field(struct lines *l, struct str name, struct str value)
{
	char *line = l->at;

	value = str_trim(value);
	memcpy(line, name.ptr, name.len);
	line += name.len;
	*line++ = value.len ? ':' : ';';
	if (value.len) {
		*line++ = ' ';
		memcpy(line, value.ptr, value.len);
		line += value.len;
	}
	*line++ = '\0';
	put_node(l, l->at);
	l->at = line;
	l->size += name.len + value.len + FIELD_EXTRA;
}

static struct lines
lines_begin(struct call *call, const struct call_spec *spec)
{
	size_t n = spec->headers->n + EXTRA_LINES;
	size_t need = n * sizeof(struct curl_slist) +
		      headers_size(spec->headers) + spec->authority.len +
		      spec->target.len + spec->method.len + 128;

	if (need > call->block_cap) {
		free(call->block);
		call->block_cap = need * 2;
		call->block = malloc(call->block_cap);
		call_must(call->block);
	}
	return (struct lines){ .nodes = (void *)call->block,
		.at = call->block + n * sizeof(struct curl_slist) };
}

/* RFC 9110 section 8.6 as Envoy applies it: these have no length of 0. */
static bool
has_no_body_by_nature(struct str method)
{
	return str_eq(method, STR("GET")) || str_eq(method, STR("HEAD")) ||
	       str_eq(method, STR("DELETE")) || str_eq(method, STR("TRACE")) ||
	       str_eq(method, STR("CONNECT"));
}

/* What libcurl says of the body itself. */
static size_t
size_of_body_field(int64_t body_len)
{
	if (body_len == CALL_BODY_UNKNOWN)
		return strlen("Transfer-Encoding: chunked\r\n");
	return (size_t)snprintf(
	    NULL, 0, "Content-Length: %lld\r\n", (long long)body_len);
}

/* Keeps libcurl from adding a field, or states that there is no body. */
static void
put_body_field(struct lines *l, const struct call_spec *spec, enum shape shape)
{
	bool bare = shape == SHAPE_PLAIN || shape == SHAPE_HEAD;

	if (!bare)
		l->size += size_of_body_field(spec->body_len);
	if (shape == SHAPE_UPLOAD)
		put_node(l, put_text(l, STR("Expect:")));
	if (shape == SHAPE_WHOLE &&
	    !headers_get(spec->headers, STR("content-type")).ptr)
		put_node(l, put_text(l, STR("Content-Type:")));
	if (bare &&
	    (spec->body_len == 0 || !has_no_body_by_nature(spec->method)))
		put_field(l, STR("Content-Length"), STR("0"));
}

static void
put_fields(struct lines *l, const struct call_spec *spec, enum shape shape)
{
	const struct headers *h = spec->headers;
	bool has_accept = false;

	put_field(l, STR("Host"), spec->authority);
	for (size_t i = 0; i < h->n; i++) {
		if (is_left_out(h->items[i].name))
			continue;
		has_accept |= str_eq(h->items[i].name, STR("accept"));
		put_field(l, h->items[i].name, h->items[i].value);
	}
	if (!has_accept)
		put_node(l, put_text(l, STR("Accept:")));
	put_body_field(l, spec, shape);
}

static enum shape
shape_of(const struct call_spec *spec)
{
	size_t ready = buf_len(spec->upload);

	if (spec->body_len > 0 && *spec->upload_end && ready <= WHOLE_BODY &&
	    ready == (uint64_t)spec->body_len)
		return SHAPE_WHOLE;
	if (spec->body_len == CALL_BODY_UNKNOWN || spec->body_len > 0)
		return SHAPE_UPLOAD;
	return str_eq(spec->method, STR("HEAD")) ? SHAPE_HEAD : SHAPE_PLAIN;
}

/*
 * Not every option of a method takes back what the one before has set. A
 * backend that wrongly sends a body for HEAD would have it taken for the
 * answer to the next request, so there is none on that connection.
 */
static void
set_method(struct call *call, enum shape shape)
{
	if (call->shape == shape)
		return;
	call->shape = shape;
	SET(call->easy, CURLOPT_POSTFIELDS, NULL);
	SET(call->easy, CURLOPT_HTTPGET, 1L);
	SET(call->easy, CURLOPT_FORBID_REUSE, shape == SHAPE_HEAD ? 1L : 0L);
	if (shape == SHAPE_HEAD)
		SET(call->easy, CURLOPT_NOBODY, 1L);
	if (shape == SHAPE_WHOLE)
		SET(call->easy, CURLOPT_POST, 1L);
	if (shape == SHAPE_UPLOAD)
		SET(call->easy, CURLOPT_UPLOAD, 1L);
}

/* The bytes of a whole body stay in upload. */
static void
set_body(struct call *call, const struct call_spec *spec)
{
	if (call->shape == SHAPE_WHOLE) {
		SET(call->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)spec->body_len);
		SET(call->easy, CURLOPT_POSTFIELDS,
		    buf_bytes(spec->upload).ptr);
	}
	if (call->shape == SHAPE_UPLOAD)
		SET(call->easy, CURLOPT_INFILESIZE_LARGE,
		    (curl_off_t)spec->body_len);
}

void
request_set(struct call *call, const struct call_spec *spec)
{
	struct lines lines = lines_begin(call, spec);
	enum shape shape = shape_of(spec);
	bool custom =
	    shape == SHAPE_UPLOAD || shape == SHAPE_WHOLE ||
	    (shape == SHAPE_PLAIN && !str_eq(spec->method, STR("GET")));

	set_origin(call, spec->origin);
	set_method(call, shape);
	set_body(call, spec);
	if (custom)
		SET(call->easy, CURLOPT_CUSTOMREQUEST,
		    put_text(&lines, spec->method));
	else if (call->custom_method)
		SET(call->easy, CURLOPT_CUSTOMREQUEST, NULL);
	call->custom_method = custom;
	SET(call->easy, CURLOPT_REQUEST_TARGET, put_text(&lines, spec->target));
	put_fields(&lines, spec, shape);
	call->fields_size = lines.size;
	SET(call->easy, CURLOPT_HTTPHEADER, lines.nodes);
}

/* The last look at what goes on the wire as it is. */
bool
request_is_sound(const struct call_spec *spec)
{
	const struct headers *h = spec->headers;

	if (!header_name_is_valid(spec->method) || !spec->target.len ||
	    !header_value_is_valid(spec->authority))
		return false;
	for (size_t i = 0; i < spec->target.len; i++)
		if ((unsigned char)spec->target.ptr[i] <= ' ' ||
		    spec->target.ptr[i] == 0x7f)
			return false;
	for (size_t i = 0; i < h->n; i++) {
		if (h->items[i].name.len && h->items[i].name.ptr[0] == ':')
			continue;
		if (!header_name_is_valid(h->items[i].name) ||
		    !header_value_is_valid(h->items[i].value))
			return false;
	}
	return true;
}
