/* The suites of one test program, ended by NULL; made by the makefile. */
#ifndef SALLYPORT_TESTS_UNIT_SUITES_H
#define SALLYPORT_TESTS_UNIT_SUITES_H

#include <check.h>

extern Suite *(*const suites[])(void);

#endif
