/* From a token and its provider to what is handed on. */
#include "config.h"

#include "chain/jwt_verified.h"
#include "http/claims.h"

static void
add_header(struct arena *own, struct jwt_verified *v, struct str name,
    struct str value)
{
	if (!value.len)
		return;
	if (!header_value_is_valid(value))
		v->bad_header = name;
	v->headers[v->n_headers++] =
	    (struct header){ name, arena_str(own, value) };
}

static struct str
payload_header_value(
    struct arena *arena, const struct jwt_provider *p, const struct jws *jws)
{
	static const char padding[] = "==";
	size_t missing = (4 - jws->payload_text.len % 4) % 4;

	return arena_printf(arena, STR_FMT "%.*s", STR_ARG(jws->payload_text),
	    p->conf->pad_forward_payload_header ? (int)missing : 0, padding);
}

static struct str
payload_for_metadata(
    struct arena *arena, const struct jwt_provider *p, const struct jws *jws)
{
	const struct conf_jwt_normalize *normalize =
	    p->conf->normalize_payload_in_metadata;

	if (!p->conf->payload_in_metadata.len)
		return STR_NONE;
	if (!normalize || !normalize->space_delimited_claims.n)
		return jws->payload_json;
	return claims_json_with_lists(arena, jws->claims,
	    normalize->space_delimited_claims.items,
	    normalize->space_delimited_claims.n);
}

struct memo_item *
jwt_verified_item(struct arena *scratch, const struct jwt_provider *p,
    const struct jws *jws, struct str token)
{
	struct arena *own = arena_new(1024);
	struct jwt_verified *v = ARENA_NEW(own, struct jwt_verified);
	struct str *audiences =
	    ARENA_ARRAY(own, jws->n_audiences + 1, struct str);

	v->provider = p;
	for (size_t i = 0; i < jws->n_audiences; i++)
		audiences[i] = arena_str(own, jws->audiences[i]);
	v->claims = (struct jwt_claims){ jws->exp, jws->nbf,
		{ audiences, jws->n_audiences } };
	v->headers = ARENA_ARRAY(own, p->n_claims + 1, struct header);
	if (p->payload_header.ptr)
		add_header(own, v, p->payload_header,
		    payload_header_value(scratch, p, jws));
	for (size_t i = 0; i < p->n_claims; i++)
		add_header(own, v, p->claims[i].header,
		    claims_header(scratch, jws->claims, p->claims[i].path.items,
			p->claims[i].path.n));
	v->payload_json = arena_str(own, payload_for_metadata(scratch, p, jws));
	if (p->conf->header_in_metadata.len)
		v->header_json = arena_str(own, jws->header_json);
	return memo_item_new(own, p, token, v);
}
