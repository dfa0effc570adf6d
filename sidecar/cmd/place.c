#include "config.h"

#include "cmd/place.h"

void
json_put_place(struct jsonpage *p, struct place place)
{
	if (!place.source)
		return;
	json_put_string(p, "file", str_of(place.source->name));
	json_put_number(p, "line", place.line);
}
