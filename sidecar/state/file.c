/*
 * Opening the state file: making it, judging what is there, mapping it. A
 * lock on the file (flock) orders processes that open it at the same time;
 * it is held during state_open only. What the tables mean is the business
 * of the other files of this folder.
 */
#include "config.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/log.h"
#include "state/layout.h"

enum { LAYOUT_VERSION = 1, OPEN_TRIES = 32, PATH_BYTES = 4096 };

/* "sallyprt", as the machine reads it. */
static const uint64_t MAGIC = 0x747270796c6c6173;

/* What another boot forgets begins here and goes to the end. */
static const size_t FORGOTTEN = offsetof(struct image, processes);

static uint64_t
layout_hash(void)
{
	const uint64_t parts[] = { LAYOUT_VERSION, sizeof(struct image),
		sizeof(struct cell), sizeof(struct tag), sizeof(struct process),
		LIMIT_SETS, LIMIT_WAYS, LIMIT_SLOTS, BREAKERS, COUNTERS, GAUGES,
		PROCESSES, offsetof(struct image_header, boot_id),
		offsetof(struct image, counter_tags),
		offsetof(struct image, counters),
		offsetof(struct image, processes),
		offsetof(struct image, gauge_tags),
		offsetof(struct image, word_tags),
		offsetof(struct image, masters),
		offsetof(struct image, quota_tags), QUOTAS,
		sizeof(struct quota), offsetof(struct image, breaker_tags),
		offsetof(struct image, breakers),
		offsetof(struct image, breakers_opened),
		offsetof(struct image, doors), offsetof(struct image, cells) };

	return XXH64(parts, sizeof(parts), 0);
}

/* Stays empty, the same for all boots, where /proc is missing. */
static void
read_boot_id(char out[BOOT_ID_BYTES])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	memset(out, 0, BOOT_ID_BYTES);
	if (fd < 0)
		return;
	n = read(fd, out, BOOT_ID_BYTES - 1);
	(void)close(fd);
	if (n <= 0)
		memset(out, 0, BOOT_ID_BYTES);
}

static enum err
system_error(const char *path, const char *what)
{
	int saved = errno;

	log_error("state file %s: %s: %s", path, what, strerror(saved));
	errno = saved;
	return ERR_SYSTEM;
}

static void
fill_header(struct image_header *header)
{
	header->magic = MAGIC;
	header->layout = layout_hash();
	if (getrandom(&header->seed, sizeof(header->seed), 0) !=
	    (ssize_t)sizeof(header->seed))
		abort();
	read_boot_id(header->boot_id);
}

/* All blocks of the file, then the header. */
static int
fill(int fd)
{
	struct image_header header;

	errno = posix_fallocate(fd, 0, (off_t)sizeof(struct image));
	if (errno)
		return -1;
	fill_header(&header);
	return pwrite(fd, &header, sizeof(header), 0) == (ssize_t)sizeof(header)
		   ? 0
		   : -1;
}

/* Makes the file under another name and links it; losing that race is fine. */
static enum err
create(const char *path)
{
	char name[PATH_BYTES];
	int fd, failed, saved;

	if (snprintf(name, sizeof(name), "%s.XXXXXX", path) >=
	    (int)sizeof(name)) {
		errno = ENAMETOOLONG;
		return system_error(path, "cannot make it");
	}
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return system_error(path, "cannot make it");
	failed = fill(fd) || (link(name, path) && errno != EEXIST);
	saved = errno;
	(void)unlink(name);
	(void)close(fd);
	errno = saved;
	return failed ? system_error(path, "cannot make it") : ERR_OK;
}

enum finding {
	FILE_GOOD,
	FILE_GONE, /* the path leads to another file by now */
	FILE_OLD,
	FILE_BAD,
	FILE_UNUSABLE, /* errno tells */
};

static bool
is_still_there(const char *path, const struct stat *opened)
{
	struct stat named;

	return lstat(path, &named) == 0 && named.st_ino == opened->st_ino &&
	       named.st_dev == opened->st_dev;
}

/* Locks an opened file and looks what it is. */
static enum finding
judge(int fd, const char *path)
{
	uint64_t words[2] = { 0, 0 };
	struct stat st;

	if (fstat(fd, &st))
		return FILE_UNUSABLE;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return FILE_UNUSABLE;
	}
	if (flock(fd, LOCK_EX))
		return errno == EINTR ? FILE_GONE : FILE_UNUSABLE;
	if (!is_still_there(path, &st))
		return FILE_GONE;
	if (pread(fd, words, sizeof(words), 0) != (ssize_t)sizeof(words) ||
	    words[0] != MAGIC)
		return FILE_BAD;
	if (words[1] != layout_hash())
		return FILE_OLD;
	if (fstat(fd, &st) || st.st_size != (off_t)sizeof(struct image))
		return FILE_BAD;
	return FILE_GOOD;
}

/* The lock is held, so nobody else moves it at the same time. */
static enum err
set_aside(const char *path, const char *suffix, const char *why)
{
	char name[PATH_BYTES];

	if (snprintf(name, sizeof(name), "%s%s", path, suffix) >=
	    (int)sizeof(name)) {
		errno = ENAMETOOLONG;
		return system_error(path, why);
	}
	if (rename(path, name))
		return system_error(path, why);
	log_warn("state file %s: %s: moved aside to %s", path, why, name);
	return ERR_OK;
}

/* Under the lock; the id comes last, so that a reset cut short is redone. */
static void
forget_other_boot(struct image *image)
{
	char id[BOOT_ID_BYTES];

	read_boot_id(id);
	if (!memcmp(image->header.boot_id, id, sizeof(id)))
		return;
	memset((char *)image + FORGOTTEN, 0, sizeof(*image) - FORGOTTEN);
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(image->header.boot_id, id, sizeof(id));
}

static struct image *
map(int fd, int flags)
{
	void *at = mmap(NULL, sizeof(struct image), PROT_READ | PROT_WRITE,
	    MAP_SHARED | flags, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* A copy of the file may have holes; a filesystem that cannot tell is let be. */
static bool
has_its_blocks(int fd)
{
	return fallocate(fd, 0, 0, (off_t)sizeof(struct image)) == 0 ||
	       errno == EOPNOTSUPP || errno == ENOSYS;
}

static enum err
take(int fd, const char *path, struct state **out)
{
	struct state *s;
	struct image *image;

	if (!has_its_blocks(fd))
		return system_error(path, "cannot reserve its blocks");
	image = map(fd, 0);
	if (!image)
		return system_error(path, "cannot map it");
	forget_other_boot(image);
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	s->image = image;
	*out = s;
	return ERR_OK;
}

/* One look at what the path leads to; ERR_AGAIN: look again. */
static enum err
try_open(const char *path, struct state **out)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	enum err err = ERR_AGAIN;

	if (fd < 0 && errno == ENOENT) {
		err = create(path);
		return err ? err : ERR_AGAIN;
	}
	if (fd < 0 && errno == ELOOP)
		return system_error(path, "symbolic links are not followed");
	if (fd < 0)
		return system_error(path, "cannot open it");
	switch (judge(fd, path)) {
	case FILE_GOOD:
		err = take(fd, path, out);
		break;
	case FILE_GONE:
		break;
	case FILE_OLD:
		err = set_aside(path, ".old", "of another version");
		err = err ? err : ERR_AGAIN;
		break;
	case FILE_BAD:
		err = set_aside(path, ".bad", "damaged or no state file");
		err = err ? err : ERR_AGAIN;
		break;
	case FILE_UNUSABLE:
		err = system_error(path, "cannot use it");
		break;
	}
	/* Closing does not unlock: the mapping keeps the open file. */
	(void)flock(fd, LOCK_UN);
	(void)close(fd);
	return err;
}

enum err
state_open(const char *path, struct state **out)
{
	enum err err = ERR_AGAIN;

	*out = NULL;
	for (int i = 0; i < OPEN_TRIES && err == ERR_AGAIN; i++)
		err = try_open(path, out);
	if (err != ERR_AGAIN)
		return err;
	errno = EBUSY;
	return system_error(path, "somebody keeps replacing it");
}

struct state *
state_private(void)
{
	struct state *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->image = map(-1, MAP_ANONYMOUS);
	if (!s->image)
		abort();
	fill_header(&s->image->header);
	return s;
}

void
state_close(struct state *s)
{
	if (!s)
		return;
	(void)munmap(s->image, sizeof(*s->image));
	free(s);
}
