/* sallyport.yaml(5). */
#ifndef SALLYPORT_CMD_MANUAL5_H
#define SALLYPORT_CMD_MANUAL5_H

#include <stdio.h>

/* The page as mdoc(7). */
void manual5_print(FILE *);

#endif
