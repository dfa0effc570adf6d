#include "config.h"

#include "base/json.h"
#include "base/jsonpage.h"

static void
put(struct jsonpage *p, const char *text)
{
	if (!p->err)
		p->err = buf_append(p->out, str_of(text));
}

static void
put_text(struct jsonpage *p, struct str s)
{
	if (!p->err)
		p->err = json_append_string(p->out, s);
}

/* What stands before a value. */
static void
next(struct jsonpage *p, const char *name)
{
	if (p->begun)
		put(p, ", ");
	p->begun = true;
	if (!name)
		return;
	put_text(p, str_of(name));
	put(p, ": ");
}

static void
open(struct jsonpage *p, const char *name, const char *bracket)
{
	next(p, name);
	put(p, bracket);
	p->begun = false;
}

static void
close(struct jsonpage *p, const char *bracket)
{
	put(p, bracket);
	p->begun = true;
}

void
json_put_string(struct jsonpage *p, const char *name, struct str s)
{
	next(p, name);
	if (s.ptr)
		put_text(p, s);
	else
		put(p, "null");
}

void
json_put_number(struct jsonpage *p, const char *name, double n)
{
	next(p, name);
	if (!p->err)
		p->err = json_append_number(p->out, n);
}

void
json_put_bool(struct jsonpage *p, const char *name, bool is)
{
	next(p, name);
	put(p, is ? "true" : "false");
}

void
json_put_value(struct jsonpage *p, const char *name, const struct cJSON *value)
{
	next(p, name);
	if (!p->err)
		p->err = json_append_value(p->out, value);
}

void
json_open_map(struct jsonpage *p, const char *name)
{
	open(p, name, "{");
}

void
json_close_map(struct jsonpage *p)
{
	close(p, "}");
}

void
json_open_list(struct jsonpage *p, const char *name)
{
	open(p, name, "[");
}

void
json_close_list(struct jsonpage *p)
{
	close(p, "]");
}

void
json_end(struct jsonpage *p)
{
	put(p, "\n");
}
