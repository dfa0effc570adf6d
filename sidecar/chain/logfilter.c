/* Access log filters, compiled. */
#include "config.h"

#include "base/clock.h"
#include "base/random.h"
#include "chain/logfilter.h"
#include "chain/match.h"
#include "chain/metadata.h"
#include "chain/metamatch.h"
#include "http/grpc.h"

struct logfilter {
	bool (*holds)(const struct logfilter *, const struct exchange *);
	const struct conf_log_filter *conf;
	const struct header_match *header;
	unsigned flags; /* of which one is enough */
	const struct logfilter **parts; /* of and_filter, or_filter */
	size_t n_parts;
	struct str *keys; /* of metadata_filter */
	size_t n_keys;
	const struct metadata_match *metadata; /* NULL: nothing matches */
};

/* ---- numbers ---- */

static bool
compares(const struct conf_comparison_filter *conf, uint64_t value)
{
	const struct conf_comparison *c = conf->comparison;
	uint64_t other = c->value->default_value;

	switch ((enum conf_comparison_op)c->op) {
	case CONF_EQ:
		return value == other;
	case CONF_GE:
		return value >= other;
	case CONF_LE:
		return value <= other;
	case CONF_NE:
		return value != other;
	}
	return false;
}

static bool
status_holds(const struct logfilter *f, const struct exchange *x)
{
	return compares(f->conf->status_code_filter, x->code);
}

static bool
duration_holds(const struct logfilter *f, const struct exchange *x)
{
	int64_t end = x->end_ns ? x->end_ns : clock_boot_ns();

	return compares(f->conf->duration_filter,
	    (uint64_t)((end - x->start_ns) / NS_PER_MS));
}

/* ---- what is in a list ---- */

static bool
is_listed(const int *items, size_t n, int64_t value)
{
	for (size_t i = 0; i < n; i++)
		if (items[i] == value)
			return true;
	return false;
}

/* A status beyond gRPC's own is none of the list. */
static bool
grpc_status_holds(const struct logfilter *f, const struct exchange *x)
{
	const struct conf_grpc_status_filter *conf =
	    f->conf->grpc_status_filter;
	int64_t status = grpc_status(&x->response, x->code);

	return is_listed(conf->statuses.items, conf->statuses.n, status) !=
	       conf->exclude;
}

static bool
log_type_holds(const struct logfilter *f, const struct exchange *x)
{
	static const int types[] = { [LOG_NOT_SET] = CONF_LOG_NOT_SET,
		[LOG_START] = CONF_LOG_DOWNSTREAM_START,
		[LOG_PERIODIC] = CONF_LOG_DOWNSTREAM_PERIODIC,
		[LOG_END] = CONF_LOG_DOWNSTREAM_END };
	const struct conf_log_type_filter *conf = f->conf->log_type_filter;

	return is_listed(conf->types.items, conf->types.n,
		   types[x->log_type]) != conf->exclude;
}

static bool
flags_hold(const struct logfilter *f, const struct exchange *x)
{
	return x->flags.bits & f->flags;
}

static void
build_flags(struct logfilter *f, const struct conf_response_flag_filter *conf)
{
	f->flags = conf->flags.n ? 0 : ~0U;
	for (size_t i = 0; i < conf->flags.n; i++)
		f->flags |= flag_find(conf->flags.items[i]);
}

/* ---- the request ---- */

static bool
header_holds(const struct logfilter *f, const struct exchange *x)
{
	return header_match_holds(f->header, &x->request);
}

static bool
no_health_check(const struct logfilter *f, const struct exchange *x)
{
	(void)f;
	return !x->health_check;
}

/* Tracing is what makes a request traceable, and there is none. */
static bool
traceable_holds(const struct logfilter *f, const struct exchange *x)
{
	(void)f;
	(void)x;
	return false;
}

/* A request id as a number: its first eight hexadecimal digits. */
static bool
id_number(const struct exchange *x, uint64_t *out)
{
	struct str id = headers_get(&x->request, STR("x-request-id"));
	uint64_t number = 0;

	if (id.len < 8)
		return false;
	for (size_t i = 0; i < 8; i++) {
		int digit = ascii_hex(id.ptr[i]);

		if (digit < 0)
			return false;
		number = number << 4 | (unsigned)digit;
	}
	*out = number;
	return true;
}

static bool
runtime_holds(const struct logfilter *f, const struct exchange *x)
{
	static const unsigned denominators[] = { 100, 10000, 1000000 };
	const struct conf_log_runtime_filter *conf = f->conf->runtime_filter;
	const struct conf_fractional_percent *p = conf->percent_sampled;
	uint64_t number;

	if (conf->use_independent_randomness || !id_number(x, &number))
		number = random_u64();
	return number % denominators[p ? p->denominator : 0] < conf->numerator;
}

/* ---- metadata ---- */

static bool
metadata_holds(const struct logfilter *f, const struct exchange *x)
{
	const struct conf_metadata_filter *conf = f->conf->metadata_filter;
	struct str ns = conf->matcher ? conf->matcher->filter : STR_NONE;

	if (!f->n_keys || !metadata_json(x, ns, f->keys, f->n_keys).ptr)
		return conf->match_if_key_not_found;
	return f->metadata && metadata_match_holds(f->metadata, x);
}

/* Envoy's filter does not heed invert. */
static bool
build_metadata(struct arena *arena, struct logfilter *f,
    const struct conf_metadata_matcher *conf, struct diag *diag)
{
	struct conf_metadata_matcher *upright;

	if (!conf)
		return true;
	upright = ARENA_NEW(arena, struct conf_metadata_matcher);
	*upright = *conf;
	upright->invert = false;
	f->metadata = metadata_match_build(arena, upright, diag);
	f->keys = ARENA_ARRAY(arena, conf->path.n + 1, struct str);
	for (size_t i = 0; i < conf->path.n; i++)
		f->keys[f->n_keys++] = conf->path.items[i].key;
	return f->metadata;
}

/* ---- several ---- */

static bool
all_hold(const struct logfilter *f, const struct exchange *x)
{
	for (size_t i = 0; i < f->n_parts; i++)
		if (!logfilter_holds(f->parts[i], x))
			return false;
	return true;
}

static bool
some_hold(const struct logfilter *f, const struct exchange *x)
{
	for (size_t i = 0; i < f->n_parts; i++)
		if (logfilter_holds(f->parts[i], x))
			return true;
	return false;
}

static bool
build_parts(struct arena *arena, struct logfilter *f,
    const struct conf_log_filters *conf, struct diag *diag)
{
	f->parts =
	    ARENA_ARRAY(arena, conf->filters.n + 1, const struct logfilter *);
	for (size_t i = 0; i < conf->filters.n; i++) {
		f->parts[i] =
		    logfilter_build(arena, &conf->filters.items[i], diag);
		if (!f->parts[i])
			return false;
	}
	f->n_parts = conf->filters.n;
	return true;
}

/* ---- all ---- */

/* False for a message whose parts the reader has refused. */
static bool
is_sound(const struct conf_log_filter *conf)
{
	const struct conf_comparison_filter *numbers[] = {
		conf->status_code_filter, conf->duration_filter
	};

	for (size_t i = 0; i < 2; i++)
		if (numbers[i] &&
		    (!numbers[i]->comparison || !numbers[i]->comparison->value))
			return false;
	return !conf->header_filter || conf->header_filter->header;
}

const struct logfilter *
logfilter_build(
    struct arena *arena, const struct conf_log_filter *conf, struct diag *diag)
{
	struct logfilter *f = ARENA_NEW(arena, struct logfilter);
	const struct {
		const void *given;
		bool (*holds)(
		    const struct logfilter *, const struct exchange *);
	} kinds[] = { { conf->status_code_filter, status_holds },
		{ conf->duration_filter, duration_holds },
		{ conf->not_health_check_filter, no_health_check },
		{ conf->traceable_filter, traceable_holds },
		{ conf->runtime_filter, runtime_holds },
		{ conf->and_filter, all_hold }, { conf->or_filter, some_hold },
		{ conf->header_filter, header_holds },
		{ conf->response_flag_filter, flags_hold },
		{ conf->grpc_status_filter, grpc_status_holds },
		{ conf->metadata_filter, metadata_holds },
		{ conf->log_type_filter, log_type_holds } };
	bool sound = is_sound(conf);

	f->conf = conf;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].given)
			f->holds = kinds[i].holds;
	if (sound && conf->header_filter) {
		f->header = header_match_build(
		    arena, conf->header_filter->header, diag);
		sound = f->header;
	}
	if (conf->response_flag_filter)
		build_flags(f, conf->response_flag_filter);
	if (sound && conf->metadata_filter)
		sound = build_metadata(
		    arena, f, conf->metadata_filter->matcher, diag);
	if (sound && conf->and_filter)
		sound = build_parts(arena, f, conf->and_filter, diag);
	if (sound && conf->or_filter)
		sound = build_parts(arena, f, conf->or_filter, diag);
	return sound && f->holds ? f : NULL;
}

bool
logfilter_holds(const struct logfilter *f, const struct exchange *x)
{
	return f->holds(f, x);
}
