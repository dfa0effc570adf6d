/* Instructions, between the two halves of counting them; see regex_size.h. */
#ifndef SALLYPORT_BASE_REGEX_FLATTEN_H
#define SALLYPORT_BASE_REGEX_FLATTEN_H

#include "base/arena.h"

enum opcode { FAIL, ALT, ALT_MATCH, BYTES, CAPTURE, POSITION, NOP, MATCH };

struct inst {
	enum opcode op;
	unsigned out, out1; /* while compiling: links of a list of holes */
	unsigned char from, to;
};

struct program {
	struct arena *arena;
	struct inst *insts;
	size_t n, cap;
	unsigned start, unanchored;
};

/* Takes out what does nothing, and counts the instructions of flat lists. */
size_t program_flat_size(struct program *);

#endif
