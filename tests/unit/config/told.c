/* A configuration text in a test. */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "config/yaml.h"
#include "tests/unit/config/told.h"

struct told
told_new_bytes(struct str text)
{
	struct arena *arena = arena_new(65536);
	struct told t = { .arena = arena, .diag = diag_new(arena) };

	t.top = yaml_parse(arena, text, "t", t.diag);
	return t;
}

struct told
told_new(const char *text)
{
	return told_new_bytes(str_of(text));
}

void
told_free(struct told *t)
{
	arena_free(t->arena);
}

const char *
told_text(struct told *t)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const char *copy;

	ck_assert_ptr_nonnull(out);
	diag_print(t->diag, out);
	ck_assert_int_eq(fclose(out), 0);
	copy = arena_cstr(t->arena, (struct str){ text, len });
	free(text);
	return copy;
}

void
told_must_say(struct told *t, const char *text)
{
	const char *all = told_text(t);

	ck_assert_msg(
	    strstr(all, text), "wanted: %s\n but told:\n%s", text, all);
}

static const char *
printed(struct told *t, const struct node *n,
    enum err (*print)(const struct node *, struct buf *))
{
	struct buf b;
	const char *copy;

	buf_init(&b, 16 << 20);
	ck_assert_int_eq(print(n, &b), ERR_OK);
	copy = arena_cstr(t->arena, buf_bytes(&b));
	buf_free(&b);
	return copy;
}

const char *
told_yaml(struct told *t, const struct node *n)
{
	return printed(t, n, node_print);
}

const char *
told_json(struct told *t, const struct node *n)
{
	return printed(t, n, node_print_json);
}
