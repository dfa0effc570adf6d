/*
 * Plain CGI (RFC 3875): one request per process, parameters in the
 * environment, the body on standard input, the answer on standard output.
 */
#ifndef SALLYPORT_FRONT_CGI_H
#define SALLYPORT_FRONT_CGI_H

#include "front/worker.h"

/* Serves the request and returns the exit status of the process. */
int cgi_run(const struct worker *);

#endif
