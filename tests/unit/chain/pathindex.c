#include "config.h"

#include <check.h>

#include "chain/pathindex.h"

static uint64_t seed;

static unsigned
below(unsigned n)
{
	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

/* Few letters, so that texts begin alike. */
static struct str
random_text(struct arena *arena, unsigned max)
{
	unsigned len = below(max);
	char *text = arena_alloc(arena, len + 1);

	for (unsigned i = 0; i < len; i++)
		text[i] = "aAb/"[below(4)];
	return (struct str){ text, len };
}

static bool
fits(const struct path_key *key, struct str path)
{
	bool starts = key->nocase ? str_starts_nocase(path, key->text)
				  : str_starts(path, key->text);

	return starts && (!key->whole || path.len == key->text.len);
}

/* What a look at every entry finds is what the index yields, in order. */
START_TEST(the_index_yields_what_a_linear_search_finds)
{
	enum { ENTRIES = 200, PATHS = 50 };
	struct arena *arena = arena_new(4096);
	struct path_key keys[ENTRIES];
	const struct pathindex *index;
	struct pathindex_walk w;
	unsigned n;

	seed = (uint64_t)_i;
	n = 1 + below(ENTRIES);
	for (unsigned i = 0; i < n; i++) {
		keys[i].whole = below(3) == 0;
		keys[i].nocase = below(3) == 0;
		keys[i].text = random_text(arena, 7);
		if (keys[i].nocase)
			keys[i].text = arena_lower(arena, keys[i].text);
	}
	index = pathindex_build(arena, keys, n);
	for (int round = 0; round < PATHS; round++) {
		struct str path = random_text(arena, 12);

		pathindex_walk(&w, index, arena, path);
		for (unsigned i = 0; i < n; i++)
			if (fits(&keys[i], path))
				ck_assert_uint_eq(pathindex_next(&w), i);
		ck_assert_uint_eq(pathindex_next(&w), TABLE_NONE);
	}
	arena_free(arena);
}
END_TEST

START_TEST(a_path_may_begin_with_more_keys_than_there_is_room_for)
{
	enum { KEYS = 100 };
	struct arena *arena = arena_new(4096);
	struct path_key keys[KEYS];
	struct pathindex_walk w;
	char text[KEYS + 1];

	memset(text, 'a', sizeof(text));
	/* The longest is the first. */
	for (size_t i = 0; i < KEYS; i++)
		keys[i] = (struct path_key){ { text, KEYS - i }, false, false };
	pathindex_walk(&w, pathindex_build(arena, keys, KEYS), arena,
	    (struct str){ text, KEYS });
	for (uint32_t i = 0; i < KEYS; i++)
		ck_assert_uint_eq(pathindex_next(&w), i);
	ck_assert_uint_eq(pathindex_next(&w), TABLE_NONE);
	arena_free(arena);
}
END_TEST

Suite *suite_chain_pathindex(void);

Suite *
suite_chain_pathindex(void)
{
	Suite *s = suite_create("chain/pathindex");
	TCase *c = tcase_create("index");

	tcase_add_loop_test(
	    c, the_index_yields_what_a_linear_search_finds, 0, 40);
	tcase_add_test(
	    c, a_path_may_begin_with_more_keys_than_there_is_room_for);
	suite_add_tcase(s, c);
	return s;
}
