/*
 * Hash policies, bit for bit as Envoy computes them: a gateway of either
 * kind sends a client to the same host.
 */
#include "config.h"

#include <stdlib.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/regex.h"
#include "chain/hash.h"
#include "chain/match.h"
#include "config/model_forward.h"
#include "http/params.h"

struct method {
	const struct conf_hash_policy *conf;
	struct str header; /* in lower case */
	const struct regex *rewrite;
};

struct hash_policy {
	struct method *methods;
	size_t n;
};

static void
build_header(struct arena *arena, struct method *m, struct diag *diag)
{
	const struct conf_hash_header *conf = m->conf->header;
	const struct conf_regex_rewrite *rewrite = conf->regex_rewrite;

	m->header = header_name_sought(arena, conf->header_name);
	if (!rewrite || !rewrite->pattern)
		return;
	m->rewrite = match_regex(arena, rewrite->pattern, diag);
	if (m->rewrite &&
	    !regex_substitution_is_valid(m->rewrite,
		rewrite->substitution.ptr ? rewrite->substitution : STR("")))
		diag_error(diag, rewrite->node->place, NULL,
		    "the substitution names a group that the pattern does "
		    "not have");
}

const struct hash_policy *
hash_policy_build(struct arena *arena, const struct conf_hash_policy *items,
    size_t n, struct diag *diag)
{
	struct hash_policy *p;

	if (!n)
		return NULL;
	p = ARENA_NEW(arena, struct hash_policy);
	p->n = n;
	p->methods = ARENA_ARRAY(arena, n, struct method);
	for (size_t i = 0; i < n; i++) {
		p->methods[i].conf = &items[i];
		if (items[i].header)
			build_header(arena, &p->methods[i], diag);
	}
	return p;
}

static uint64_t
hash_of(struct str s)
{
	return XXH64(s.ptr, s.len, 0);
}

static int
compare(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* All lines of the field in one, whatever their order. */
static bool
hash_header(const struct method *m, const struct exchange *x, uint64_t *hash)
{
	struct arena *arena = x->arena;
	struct str substitution =
	    m->rewrite ? m->conf->header->regex_rewrite->substitution
		       : STR_NONE;
	struct str *values = ARENA_ARRAY(arena, x->request.n + 1, struct str);
	struct str whole = STR("");
	size_t n = 0;

	for (size_t i = 0; i < x->request.n; i++) {
		struct str value = x->request.items[i].value;
		if (!str_eq(x->request.items[i].name, m->header))
			continue;
		if (m->rewrite)
			value = regex_replace(arena, m->rewrite, value,
			    substitution.ptr ? substitution : STR(""));
		values[n++] = value;
	}
	if (!n)
		return false;
	qsort(values, n, sizeof(*values), compare);
	for (size_t i = 0; i < n; i++)
		whole = i ? arena_printf(arena, STR_FMT STR_FMT, STR_ARG(whole),
				STR_ARG(values[i]))
			  : values[i];
	*hash = hash_of(whole);
	return true;
}

/* Several requests of a connection get the same cookie. */
static struct str
make_cookie(const struct conf_hash_cookie *conf, const struct exchange *x,
    struct headers *made)
{
	const struct exchange_peer *p = &x->peer;
	struct str ends =
	    arena_printf(x->arena, STR_FMT ":" STR_FMT STR_FMT ":" STR_FMT,
		STR_ARG(p->address), STR_ARG(p->port),
		STR_ARG(p->local_address), STR_ARG(p->local_port));
	struct str value = arena_printf(
	    x->arena, "%016llx", (unsigned long long)hash_of(ends));
	struct str text = arena_printf(x->arena, STR_FMT "=\"" STR_FMT "\"",
	    STR_ARG(conf->name), STR_ARG(value));

	if (conf->ttl / NS_PER_S)
		text = arena_printf(x->arena, STR_FMT "; Max-Age=%lld",
		    STR_ARG(text), (long long)(conf->ttl / NS_PER_S));
	if (conf->path.len)
		text = arena_printf(x->arena, STR_FMT "; Path=" STR_FMT,
		    STR_ARG(text), STR_ARG(conf->path));
	for (size_t i = 0; i < conf->attributes.n; i++) {
		const struct conf_cookie_attribute *a =
		    &conf->attributes.items[i];
		text = arena_printf(x->arena, STR_FMT "; " STR_FMT "%s" STR_FMT,
		    STR_ARG(text), STR_ARG(a->name), a->value.len ? "=" : "",
		    STR_ARG(a->value));
	}
	headers_add(made, STR("set-cookie"),
	    arena_printf(x->arena, STR_FMT "; HttpOnly", STR_ARG(text)));
	return value;
}

static bool
hash_cookie(const struct conf_hash_cookie *conf, const struct exchange *x,
    uint64_t *hash, struct headers *made)
{
	struct str value = STR_NONE, field;

	for (size_t i = 0; !value.ptr; i++) {
		field = headers_nth(&x->request, STR("cookie"), i);
		if (!field.ptr)
			break;
		value = params_cookie_get(field, conf->name);
	}
	if (!value.len && conf->has_ttl && made)
		value = make_cookie(conf, x, made);
	*hash = hash_of(value);
	return value.len > 0;
}

static bool
hash_method(const struct method *m, const struct exchange *x, uint64_t *hash,
    struct headers *made)
{
	struct str value = STR_NONE;

	if (m->conf->header)
		return hash_header(m, x, hash);
	if (m->conf->cookie)
		return hash_cookie(m->conf->cookie, x, hash, made);
	if (m->conf->query_parameter)
		value =
		    match_query_value(headers_get(&x->request, STR(":path")),
			m->conf->query_parameter->name);
	else if (m->conf->connection_properties->source_ip &&
		 x->client_address.len)
		value = x->client_address;
	if (value.ptr)
		*hash = hash_of(value);
	return value.ptr;
}

bool
hash_policy_value(const struct hash_policy *p, const struct exchange *x,
    uint64_t *hash, struct headers *made)
{
	uint64_t one;
	bool found = false;

	*hash = 0;
	for (size_t i = 0; i < p->n; i++) {
		if (hash_method(&p->methods[i], x, &one, made)) {
			*hash = (*hash << 1 | *hash >> 63) ^ one;
			found = true;
		}
		if (found && p->methods[i].conf->terminal)
			break;
	}
	return found;
}
