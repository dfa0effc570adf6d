/* What can be wrong with a web server before the gateway, and what mends it. */
#ifndef SALLYPORT_CMD_REMEDY_H
#define SALLYPORT_CMD_REMEDY_H

#include "base/str.h"

enum server_kind {
	SERVER_LIGHTTPD,
	SERVER_APACHE,
	SERVER_NGINX,
	SERVER_CADDY,
	SERVER_HAPROXY,
	SERVER_OTHER,
	SERVERS,
};

enum ailment {
	AILMENT_NOT_HANDED_OVER,
	AILMENT_NO_SERVER,
	AILMENT_UNREACHABLE,
	AILMENT_AUTHORIZATION,
	AILMENT_ADDRESS,
	AILMENT_ADDRESS_FORGED,
	AILMENT_ADDRESS_BELIEVED,
	AILMENT_SCHEME,
	AILMENT_HOST,
	AILMENT_METHOD,
	AILMENT_HEAD,
	AILMENT_HEAD_LENGTH,
	AILMENT_TARGET,
	AILMENT_SLASHES,
	AILMENT_ESCAPED_SLASH,
	AILMENT_BODY,
	AILMENT_CHUNKED_BODY,
	AILMENT_REQUEST_HEADER,
	AILMENT_RESPONSE_HEADER,
	AILMENT_STATUS_FIELD,
	AILMENT_EVENTS,
	AILMENT_STREAM,
	AILMENT_SERIAL,
	AILMENTS,
};

struct remedy {
	const char
	    *where; /* "<Location> of the gateway"; NULL: there is none */
	const char *write; /* lines */
};

/* "authorization": for tools, and what was looked at: "Authorization". */
const char *ailment_id(enum ailment);
const char *ailment_subject(enum ailment);

/* What to write where; the one for any server if there is no other. */
struct remedy remedy_for(enum ailment, enum server_kind);

/* By a Server header or SERVER_SOFTWARE ("nginx/1.22.1"), or by a name. */
enum server_kind server_by_name(struct str);
const char *server_name(enum server_kind);

#endif
