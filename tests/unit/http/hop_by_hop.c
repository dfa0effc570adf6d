#include "config.h"

#include <check.h>

#include "http/hop_by_hop.h"

static struct arena *arena;
static struct headers headers;

static void
set_up(void)
{
	arena = arena_new(4096);
	headers_init(&headers, arena);
}

static void
tear_down(void)
{
	arena_free(arena);
}

/* Fields as "name: value" lines. */
static void
fill(const char *lines)
{
	struct str rest = str_of(lines);

	while (rest.len) {
		struct str line = str_split(&rest, '\n');
		size_t colon = str_find_char(line, ':', 1);
		headers_add(&headers, str_slice(line, 0, colon),
		    str_trim(str_slice(line, colon + 1, line.len)));
	}
}

static bool
has(const char *name)
{
	return headers_get(&headers, str_of(name)).ptr != NULL;
}

static const struct {
	const char *fields;
	bool is_upgrade;
} upgrades[] = {
	{ "connection: Upgrade\nupgrade: websocket", true },
	{ "connection: keep-alive, UPGRADE\nupgrade: x", true },
	{ "connection: a\nconnection: upgrade\nupgrade: x", true },
	{ "connection: upgrade", false },
	{ "upgrade: websocket", false },
	{ "connection: close\nupgrade: websocket", false },
	{ "connection: upgraded\nupgrade: x", false },
	{ "connection: upgrade\nupgrade:", false },
	{ "connection: upgrade\nupgrade: H2C", false },
	{ "", false },
};

START_TEST(an_upgrade_is_asked_for_by_two_fields)
{
	fill(upgrades[_i].fields);
	ck_assert_int_eq(
	    hop_by_hop_is_upgrade(&headers), upgrades[_i].is_upgrade);
}
END_TEST

START_TEST(what_connection_names_is_taken_away)
{
	fill("connection: close, X-One,x-two , ,te\nx-one: 1\nx-two: 2\n"
	     "x-two: 3\nx-three: 4\nte: gzip, Trailers");
	ck_assert(hop_by_hop_remove_named(&headers));
	ck_assert(!has("x-one"));
	ck_assert(!has("x-two"));
	ck_assert(has("x-three"));
	ck_assert(has("connection"));
	ck_assert(str_eq(headers_get(&headers, STR("te")), STR("trailers")));
}
END_TEST

START_TEST(naming_host_takes_the_authority)
{
	fill(":authority: a\nconnection: host");
	ck_assert(hop_by_hop_remove_named(&headers));
	ck_assert(!has(":authority"));
}
END_TEST

static const char *const refused[] = { "connection: x-forwarded-for",
	"connection: close, X-Forwarded-Proto", "connection: x-forwarded-host",
	"connection: :path", "connection: a,b,c,d,e,f,g,h,i,j" };

START_TEST(a_name_that_hides_the_client_is_refused)
{
	fill(refused[_i]);
	ck_assert(!hop_by_hop_remove_named(&headers));
}
END_TEST

START_TEST(a_te_beyond_measure_is_refused)
{
	char value[257];

	memset(value, 'a', 256);
	value[256] = '\0';
	headers_add(&headers, STR("connection"), STR("te"));
	headers_add(&headers, STR("te"), str_of(value));
	ck_assert(!hop_by_hop_remove_named(&headers));
	value[255] = '\0';
	headers_set(&headers, STR("te"), str_of(value));
	ck_assert(hop_by_hop_remove_named(&headers));
	ck_assert(!has("te"));
}
END_TEST

static const struct {
	const char *fields;
	const char *left; /* NULL: nothing */
} te[] = {
	{ "te: trailers", "trailers" },
	{ "te: deflate, trailers ", "trailers" },
	{ "te: deflate\nte: trailers", "trailers" },
	{ "te: Trailers", NULL },
	{ "te: trailers;q=1", NULL },
	{ "te: gzip", NULL },
	{ "te:", NULL },
	{ "", NULL },
};

START_TEST(of_te_only_trailers_is_left)
{
	fill(te[_i].fields);
	hop_by_hop_remove_known(&headers);
	ck_assert(
	    str_eq(headers_joined(&headers, STR("te")), str_of(te[_i].left)));
	ck_assert_int_eq(has("te"), te[_i].left != NULL);
}
END_TEST

START_TEST(the_known_ones_go_and_all_others_stay)
{
	fill("connection: x\nupgrade: x\nkeep-alive: x\n"
	     "proxy-connection: x\ntransfer-encoding: x\ntrailer: x\n"
	     "proxy-authorization: x");
	hop_by_hop_remove_known(&headers);
	ck_assert_uint_eq(headers.n, 2);
	ck_assert(has("trailer"));
	ck_assert(has("proxy-authorization"));
}
END_TEST

Suite *suite_http_hop_by_hop(void);

Suite *
suite_http_hop_by_hop(void)
{
	Suite *s = suite_create("http/hop_by_hop");
	TCase *t = tcase_create("fields");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, an_upgrade_is_asked_for_by_two_fields, 0,
	    sizeof(upgrades) / sizeof(upgrades[0]));
	tcase_add_test(t, what_connection_names_is_taken_away);
	tcase_add_test(t, naming_host_takes_the_authority);
	tcase_add_loop_test(t, a_name_that_hides_the_client_is_refused, 0,
	    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, a_te_beyond_measure_is_refused);
	tcase_add_loop_test(
	    t, of_te_only_trailers_is_left, 0, sizeof(te) / sizeof(te[0]));
	tcase_add_test(t, the_known_ones_go_and_all_others_stay);
	suite_add_tcase(s, t);
	return s;
}
