/* Connection and its like, of requests. */
#include "config.h"

#include "http/hop_by_hop.h"

enum { NAMES_MAX = 9, TE_MAX = 255 };

static bool
has_token(struct str list, struct str token)
{
	while (list.ptr)
		if (str_eq_nocase(str_trim(str_split(&list, ',')), token))
			return true;
	return false;
}

bool
hop_by_hop_is_upgrade(const struct headers *h)
{
	struct str protocol = headers_get(h, STR("upgrade"));

	return protocol.len && !str_eq_nocase(protocol, STR("h2c")) &&
	       has_token(headers_joined(h, STR("connection")), STR("upgrade"));
}

static bool
is_forbidden(struct str name)
{
	return name.ptr[0] == ':' || str_eq(name, STR("x-forwarded-for")) ||
	       str_eq(name, STR("x-forwarded-host")) ||
	       str_eq(name, STR("x-forwarded-proto"));
}

/* What Connection may name without meaning a field. */
static bool
is_option(struct str name)
{
	return str_eq(name, STR("close")) || str_eq(name, STR("keep-alive")) ||
	       str_eq(name, STR("upgrade")) || str_eq(name, STR("connection"));
}

/* False if it is too long to look at. */
static bool
keep_trailers(struct headers *h)
{
	struct str te = headers_get(h, STR("te"));

	if (te.len > TE_MAX)
		return false;
	if (has_token(te, STR("trailers")))
		headers_set(h, STR("te"), STR("trailers"));
	else
		headers_remove(h, STR("te"));
	return true;
}

static bool
remove_named(struct headers *h, struct str name)
{
	if (is_option(name))
		return true;
	if (is_forbidden(name))
		return false;
	if (str_eq(name, STR("te")))
		return keep_trailers(h);
	if (str_eq(name, STR("host")))
		name = STR(":authority");
	headers_remove(h, name);
	return true;
}

bool
hop_by_hop_remove_named(struct headers *h)
{
	struct str list = headers_joined(h, STR("connection")), name;
	unsigned n = 0;

	while (list.ptr) {
		name = header_name_lower(
		    h->arena, str_trim(str_split(&list, ',')));
		if (!name.len)
			continue;
		if (++n > NAMES_MAX || !remove_named(h, name))
			return false;
	}
	return true;
}

/* Unlike names elsewhere, "trailers" has to be in lower case here. */
static void
clean_te(struct headers *h)
{
	struct str list = headers_joined(h, STR("te"));

	while (list.ptr) {
		if (!str_eq(str_trim(str_split(&list, ',')), STR("trailers")))
			continue;
		headers_set(h, STR("te"), STR("trailers"));
		return;
	}
	headers_remove(h, STR("te"));
}

void
hop_by_hop_remove_known(struct headers *h)
{
	static const struct str names[] = { STR_INIT("connection"),
		STR_INIT("upgrade"), STR_INIT("keep-alive"),
		STR_INIT("proxy-connection"), STR_INIT("transfer-encoding"),
		STR_INIT("http2-settings") };

	headers_remove_all(h, names, sizeof(names) / sizeof(names[0]));
	clean_te(h);
}
