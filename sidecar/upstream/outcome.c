/* How a call ended, in words the router and the log can use. */
#include "config.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "upstream/call.h"

static void
tell_owner(void *arg)
{
	struct call *call = arg;

	call->spec.changed(call->spec.owner);
}

void
call_notice(struct call *call)
{
	task_defer(call->client->loop, &call->notice, tell_owner, call);
}

void
call_refuse(struct call *call, enum call_failure why, const char *reason)
{
	if (call->refused)
		return;
	call->refused = why;
	call->reason = reason;
}

static const struct cause {
	CURLcode code;
	enum call_failure failure;
} causes[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, CALL_UNRESOLVABLE },
	{ CURLE_COULDNT_CONNECT, CALL_CONNECT_FAILED },
	{ CURLE_OPERATION_TIMEDOUT, CALL_CONNECT_TIMEOUT },
	{ CURLE_SSL_CONNECT_ERROR, CALL_TLS_FAILED },
	{ CURLE_PEER_FAILED_VERIFICATION, CALL_TLS_FAILED },
	{ CURLE_SSL_CACERT_BADFILE, CALL_TLS_FAILED },
	{ CURLE_SSL_CERTPROBLEM, CALL_TLS_FAILED },
	{ CURLE_SSL_CIPHER, CALL_TLS_FAILED },
	{ CURLE_SSL_ISSUER_ERROR, CALL_TLS_FAILED },
	{ CURLE_GOT_NOTHING, CALL_TERMINATED },
	{ CURLE_SEND_ERROR, CALL_TERMINATED },
	{ CURLE_RECV_ERROR, CALL_TERMINATED },
	{ CURLE_PARTIAL_FILE, CALL_PROTOCOL },
	{ CURLE_SEND_FAIL_REWIND, CALL_TERMINATED },
	{ CURLE_ABORTED_BY_CALLBACK, CALL_TERMINATED },
	{ CURLE_HTTP2, CALL_RESET },
	{ CURLE_HTTP2_STREAM, CALL_RESET },
	{ CURLE_UNSUPPORTED_PROTOCOL, CALL_PROTOCOL },
	{ CURLE_WEIRD_SERVER_REPLY, CALL_PROTOCOL },
	{ CURLE_BAD_CONTENT_ENCODING, CALL_PROTOCOL },
	{ CURLE_BAD_FUNCTION_ARGUMENT, CALL_PROTOCOL },
};

long
call_info(struct call *call, CURLINFO what)
{
	long value = 0;

	if (curl_easy_getinfo(call->easy, what, &value) != CURLE_OK)
		return 0;
	return value;
}

static bool
was_resolved(struct call *call)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(call->easy, CURLINFO_NAMELOOKUP_TIME_T, &us) ==
		   CURLE_OK &&
	       us > 0;
}

static enum call_failure
failure_of(struct call *call, CURLcode code)
{
	if (call->refused)
		return call->refused;
	if (code == CURLE_OPERATION_TIMEDOUT && !was_resolved(call))
		return CALL_UNRESOLVABLE;
	if (code == CURLE_COULDNT_CONNECT && call->open_errno)
		return CALL_LOCAL;
	/* An answer that has begun and does not end breaks the protocol. */
	if ((code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING) &&
	    call->has_begun)
		return CALL_PROTOCOL;
	/* Its way to say that a header line is longer than 100 KiB. */
	if (code == CURLE_OUT_OF_MEMORY && call->was_sent)
		return CALL_RESPONSE_TOO_LARGE;
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].code == code)
			return causes[i].failure;
	return CALL_LOCAL;
}

const char *
call_errno_text(int number)
{
	const char *text = strerrordesc_np(number);

	return text ? text : "unknown error";
}

static void
describe_connect(struct call *call)
{
	int number = (int)call_info(call, CURLINFO_OS_ERRNO);
	bool at_once = call->origin->unix_path || number == ENETUNREACH ||
		       number == EACCES || number == EADDRNOTAVAIL;

	if (call->open_errno)
		(void)snprintf(call->text, sizeof(call->text), "no socket: %s",
		    call_errno_text(call->open_errno));
	else
		(void)snprintf(call->text, sizeof(call->text),
		    "%s connect error: %s", at_once ? "immediate" : "delayed",
		    number ? call_errno_text(number) : call->error);
}

static void
describe(struct call *call, CURLcode code)
{
	const char *text =
	    call->error[0] ? call->error : curl_easy_strerror(code);

	if (call->refused)
		(void)snprintf(
		    call->text, sizeof(call->text), "%s", call->reason);
	else if (code == CURLE_COULDNT_CONNECT)
		describe_connect(call);
	else if (call->failure == CALL_TLS_FAILED)
		(void)snprintf(call->text, sizeof(call->text),
		    "TLS_error:|%s:TLS_error_end", text);
	else
		(void)snprintf(call->text, sizeof(call->text), "%s", text);
}

static void
note_peer(struct call *call)
{
	const char *ip = NULL;

	if (call->origin->unix_path) {
		(void)snprintf(call->peer, sizeof(call->peer), "%s",
		    call->origin->unix_path);
		return;
	}
	if (curl_easy_getinfo(call->easy, CURLINFO_PRIMARY_IP, &ip) !=
		CURLE_OK ||
	    !ip || !*ip)
		return;
	(void)snprintf(call->peer, sizeof(call->peer),
	    strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip,
	    call_info(call, CURLINFO_PRIMARY_PORT));
}

void
call_stop(struct call *call)
{
	if (!call->started)
		return;
	if (call->direct.to) {
		direct_stop(call);
		return;
	}
	call->started = false;
	call->was_sent = call_info(call, CURLINFO_REQUEST_SIZE) > 0;
	(void)curl_multi_remove_handle(call->client->multi, call->easy);
	call->fd = -1;
}

void
call_fail(struct call *call, CURLcode code)
{
	call_stop(call);
	call->failure = failure_of(call, code);
	call->state = CALL_FAILED;
	describe(call, code);
	call_notice(call);
}

/*
 * A kept connection may have served the call before libcurl had anything to
 * wait for: then it has not told of the socket.
 */
static void
note_socket(struct call *call)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (call->fd < 0 &&
	    curl_easy_getinfo(call->easy, CURLINFO_ACTIVESOCKET, &fd) ==
		CURLE_OK &&
	    fd != CURL_SOCKET_BAD)
		sockets_served(call->client->sockets, fd);
}

void
call_finish(struct call *call, CURLcode code)
{
	if (code == CURLE_OK && call->state == CALL_WAITING) {
		call_refuse(
		    call, CALL_PROTOCOL, "closed within the header section");
		code = CURLE_GOT_NOTHING;
	}
	if (code != CURLE_OK) {
		call_fail(call, code);
		return;
	}
	note_socket(call);
	call_stop(call);
	call->state = CALL_DONE;
	call_notice(call);
}

enum call_state
call_state(const struct call *call)
{
	return call->state;
}

enum call_failure
call_failure(const struct call *call)
{
	return call->failure;
}

const char *
call_failure_text(const struct call *call)
{
	return call->text;
}

struct str
call_peer(struct call *call)
{
	if (call->direct.to)
		return call->has_run ? endpoint_name(call->direct.to)
				     : STR_NONE;
	if (call->has_run && !call->peer[0])
		note_peer(call);
	return call->peer[0] ? str_of(call->peer) : STR_NONE;
}

bool
call_was_sent(const struct call *call)
{
	return call->was_sent;
}

static uint64_t
amount(struct call *call, CURLINFO what)
{
	curl_off_t value = 0;

	if (curl_easy_getinfo(call->easy, what, &value) != CURLE_OK)
		return 0;
	return (uint64_t)value;
}

static void
tls_facts(struct call *call, struct call_facts *out)
{
	struct curl_tlssessioninfo *info = NULL;
	const SSL *ssl;

	if (!str_starts(str_of(call->origin->url), STR("https:")) ||
	    curl_easy_getinfo(call->easy, CURLINFO_TLS_SSL_PTR, &info) !=
		CURLE_OK ||
	    !info || info->backend != CURLSSLBACKEND_OPENSSL ||
	    !info->internals)
		return;
	ssl = info->internals;
	out->tls_version = SSL_get_version(ssl);
	out->tls_cipher = SSL_get_cipher_name(ssl);
}

void
call_facts(struct call *call, struct call_facts *out)
{
	*out = (struct call_facts){ .local_ip = call->local_ip,
		.local_port = call->local_port,
		.started_ns = call->started_ns,
		.ready_ns = call->ready_ns,
		.sent_ns = call->sent_ns,
		.body_ns = call->body_ns };
	if (!call->has_run || !call->ready_ns)
		return;
	out->fields_sent = call->fields_size;
	if (call->direct.to) {
		direct_facts(call, out);
		return;
	}
	out->body_sent = amount(call, CURLINFO_SIZE_UPLOAD_T);
	out->head_received = (uint64_t)call_info(call, CURLINFO_HEADER_SIZE);
	out->body_received = amount(call, CURLINFO_SIZE_DOWNLOAD_T);
	tls_facts(call, out);
}
