/* Colours, where a terminal shows them and nobody asked for none. */
#ifndef SALLYPORT_CMD_TERMINAL_H
#define SALLYPORT_CMD_TERMINAL_H

#include <stdio.h>

enum colour { COLOUR_GOOD, COLOUR_DOUBT, COLOUR_BAD, COLOUR_STRONG, COLOUR_N };

/*
 * What switches a colour on and off again. Both are empty unless the file is
 * a terminal, TERM is not "dumb" and NO_COLOR is not set.
 */
const char *terminal_on(FILE *, enum colour);
const char *terminal_off(FILE *);

#endif
