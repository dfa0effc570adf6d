/* Access log filters, compiled. */
#include "config.h"

#include "base/clock.h"
#include "chain/logfilter.h"
#include "chain/match.h"

struct logfilter {
	const struct conf_log_filter *conf;
	const struct header_match *header;
	const struct logfilter **parts; /* of and_filter, or_filter */
	size_t n_parts;
};

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

const struct logfilter *
logfilter_build(
    struct arena *arena, const struct conf_log_filter *conf, struct diag *diag)
{
	struct logfilter *f = ARENA_NEW(arena, struct logfilter);
	bool sound = true;

	f->conf = conf;
	if (conf->header_filter && conf->header_filter->header) {
		f->header = header_match_build(
		    arena, conf->header_filter->header, diag);
		sound = f->header != NULL;
	}
	if (conf->and_filter)
		sound = build_parts(arena, f, conf->and_filter, diag);
	if (conf->or_filter)
		sound = build_parts(arena, f, conf->or_filter, diag);
	return sound ? f : NULL;
}

static bool
compares(const struct conf_comparison_filter *conf, uint64_t value)
{
	uint64_t other;

	if (!conf->comparison || !conf->comparison->value)
		return false;
	other = conf->comparison->value->default_value;
	switch ((enum conf_comparison_op)conf->comparison->op) {
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
has_flag(const struct conf_response_flag_filter *conf, const struct exchange *x)
{
	struct str flags = flags_text(x->arena, &x->flags), flag;

	if (!conf->flags.n)
		return x->flags.bits != 0;
	while (flags.ptr) {
		flag = str_split(&flags, ',');
		for (size_t i = 0; i < conf->flags.n; i++)
			if (str_eq(flag, conf->flags.items[i]))
				return true;
	}
	return false;
}

static size_t
parts_that_hold(const struct logfilter *f, const struct exchange *x)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_parts; i++)
		n += logfilter_holds(f->parts[i], x);
	return n;
}

bool
logfilter_holds(const struct logfilter *f, const struct exchange *x)
{
	const struct conf_log_filter *conf = f->conf;

	if (conf->status_code_filter)
		return compares(conf->status_code_filter, x->code);
	if (conf->duration_filter)
		return compares(conf->duration_filter,
		    (uint64_t)((clock_boot_ns() - x->start_ns) / NS_PER_MS));
	if (conf->and_filter)
		return parts_that_hold(f, x) == f->n_parts;
	if (conf->or_filter)
		return parts_that_hold(f, x) > 0;
	if (f->header)
		return header_match_holds(f->header, &x->request);
	if (conf->response_flag_filter)
		return has_flag(conf->response_flag_filter, x);
	if (conf->not_health_check_filter)
		return !x->health_check &&
		       !str_starts(x->details, STR("health_check"));
	return true;
}
