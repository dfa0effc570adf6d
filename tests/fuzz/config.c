/*
 * Any bytes as a configuration: read, expanded if they look like the short
 * form, decoded, and printed. What is printed must read back as the same.
 */
#include "config.h"

#include <stdlib.h>

#include "config/bootstrap.h"
#include "config/short.h"
#include "config/yaml.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len);

static struct str
printed(struct arena *arena, const struct node *top,
    enum err (*print)(const struct node *, struct buf *))
{
	struct buf b;
	struct str text = STR_NONE;

	buf_init(&b, 1 << 20);
	if (!print(top, &b))
		text = arena_str(arena, buf_bytes(&b));
	buf_free(&b);
	return text;
}

static void
check_reading_back(struct arena *arena, const struct node *top)
{
	struct diag *diag = diag_new(arena);
	struct str yaml = printed(arena, top, node_print);
	const struct node *again;

	if (!yaml.ptr)
		return;
	again = yaml_parse(arena, yaml, "again", diag);
	if (!again || diag_errors(diag))
		abort();
	if (!str_eq(printed(arena, again, node_print), yaml))
		abort();
	if (!str_eq(printed(arena, again, node_print_json),
		printed(arena, top, node_print_json)))
		abort();
}

int
LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t len)
{
	struct arena *arena = arena_new(65536);
	struct diag *diag = diag_new(arena);
	struct str text = { (const char *)bytes, len };
	const struct node *top = yaml_parse(arena, text, "fuzz", diag);
	FILE *nowhere = fopen("/dev/null", "w");

	if (top) {
		check_reading_back(arena, top);
		if (short_is(top))
			top = short_expand(arena, top, diag);
	}
	if (top)
		(void)bootstrap_decode(arena, top, diag);
	if (nowhere) {
		diag_print(diag, nowhere);
		(void)fclose(nowhere);
	}
	arena_free(arena);
	return 0;
}
