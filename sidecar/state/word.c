/* Named words. */
#include "config.h"

#include "state/layout.h"
#include "state/word.h"

int
word_find(struct state *s, struct str name)
{
	return tag_find(
	    s->image->word_tags, WORDS, s->image->header.seed, name);
}

uint64_t
word_get(struct state *s, int id)
{
	return id >= 0 && id < WORDS ? atomic_load(&s->image->words[id]) : 0;
}

void
word_set(struct state *s, int id, uint64_t value)
{
	if (id >= 0 && id < WORDS)
		atomic_store(&s->image->words[id], value);
}
