/*
 * The web servers that conf/ has a file for, by the names that commands know
 * them under. The texts are those files, put into the program when it is
 * built.
 */
#ifndef SALLYPORT_CMD_FRONTS_H
#define SALLYPORT_CMD_FRONTS_H

#include <stdbool.h>
#include <stdio.h>

/* Where things are that a snippet names. */
enum front_path {
	FRONT_SOCKET,
	FRONT_PROGRAM,
	FRONT_CONFIG,
	FRONT_STATE,
	FRONT_LOG,
	FRONT_PATHS,
};

/* Who starts the gateway. */
enum front_start { FRONT_BY_ITSELF, FRONT_SPAWNED, FRONT_PER_REQUEST };

struct web_front {
	const char *name; /* "lighttpd-spawned"; NULL ends the table */
	const char *source; /* below conf/ */
	const char *second; /* another file that goes with it, or NULL */
	const char *text; /* what it is, for the list */
	const char *server; /* the program: "lighttpd" */
	const char *user; /* Debian's user of the web server */
	enum front_start start;
	bool has_variables; /* lighttpd's: they are set above the file */
	unsigned uses; /* of enum front_path, as bits */
	/*
	 * How it is taken in and tried, a line each, ended by NULL; "%s" is
	 * the file written, "%S" the second one.
	 */
	const char *const *steps;
};

extern const struct web_front web_fronts[];

/* The front of that name, or NULL. */
const struct web_front *front_find(const char *name);

/* The list, and for an error what the nearest name is. */
void front_print_list(FILE *);

/*
 * Fills what is NULL with this installation's own places: the running
 * program, and what it takes if nothing else is said. The front may be NULL.
 */
void front_default_paths(
    const struct web_front *, const char *paths[FRONT_PATHS]);

/*
 * Why a path cannot stand in a snippet, or NULL: it is absolute and of
 * letters, digits and / . _ - + = @ , : ~ only, so that no web server reads
 * something else into it; a socket has at most 107 bytes.
 */
const char *front_path_problem(enum front_path, const char *path);

/* Writes the front's file, or its second one, with these paths in it. */
void front_print(
    const struct web_front *, const char *const paths[FRONT_PATHS], FILE *);
void front_print_second(
    const struct web_front *, const char *const paths[FRONT_PATHS], FILE *);

/* Made by the build: the files of conf/, line by line. */
struct front_text {
	const char *source; /* NULL ends them */
	const char *const *lines; /* ended by NULL */
};
extern const struct front_text front_texts[];

#endif
