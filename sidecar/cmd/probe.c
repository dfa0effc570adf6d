#include "config.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cmd/probe.h"

enum { US_PER_MS = 1000 };

/* A probe on its way. */
struct flight {
	struct probe *probe;
	CURL *easy;
	struct curl_slist *headers;
	int64_t left; /* of the body */
};

static int64_t
now_us(void)
{
	return clock_boot_now_ns() / (NS_PER_MS / 1000);
}

/* ---- what comes and goes ---- */

static size_t
on_header(char *bytes, size_t size, size_t n, void *arg)
{
	struct probe *p = arg;
	struct str line = { bytes, size * n };

	/* Behind a 100 the head begins anew. */
	if (str_starts(line, STR("HTTP/")))
		buf_clear(&p->head);
	return buf_append(&p->head, line) ? 0 : size * n;
}

static size_t
on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct probe *p = arg;
	size_t len = size * n, room = buf_room(&p->body);

	int64_t now = now_us();

	if (!p->last_us || now - p->last_us > PROBE_PAUSE_MS * US_PER_MS)
		p->bursts++;
	p->last_us = now;
	p->is_cut |= len > room;
	if (buf_append(
		&p->body, (struct str){ bytes, len < room ? len : room }))
		return 0;
	return p->is_cut ? 0 : len;
}

static size_t
on_upload(char *out, size_t size, size_t n, void *arg)
{
	struct flight *f = arg;
	size_t len = size * n;

	if ((int64_t)len > f->left)
		len = (size_t)f->left;
	memset(out, ' ', len);
	f->left -= (int64_t)len;
	return len;
}

/* ---- setting up ---- */

static void
add_header(struct flight *f, const char *line)
{
	struct curl_slist *more = curl_slist_append(f->headers, line);

	if (!more)
		abort();
	f->headers = more;
}

/* What libcurl was not built with is not missed. */
#define SET(easy, option, value)                                               \
	(void)!curl_easy_setopt((easy), (option), (value))

static void
set_connection(CURL *easy, const struct probe_site *site)
{
	bool is_tls = !strncmp(site->url, "https:", strlen("https:"));

	SET(easy, CURLOPT_URL, site->url);
	SET(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(easy, CURLOPT_HTTP_VERSION,
	    is_tls ? (long)CURL_HTTP_VERSION_2TLS
		   : (long)CURL_HTTP_VERSION_1_1);
	SET(easy, CURLOPT_PROXY, "");
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
	SET(easy, CURLOPT_PATH_AS_IS, 1L);
	SET(easy, CURLOPT_TIMEOUT_MS, site->timeout_ms);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, site->timeout_ms);
	SET(easy, CURLOPT_FRESH_CONNECT, 1L);
	SET(easy, CURLOPT_FORBID_REUSE, 1L);
	if (site->insecure) {
		SET(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		SET(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (site->source) {
		SET(easy, CURLOPT_INTERFACE, site->source);
		SET(easy, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V4);
	}
}

static void
set_headers(struct flight *f)
{
	const struct probe *p = f->probe;
	char line[512];

	(void)snprintf(line, sizeof(line), "X-Sallyport-Doctor: %s", p->mark);
	add_header(f, line);
	add_header(f, "Expect:");
	add_header(f, "Content-Type:");
	for (size_t i = 0; p->headers && p->headers[i]; i++)
		add_header(f, p->headers[i]);
	if (p->is_chunked)
		add_header(f, "Transfer-Encoding: chunked");
	SET(f->easy, CURLOPT_HTTPHEADER, f->headers);
}

static void
set_request(struct flight *f)
{
	struct probe *p = f->probe;
	const char *method = p->method ? p->method : "GET";

	SET(f->easy, CURLOPT_REQUEST_TARGET, p->target);
	if (!strcmp(method, "HEAD")) {
		SET(f->easy, CURLOPT_NOBODY, 1L);
	} else if (p->body_len || !strcmp(method, "PUT") ||
		   !strcmp(method, "PATCH") || !strcmp(method, "POST")) {
		SET(f->easy, CURLOPT_POST, 1L);
		SET(f->easy, CURLOPT_READFUNCTION, on_upload);
		SET(f->easy, CURLOPT_READDATA, f);
		if (!p->is_chunked)
			SET(f->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			    (curl_off_t)p->body_len);
	}
	if (strcmp(method, "HEAD") != 0)
		SET(f->easy, CURLOPT_CUSTOMREQUEST, method);
}

static void
take_off(struct flight *f, CURLM *multi, const struct probe_site *site,
    struct probe *p)
{
	f->probe = p;
	f->left = p->body_len;
	f->easy = curl_easy_init();
	if (!f->easy)
		abort();
	buf_init(&p->head, PROBE_HEAD_MAX);
	buf_init(&p->body, PROBE_BODY_MAX);
	set_connection(f->easy, site);
	set_request(f);
	set_headers(f);
	SET(f->easy, CURLOPT_HEADERFUNCTION, on_header);
	SET(f->easy, CURLOPT_HEADERDATA, p);
	SET(f->easy, CURLOPT_WRITEFUNCTION, on_body);
	SET(f->easy, CURLOPT_WRITEDATA, p);
	SET(f->easy, CURLOPT_ERRORBUFFER, p->error);
	SET(f->easy, CURLOPT_PRIVATE, f);
	p->sent_us = now_us();
	if (curl_multi_add_handle(multi, f->easy))
		abort();
}

/* ---- what came ---- */

/* The first echo in the body: all of it, an event, or a line. */
static cJSON *
read_echo(const struct probe *p)
{
	struct str text = buf_bytes(&p->body);
	cJSON *json;

	if (str_starts(text, STR("data: ")))
		text = str_slice(text, strlen("data: "), text.len);
	json = cJSON_ParseWithLengthOpts(text.ptr, text.len, NULL, false);
	if (cJSON_IsObject(json) &&
	    cJSON_GetObjectItemCaseSensitive(json, "sallyport_doctor"))
		return json;
	cJSON_Delete(json);
	return NULL;
}

static void
copy_address(CURL *easy, CURLINFO what, char *out, size_t size)
{
	char *text = NULL;

	if (!curl_easy_getinfo(easy, what, &text) && text)
		(void)snprintf(out, size, "%s", text);
}

static void
land(struct flight *f, CURLcode code)
{
	struct probe *p = f->probe;
	long status = 0;

	p->ended_us = now_us();
	(void)!curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	p->status = status > 0 && status < 1000 ? (unsigned)status : 0;
	copy_address(f->easy, CURLINFO_LOCAL_IP, p->local_address,
	    sizeof(p->local_address));
	copy_address(f->easy, CURLINFO_PRIMARY_IP, p->remote_address,
	    sizeof(p->remote_address));
	p->is_connected = p->status || *p->local_address;
	if (code && !(p->is_cut && code == CURLE_WRITE_ERROR))
		p->failure = *p->error ? p->error : curl_easy_strerror(code);
	p->echo = read_echo(p);
}

static void
collect(CURLM *multi)
{
	CURLMsg *message;
	char *flight;
	int left;

	while ((message = curl_multi_info_read(multi, &left)))
		if (message->msg == CURLMSG_DONE &&
		    !curl_easy_getinfo(
			message->easy_handle, CURLINFO_PRIVATE, &flight))
			land((struct flight *)(void *)flight,
			    message->data.result);
}

void
probe_run(const struct probe_site *site, struct probe *probes, size_t n)
{
	struct flight flights[PROBES_AT_ONCE] = { { NULL, NULL, NULL, 0 } };
	CURLM *multi = curl_multi_init();
	int running = 1;

	if (!multi || n > PROBES_AT_ONCE)
		abort();
	for (size_t i = 0; i < n; i++)
		take_off(&flights[i], multi, site, &probes[i]);
	while (running) {
		if (curl_multi_perform(multi, &running) ||
		    (running && curl_multi_poll(multi, NULL, 0, 1000, NULL)))
			break;
		collect(multi);
	}
	for (size_t i = 0; i < n; i++) {
		(void)!curl_multi_remove_handle(multi, flights[i].easy);
		curl_easy_cleanup(flights[i].easy);
		curl_slist_free_all(flights[i].headers);
	}
	(void)!curl_multi_cleanup(multi);
}

void
probe_free(struct probe *p)
{
	buf_free(&p->head);
	buf_free(&p->body);
	cJSON_Delete(p->echo);
	p->echo = NULL;
}

struct str
probe_header(const struct probe *p, const char *name)
{
	struct str rest = buf_bytes(&p->head), wanted = str_of(name);

	while (rest.ptr) {
		struct str line = str_split(&rest, '\n');
		size_t colon = str_find_char(line, ':', 0);

		if (str_ends(line, STR("\r")))
			line.len--;
		if (colon < line.len &&
		    str_eq_nocase(str_slice(line, 0, colon), wanted))
			return str_trim(str_slice(line, colon + 1, line.len));
	}
	return STR_NONE;
}

struct str
probe_text(const struct probe *p, const char *name)
{
	return str_of(cJSON_GetStringValue(
	    cJSON_GetObjectItemCaseSensitive(p->echo, name)));
}

int64_t
probe_number(const struct probe *p, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(p->echo, name);

	return cJSON_IsNumber(item) && item->valuedouble >= -1 &&
		       item->valuedouble < 9e15
		   ? (int64_t)item->valuedouble
		   : -1;
}

struct str
probe_seen_header(const struct probe *p, const char *name, size_t *len)
{
	const cJSON *list =
	    cJSON_GetObjectItemCaseSensitive(p->echo, "headers");
	const cJSON *item;

	*len = 0;
	cJSON_ArrayForEach(item, list)
	{
		const cJSON *size = cJSON_GetArrayItem(item, 2);
		const char *n =
		    cJSON_GetStringValue(cJSON_GetArrayItem(item, 0));

		if (!n || strcmp(n, name) != 0)
			continue;
		if (cJSON_IsNumber(size) && size->valuedouble >= 0 &&
		    size->valuedouble < 1e9)
			*len = (size_t)size->valuedouble;
		return str_of(
		    cJSON_GetStringValue(cJSON_GetArrayItem(item, 1)));
	}
	return STR_NONE;
}
