/*
 * The state file as Envoy's process has it: opened with the first
 * configuration that needs it, closed with the last. Envoy makes and drops
 * configurations on its main thread, so nothing here is locked.
 */
#ifndef SALLYPORT_MODULE_SHARED_H
#define SALLYPORT_MODULE_SHARED_H

#include "state/file.h"

/*
 * The file of SALLYPORT_STATE, or of the default place; where that one cannot
 * be had, memory of this process. NULL, with the reason logged, when
 * a file that was asked for cannot be used. Each result is given back.
 */
struct state *shared_take(void);
void shared_give_back(void);

#endif
