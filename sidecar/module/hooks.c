/* Hooks that Envoy requires and that have nothing to do here. */
#include "config.h"

#include "module/abi.h"

const char *
on_program_init(void)
{
	return abi_is_complete() ? ABI_VERSION : NULL;
}

int
on_response_body(void *stream, const void *self, bool end)
{
	(void)stream;
	(void)self;
	(void)end;
	return ABI_BODY_CONTINUE;
}

int
on_response_trailers(void *stream, const void *self)
{
	(void)stream;
	(void)self;
	return ABI_TRAILERS_CONTINUE;
}

void
on_scheduled(void *stream, const void *self, uint64_t event)
{
	(void)stream;
	(void)self;
	(void)event;
}

void
on_callout_done(void *stream, const void *self, uint64_t id, int result,
    struct abi_header *headers, size_t n_headers, struct abi_bytes *body,
    size_t n_body)
{
	(void)stream;
	(void)self;
	(void)id;
	(void)result;
	(void)headers;
	(void)n_headers;
	(void)body;
	(void)n_body;
}

void
on_http_stream_headers(void *stream, const void *self, uint64_t id,
    struct abi_header *headers, size_t n_headers, bool end)
{
	(void)stream;
	(void)self;
	(void)id;
	(void)headers;
	(void)n_headers;
	(void)end;
}

void
on_http_stream_data(void *stream, const void *self, uint64_t id,
    const struct abi_bytes *data, size_t n_data, bool end)
{
	(void)stream;
	(void)self;
	(void)id;
	(void)data;
	(void)n_data;
	(void)end;
}

void
on_http_stream_trailers(void *stream, const void *self, uint64_t id,
    struct abi_header *trailers, size_t n_trailers)
{
	(void)stream;
	(void)self;
	(void)id;
	(void)trailers;
	(void)n_trailers;
}

void
on_http_stream_complete(void *stream, const void *self, uint64_t id)
{
	(void)stream;
	(void)self;
	(void)id;
}

void
on_http_stream_reset(void *stream, const void *self, uint64_t id, int reason)
{
	(void)stream;
	(void)self;
	(void)id;
	(void)reason;
}

void
on_above_high_watermark(void *stream, const void *self)
{
	(void)stream;
	(void)self;
}

void
on_below_low_watermark(void *stream, const void *self)
{
	(void)stream;
	(void)self;
}
