/* Reading a file whole, when a configuration is loaded. */
#ifndef SALLYPORT_CONFIG_READ_H
#define SALLYPORT_CONFIG_READ_H

#include "base/arena.h"
#include "base/err.h"

/*
 * The bytes of a file, NUL-terminated behind their length. ERR_FULL for more
 * than max bytes, ERR_SYSTEM with errno set when it cannot be read.
 */
enum err read_file(
    struct arena *, const char *path, size_t max, struct str *out) CHECKED;

#endif
