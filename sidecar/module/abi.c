/* Which callbacks must be there. */
#include "config.h"

#include <stdio.h>

#include "module/abi.h"

typedef void (*callback)(void);

#define NEEDED(name)                                                           \
	{                                                                      \
#name, (callback)name                                          \
	}

static const struct {
	const char *name;
	callback at;
} needed[] = {
	NEEDED(abi_log),
	NEEDED(abi_log_enabled),
	NEEDED(abi_define_counter),
	NEEDED(abi_count),
	NEEDED(abi_get_header),
	NEEDED(abi_count_headers),
	NEEDED(abi_get_headers),
	NEEDED(abi_add_header),
	NEEDED(abi_set_header),
	NEEDED(abi_reply),
	NEEDED(abi_flag),
	NEEDED(abi_get_metadata),
	NEEDED(abi_get_metadata_number),
	NEEDED(abi_set_metadata),
	NEEDED(abi_get_text),
	NEEDED(abi_get_number),
	NEEDED(abi_route_conf),
	NEEDED(abi_clear_route),
	NEEDED(abi_body_size),
	NEEDED(abi_count_chunks),
	NEEDED(abi_get_chunks),
	NEEDED(abi_append_body),
	NEEDED(abi_drain_body),
	NEEDED(abi_received_is_buffered),
};

bool
abi_is_complete(void)
{
	bool is_complete = true;

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (needed[i].at)
			continue;
		/* There may be no log either. */
		(void)fprintf(stderr,
		    "libsallyport.so is made for Envoy 1.40; this one has no "
		    "callback for %s\n",
		    needed[i].name);
		is_complete = false;
	}
	return is_complete;
}
