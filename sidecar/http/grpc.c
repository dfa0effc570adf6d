/* The status codes of gRPC and their two spellings. */
#include "config.h"

#include "http/grpc.h"

static const struct {
	struct str camel, snake;
} names[GRPC_CODES] = {
	{ STR_INIT("OK"), STR_INIT("OK") },
	{ STR_INIT("Canceled"), STR_INIT("CANCELLED") },
	{ STR_INIT("Unknown"), STR_INIT("UNKNOWN") },
	{ STR_INIT("InvalidArgument"), STR_INIT("INVALID_ARGUMENT") },
	{ STR_INIT("DeadlineExceeded"), STR_INIT("DEADLINE_EXCEEDED") },
	{ STR_INIT("NotFound"), STR_INIT("NOT_FOUND") },
	{ STR_INIT("AlreadyExists"), STR_INIT("ALREADY_EXISTS") },
	{ STR_INIT("PermissionDenied"), STR_INIT("PERMISSION_DENIED") },
	{ STR_INIT("ResourceExhausted"), STR_INIT("RESOURCE_EXHAUSTED") },
	{ STR_INIT("FailedPrecondition"), STR_INIT("FAILED_PRECONDITION") },
	{ STR_INIT("Aborted"), STR_INIT("ABORTED") },
	{ STR_INIT("OutOfRange"), STR_INIT("OUT_OF_RANGE") },
	{ STR_INIT("Unimplemented"), STR_INIT("UNIMPLEMENTED") },
	{ STR_INIT("Internal"), STR_INIT("INTERNAL") },
	{ STR_INIT("Unavailable"), STR_INIT("UNAVAILABLE") },
	{ STR_INIT("DataLoss"), STR_INIT("DATA_LOSS") },
	{ STR_INIT("Unauthenticated"), STR_INIT("UNAUTHENTICATED") },
};

bool
grpc_is_request(const struct headers *h)
{
	struct str type = headers_get(h, STR("content-type"));
	struct str grpc = STR("application/grpc");

	return str_starts(type, grpc) &&
	       (type.len == grpc.len || type.ptr[grpc.len] == '+');
}

unsigned
grpc_status_of_http(unsigned status)
{
	static const struct {
		unsigned http, grpc;
	} codes[] = { { 400, 13 }, { 401, 16 }, { 403, 7 }, { 404, 12 },
		{ 429, 14 }, { 502, 14 }, { 503, 14 }, { 504, 14 } };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].http == status)
			return codes[i].grpc;
	return GRPC_UNKNOWN;
}

int64_t
grpc_status(const struct headers *response, unsigned http_status)
{
	struct str text = headers_get(response, STR("grpc-status"));
	uint64_t code;

	if (!text.len)
		return grpc_status_of_http(http_status);
	return str_to_u64(text, &code) && code <= INT64_MAX ? (int64_t)code
							    : GRPC_INVALID;
}

struct str
grpc_camel_name(int64_t status)
{
	return status >= 0 && status < GRPC_CODES ? names[status].camel
						  : STR_NONE;
}

struct str
grpc_snake_name(int64_t status)
{
	return status >= 0 && status < GRPC_CODES ? names[status].snake
						  : STR_NONE;
}
