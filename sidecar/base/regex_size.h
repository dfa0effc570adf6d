/*
 * How large a program RE2 makes of a pattern. Envoy refuses a pattern whose
 * program is too large, so what is valid there depends on it. A pattern is bytes
 * here, as it is for Envoy (RE2's Latin-1 mode).
 *
 * The work is done in RE2's own steps, each in a file: regex_parse.c makes a tree,
 * regex_factor.c pulls out what alternatives have in common, regex_simplify.c writes
 * repetitions out, regex_program.c makes instructions of it, and
 * regex_flatten.c counts them.
 */
#ifndef SALLYPORT_BASE_REGEX_SIZE_H
#define SALLYPORT_BASE_REGEX_SIZE_H

#include "base/str.h"

enum { REGEX_SIZE_MAX = 100000 };

/*
 * Instructions of the pattern's program; REGEX_SIZE_MAX for more than that,
 * 0 when it cannot be told (\p, more than 4096 bytes, what RE2 does not take).
 */
size_t regex_size(struct str pattern);

#endif
