/* The sentences of the error codes. */
#include "config.h"

#include "base/err.h"

static const char *const texts[ERR_N] = {
	[ERR_OK] = "no error",
	[ERR_AGAIN] = "would have to wait",
	[ERR_CLOSED] = "closed by the peer",
	[ERR_FULL] = "over the limit",
	[ERR_BAD] = "malformed",
	[ERR_DENIED] = "denied",
	[ERR_SYSTEM] = "system error",
	[ERR_CONFIG] = "configuration refused",
};

const char *
err_text(enum err err)
{
	return err < ERR_N ? texts[err] : "unknown error";
}
