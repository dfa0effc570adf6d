/*
 * Records of a hostile web server: walked at once and in pieces they must
 * give the same; parameters that pass the walk must be what libfcgi finds.
 * The first byte of the input chooses the pieces.
 */
#include "config.h"

#include <stdlib.h>

#include "front/envp.h"

enum { TRACE_MAX = 1024 * 1024, BODY_STEP = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                        \
	do                                                                     \
		if (!(condition))                                              \
			abort();                                               \
	while (0)

static struct envp *envp;

/* The parameters as the walk sees them against those of libfcgi. */
static void
compare_params(const struct fastcgi *f)
{
	struct arena *arena = arena_new(4096);
	struct str rest = buf_bytes(&f->params), name, value;
	struct cgi_request request;
	struct cgi_refusal why;
	struct cgi_param *params;
	size_t n, i = 1;

	MUST(!envp_read(envp, arena, rest, &params, &n));
	for (; fastcgi_pair(&rest, &name, &value); i++) {
		MUST(i < n);
		MUST(str_eq(params[i].name, name));
		MUST(str_eq(params[i].value, value));
	}
	MUST(i == n);
	if (!cgi_request_read(arena, params, n, &request, &why))
		MUST(request.headers.n >= 3);
	arena_free(arena);
}

/* Appends an event to the trace; the body is part of it. */
static void
note(struct buf *trace, const struct fastcgi *f, enum fastcgi_event event,
    struct buf *body)
{
	struct str params =
	    event == FASTCGI_REQUEST ? buf_bytes(&f->params) : STR_NONE;

	MUST(!buf_append(trace, buf_bytes(body)));
	buf_clear(body);
	if (event != FASTCGI_MORE && event != FASTCGI_BODY_FULL)
		MUST(!buf_printf(trace, "<%d %u %d%d>", (int)event, f->id,
		    f->oversized, f->unsound));
	MUST(!buf_append(trace, params));
}

static void
walk(struct str input, size_t step, struct buf *trace)
{
	struct fastcgi f;
	struct str piece;
	struct buf body;
	enum fastcgi_event event = FASTCGI_MORE;

	fastcgi_init(&f);
	buf_init(&body, BODY_STEP);
	while (input.len && event != FASTCGI_BROKEN) {
		piece = str_slice(input, 0, step);
		input = str_slice(input, piece.len, input.len);
		do {
			event = fastcgi_feed(&f, &piece, &body, BODY_STEP);
			note(trace, &f, event, &body);
			if (event == FASTCGI_REQUEST && step == SIZE_MAX &&
			    !f.oversized && !f.unsound)
				compare_params(&f);
			if (event == FASTCGI_NEXT)
				fastcgi_next(&f);
		} while (event != FASTCGI_MORE && event != FASTCGI_BROKEN);
	}
	MUST(!buf_append(trace, buf_bytes(&f.reply)));
	buf_free(&body);
	fastcgi_free(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole, pieces;
	struct str input;

	if (size < 2 || size > TRACE_MAX / 4)
		return 0;
	if (!envp)
		envp = envp_new();
	MUST(envp);
	input = (struct str){ (const char *)data + 1, size - 1 };
	buf_init(&whole, TRACE_MAX);
	buf_init(&pieces, TRACE_MAX);
	walk(input, SIZE_MAX, &whole);
	walk(input, 1 + data[0], &pieces);
	MUST(str_eq(buf_bytes(&whole), buf_bytes(&pieces)));
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
