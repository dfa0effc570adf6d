/*
 * Request targets under all rules: whatever comes out does not change when it
 * is normalised again, and holds no dot segment and no NUL. Dots before a ";"
 * are the exception: "%2e;" comes out as ".;", which would go the next time.
 */
#include "config.h"

#include <stdlib.h>

#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

static void
check_normal(struct str target, const struct target_rules *rules)
{
	struct str path = target_path(target);

	check(str_find_char(target, '\0', 0) == target.len);
	if (rules->normalize) {
		check(str_starts(path, STR("/")));
		check(str_find(path, STR("/../"), 0) == path.len);
		check(str_find(path, STR("/./"), 0) == path.len);
		check(!str_ends(path, STR("/..")));
		check(str_find_char(path, '\\', 0) == path.len);
	}
	if (rules->merge_slashes && !str_eq(path, STR("//")))
		check(str_find(path, STR("//"), 0) == path.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target_rules rules;
	struct str raw, out, again, query, origin = STR_NONE, authority;
	struct arena *arena;
	enum err err;

	if (size < 1)
		return 0;
	arena = arena_new(4096);
	rules = (struct target_rules){ data[0] & 1, data[0] & 2,
		(enum target_slashes)(data[0] >> 2 & 3) };
	raw =
	    arena_str(arena, (struct str){ (const char *)data + 1, size - 1 });
	if (!target_origin(raw, &origin, &authority))
		check(str_starts(origin, STR("/")));
	query = target_query(raw);
	err = target_normalize(arena, raw, &rules, &out);
	if (err != ERR_BAD) {
		check_normal(out, &rules);
		check(str_eq(target_query(out), query));
		check(!target_normalize(arena, out, &rules, &again));
		check(str_eq(out, again) ||
		      str_find(out, STR(".;"), 0) < out.len);
		check(target_has_segment_prefix(
		    target_path(out), target_path(out)));
	}
	arena_free(arena);
	return 0;
}
