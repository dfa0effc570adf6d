#include "config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/terminal.h"

/* https://no-color.org: any value but an empty one. */
static bool
has_colours(FILE *file)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(none && *none) && term && strcmp(term, "dumb") != 0 &&
	       isatty(fileno(file));
}

const char *
terminal_on(FILE *file, enum colour colour)
{
	static const char *const codes[COLOUR_N] = { [COLOUR_GOOD] = "\033[32m",
		[COLOUR_DOUBT] = "\033[33m",
		[COLOUR_BAD] = "\033[31m",
		[COLOUR_STRONG] = "\033[1m" };

	return has_colours(file) ? codes[colour] : "";
}

const char *
terminal_off(FILE *file)
{
	return has_colours(file) ? "\033[0m" : "";
}
