/* Places of a configuration in the JSON that is written for tools. */
#ifndef SALLYPORT_CMD_PLACE_H
#define SALLYPORT_CMD_PLACE_H

#include "base/jsonpage.h"
#include "config/node.h"

/* "file" and "line" as members; nothing without a source. */
void json_put_place(struct jsonpage *, struct place);

#endif
