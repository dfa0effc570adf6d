/* What the formats of a log make of an exchange. */
#ifndef SALLYPORT_TESTS_UNIT_CHAIN_RENDERED_H
#define SALLYPORT_TESTS_UNIT_CHAIN_RENDERED_H

#include <check.h>

#include "chain/format.h"
#include "tests/unit/chain/world.h"

struct rendering {
	const char *format, *text;
};

static inline void
check_format(struct world *w, const struct exchange *x, const struct format *f,
    const char *expected)
{
	struct buf b;

	if (!f)
		ck_abort_msg("refused: %s", diag_message(w->diag, 0));
	buf_init(&b, 1 << 16);
	ck_assert_int_eq(format_render(f, x, &b), ERR_OK);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), ERR_OK);
	ck_assert_str_eq(buf_bytes(&b).ptr, expected);
	buf_free(&b);
}

static inline void
check_rendering(
    struct world *w, const struct exchange *x, const struct rendering *r)
{
	check_format(w, x,
	    format_log_text(w->arena, str_of(r->format), NULL, w->diag),
	    r->text);
}

/* Refused with exactly this message. */
static inline void
check_refusal(struct world *w, const struct rendering *r)
{
	const char *told;

	ck_assert_ptr_null(
	    format_log_text(w->arena, str_of(r->format), NULL, w->diag));
	ck_assert_uint_eq(diag_errors(w->diag), 1);
	told = diag_message(w->diag, 0);
	ck_assert_msg(strstr(told, r->text) != NULL, "\"%s\" lacks \"%s\"",
	    told, r->text);
}

#endif
