/* The response flags, their names and their order. */
#include "config.h"

#include <assert.h>

#include "chain/flag.h"

static const struct {
	struct str short_name, long_name;
} names[] = {
#define NAMES(short_name, long_name)                                           \
	{                                                                      \
		STR_INIT(short_name), STR_INIT(long_name)                      \
	}
	NAMES("LH", "FailedLocalHealthCheck"),
	NAMES("UH", "NoHealthyUpstream"),
	NAMES("UT", "UpstreamRequestTimeout"),
	NAMES("LR", "LocalReset"),
	NAMES("UR", "UpstreamRemoteReset"),
	NAMES("UF", "UpstreamConnectionFailure"),
	NAMES("UC", "UpstreamConnectionTermination"),
	NAMES("UO", "UpstreamOverflow"),
	NAMES("NR", "NoRouteFound"),
	NAMES("DI", "DelayInjected"),
	NAMES("FI", "FaultInjected"),
	NAMES("RL", "RateLimited"),
	NAMES("UAEX", "UnauthorizedExternalService"),
	NAMES("RLSE", "RateLimitServiceError"),
	NAMES("DC", "DownstreamConnectionTermination"),
	NAMES("URX", "UpstreamRetryLimitExceeded"),
	NAMES("SI", "StreamIdleTimeout"),
	NAMES("IH", "InvalidEnvoyRequestHeaders"),
	NAMES("DPE", "DownstreamProtocolError"),
	NAMES("UMSDR", "UpstreamMaxStreamDurationReached"),
	NAMES("RFCF", "ResponseFromCacheFilter"),
	NAMES("NFCF", "NoFilterConfigFound"),
	NAMES("DT", "DurationTimeout"),
	NAMES("UPE", "UpstreamProtocolError"),
	NAMES("NC", "NoClusterFound"),
	NAMES("OM", "OverloadManagerTerminated"),
	NAMES("DF", "DnsResolutionFailed"),
	NAMES("DO", "DropOverload"),
	NAMES("DR", "DownstreamRemoteReset"),
	NAMES("UDO", "UnconditionalDropOverload"),
#undef NAMES
};

static_assert(
    sizeof(names) / sizeof(names[0]) == FLAG_COUNT, "every flag has its names");

unsigned
flag_find(struct str short_name)
{
	for (unsigned i = 0; i < FLAG_COUNT; i++)
		if (str_eq(names[i].short_name, short_name))
			return 1u << i;
	return 0;
}

void
flags_set(struct flags *flags, unsigned flag)
{
	unsigned char i = 0;

	if (!flag || flags->bits & flag)
		return;
	while (!(flag >> i & 1))
		i++;
	flags->bits |= flag;
	flags->order[flags->n++] = i;
}

/* Most answers have none or one, whose name needs no copy. */
static struct str
join(struct arena *arena, const struct flags *flags, bool by_long_name)
{
	struct str text = STR("-"), next;

	for (size_t i = 0; i < flags->n; i++) {
		next = by_long_name ? names[flags->order[i]].long_name
				    : names[flags->order[i]].short_name;
		text = i ? arena_printf(arena, STR_FMT "," STR_FMT,
			       STR_ARG(text), STR_ARG(next))
			 : next;
	}
	return text;
}

struct str
flags_text(struct arena *arena, const struct flags *flags)
{
	return join(arena, flags, false);
}

struct str
flags_long_text(struct arena *arena, const struct flags *flags)
{
	return join(arena, flags, true);
}
