#include "config.h"

#include <check.h>

#include "chain/flag.h"

static void
check_texts(
    const struct flags *flags, const char *short_text, const char *long_text)
{
	struct arena *arena = arena_new(1024);

	ck_assert_str_eq(
	    arena_cstr(arena, flags_text(arena, flags)), short_text);
	ck_assert_str_eq(
	    arena_cstr(arena, flags_long_text(arena, flags)), long_text);
	arena_free(arena);
}

START_TEST(none_is_a_dash)
{
	struct flags flags = { 0 };

	check_texts(&flags, "-", "-");
	flags_set(&flags, 0);
	check_texts(&flags, "-", "-");
}
END_TEST

START_TEST(flags_are_told_in_the_order_they_were_set)
{
	struct flags flags = { 0 };

	flags_set(&flags, FLAG_URX);
	flags_set(&flags, FLAG_UF);
	flags_set(&flags, FLAG_URX);
	check_texts(&flags, "URX,UF",
	    "UpstreamRetryLimitExceeded,UpstreamConnectionFailure");
	ck_assert_uint_eq(flags.bits, FLAG_URX | FLAG_UF);
}
END_TEST

START_TEST(all_can_be_set)
{
	struct flags flags = { 0 };

	for (unsigned i = 0; i < FLAG_COUNT; i++)
		flags_set(&flags, 1U << i);
	check_texts(&flags,
	    "LH,UH,UT,LR,UR,UF,UC,UO,NR,DI,FI,RL,UAEX,RLSE,DC,URX,SI,IH,DPE,"
	    "UMSDR,RFCF,NFCF,DT,UPE,NC,OM,DF,DO,DR,UDO",
	    "FailedLocalHealthCheck,NoHealthyUpstream,UpstreamRequestTimeout,"
	    "LocalReset,UpstreamRemoteReset,UpstreamConnectionFailure,"
	    "UpstreamConnectionTermination,UpstreamOverflow,NoRouteFound,"
	    "DelayInjected,FaultInjected,RateLimited,"
	    "UnauthorizedExternalService,RateLimitServiceError,"
	    "DownstreamConnectionTermination,UpstreamRetryLimitExceeded,"
	    "StreamIdleTimeout,InvalidEnvoyRequestHeaders,"
	    "DownstreamProtocolError,UpstreamMaxStreamDurationReached,"
	    "ResponseFromCacheFilter,NoFilterConfigFound,DurationTimeout,"
	    "UpstreamProtocolError,NoClusterFound,OverloadManagerTerminated,"
	    "DnsResolutionFailed,DropOverload,DownstreamRemoteReset,"
	    "UnconditionalDropOverload");
}
END_TEST

START_TEST(short_names_are_found)
{
	ck_assert_uint_eq(flag_find(STR("LH")), FLAG_LH);
	ck_assert_uint_eq(flag_find(STR("UDO")), FLAG_UDO);
	ck_assert_uint_eq(flag_find(STR("lh")), 0);
	ck_assert_uint_eq(flag_find(STR("L")), 0);
	ck_assert_uint_eq(flag_find(STR("")), 0);
	ck_assert_uint_eq(flag_find(STR("FailedLocalHealthCheck")), 0);
}
END_TEST

Suite *suite_chain_flag(void);

Suite *
suite_chain_flag(void)
{
	Suite *s = suite_create("chain/flag");
	TCase *t = tcase_create("flags");

	tcase_add_test(t, none_is_a_dash);
	tcase_add_test(t, flags_are_told_in_the_order_they_were_set);
	tcase_add_test(t, all_can_be_set);
	tcase_add_test(t, short_names_are_found);
	suite_add_tcase(s, t);
	return s;
}
