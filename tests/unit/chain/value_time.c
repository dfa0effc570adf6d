#include "config.h"

#include "base/clock.h"
#include "tests/unit/chain/rendered.h"

static const char hcm[] =
    "use_remote_address: true\n"
    "route_config:\n"
    "  virtual_hosts:\n"
    "  - {name: v, domains: ['*'], routes: [{match: {prefix: /}, route:\n"
    "     {cluster: backend}}]}\n";

/* Milliseconds after the start. */
#define AT(ms) (5 * NS_PER_S + (ms)*NS_PER_MS)

static struct exchange *
some_exchange(struct world *w)
{
	struct exchange *x;

	clock_set(AT(0), 1700000000123456789);
	x = world_request(w, "GET", "/", "");
	world_respond(x, "200", "");
	x->attempts = 1;
	x->upload_end_ns = AT(1);
	x->upstream = (struct exchange_upstream){ .connect_begin_ns = AT(2),
		.connect_end_ns = AT(4),
		.sent_begin_ns = AT(5),
		.sent_end_ns = AT(6),
		.body_begin_ns = AT(21),
		.received_end_ns = AT(30) };
	x->upstream_headers_ns = AT(20);
	x->answer_begin_ns = AT(22);
	x->end_ns = AT(50);
	return x;
}

static const struct rendering rows[] = {
	{ "%START_TIME%", "2023-11-14T22:13:20.123Z" },
	{ "%START_TIME(%Y/%m/%d %1f %6f)%", "2023/11/14 1 123456" },
	{ "%START_TIME(%s.%3f)%", "1700000000.123" },
	{ "%DURATION%", "50" },
	{ "%REQUEST_DURATION%", "1" },
	{ "%REQUEST_TX_DURATION%", "6" },
	{ "%RESPONSE_DURATION%", "20" },
	{ "%RESPONSE_TX_DURATION%", "30" },
	{ "%ROUNDTRIP_DURATION%", "-" },
	{ "%DOWNSTREAM_HANDSHAKE_DURATION%", "-" },
	{ "%UPSTREAM_CONNECTION_POOL_READY_DURATION%", "2" },
	{ "%COMMON_DURATION(DS_RX_BEG:DS_RX_END)%", "1" },
	{ "%COMMON_DURATION(DS_RX_BEG:US_TX_BEG:ms)%", "5" },
	{ "%COMMON_DURATION(US_TX_BEG:US_TX_END:us)%", "1000" },
	{ "%COMMON_DURATION(US_TX_END:US_RX_BEG:ns)%", "14000000" },
	{ "%COMMON_DURATION(US_RX_BEG:US_RX_END)%", "10" },
	{ "%COMMON_DURATION(DS_TX_BEG:DS_TX_END)%", "28" },
	{ "%COMMON_DURATION(US_CX_BEG:US_CX_END)%", "2" },
	{ "%COMMON_DURATION(US_CX_BEG:US_HS_END)%", "-" },
	{ "%COMMON_DURATION(some:other)%", "-" },
};

START_TEST(times_and_spans_are_told)
{
	struct world *w = world_new(hcm);
	struct exchange *x = some_exchange(w);

	check_rendering(w, x, &rows[_i]);
	exchange_end(x);
	world_free(w);
}
END_TEST

START_TEST(what_has_not_happened_has_no_span)
{
	struct world *w = world_new(hcm);
	struct exchange *x;

	clock_set(AT(0), 1700000000123456789);
	x = world_request(w, "GET", "/", "");
	check_rendering(w, x,
	    &(struct rendering){ "%RESPONSE_DURATION% %RESPONSE_TX_DURATION% "
				 "%REQUEST_TX_DURATION%",
		"- - -" });
	exchange_end(x);
	world_free(w);
}
END_TEST

static const struct rendering refused[] = {
	{ "%START_TIME(%n)%", "Invalid header configuration. Format string "
			      "contains newline." },
	{ "%COMMON_DURATION(a)%", "Invalid common duration configuration" },
	{ "%COMMON_DURATION(a:b:weeks)%",
	    "Invalid common duration precision: weeks." },
};

START_TEST(wrong_times_are_refused)
{
	struct world *w = world_new(hcm);

	check_refusal(w, &refused[_i]);
	world_free(w);
}
END_TEST

#define LOOP(test, rows)                                                       \
	tcase_add_loop_test(t, test, 0, sizeof(rows) / sizeof((rows)[0]))

Suite *suite_chain_value_time(void);

Suite *
suite_chain_value_time(void)
{
	Suite *s = suite_create("chain/value_time");
	TCase *t = tcase_create("operators");

	LOOP(times_and_spans_are_told, rows);
	tcase_add_test(t, what_has_not_happened_has_no_span);
	LOOP(wrong_times_are_refused, refused);
	suite_add_tcase(s, t);
	return s;
}
