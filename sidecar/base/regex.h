/*
 * Regular expressions as RE2 understands them, run by PCRE2 (no JIT) with a
 * match limit. What RE2 cannot do (lookaround, backreferences, possessive and
 * atomic groups, recursion, conditionals, callouts, \K) is refused when compiling, so
 * that a pattern valid here is valid in Envoy.
 */
#ifndef SALLYPORT_BASE_REGEX_H
#define SALLYPORT_BASE_REGEX_H

#include "base/arena.h"
#include "base/err.h"

struct regex;

/*
 * Compiles; the result lives as long as the arena. On failure *why is a
 * sentence for the user. A pattern holds at most 4096 bytes.
 */
enum err regex_compile(struct arena *, struct str pattern,
    const struct regex **out, const char **why) CHECKED;

/* Whether the whole of s matches. */
bool regex_matches(const struct regex *, struct str s);

enum { REGEX_GROUPS = 10 };

/*
 * The same, with what the groups matched: groups[0] is all of s; groups that
 * took no part are absent.
 */
bool regex_groups(
    const struct regex *, struct str s, struct str groups[REGEX_GROUPS]);

/*
 * A text that everything begins with which the pattern matches whole; empty
 * when none is seen. The pattern is one that regex_compile takes.
 */
struct str regex_begin(struct arena *, struct str pattern);

/* Whether a part of s matches. */
bool regex_finds(const struct regex *, struct str s);

/*
 * Replaces all matches as RE2::GlobalReplace does; \0 to \9 are groups, \\
 * is a backslash. Absent when the match limit or 64 KiB are passed.
 */
struct str regex_replace(struct arena *, const struct regex *, struct str s,
    struct str substitution);

/* Whether the substitution names only groups the pattern has. */
bool regex_substitution_is_valid(const struct regex *, struct str substitution);

#endif
