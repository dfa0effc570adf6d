/*
 * Any bytes as a pattern: how large its program is, whether it compiles,
 * and whether what it must begin with is seen rightly.
 */
#include "config.h"

#include <stdlib.h>

#include "base/regex.h"
#include "base/regex_size.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

static void
check(bool holds)
{
	if (!holds)
		abort();
}

/* The pattern in the first line is asked about the text that follows. */
int
LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
	struct arena *arena = arena_new(4096);
	struct str all =
	    arena_str(arena, (struct str){ (const char *)bytes, len });
	size_t end = str_find_char(all, '\n', 0);
	struct str pattern = str_slice(all, 0, end);
	struct str text = str_slice(all, end + 1, all.len);
	const struct regex *regex;
	const char *why = NULL;
	struct str groups[REGEX_GROUPS];

	check(regex_size(pattern) <= REGEX_SIZE_MAX);
	if (regex_compile(arena, pattern, &regex, &why)) {
		check(why != NULL);
	} else if (regex_matches(regex, text)) {
		check(str_starts(text, regex_begin(arena, pattern)));
		check(regex_groups(regex, text, groups));
		check(str_eq(groups[0], text));
	}
	arena_free(arena);
	return 0;
}
