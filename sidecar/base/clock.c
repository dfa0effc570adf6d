/* The only file that reads the system's clocks. */
#include "config.h"

#include <stdbool.h>
#include <time.h>

#include "base/clock.h"

static struct {
	int64_t boot_ns;
	int64_t wall_ns;
	bool frozen;
} now;

static int64_t
reading(clockid_t id)
{
	struct timespec ts = { 0, 0 };

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void
clock_update(void)
{
	if (now.frozen)
		return;
	now.boot_ns = reading(CLOCK_BOOTTIME);
	now.wall_ns = reading(CLOCK_REALTIME);
}

int64_t
clock_boot_now_ns(void)
{
	return now.frozen ? now.boot_ns : reading(CLOCK_BOOTTIME);
}

int64_t
clock_wall_now_ns(void)
{
	return now.frozen ? now.wall_ns : reading(CLOCK_REALTIME);
}

int64_t
clock_boot_ns(void)
{
	if (!now.boot_ns)
		clock_update();
	return now.boot_ns;
}

int64_t
clock_wall_ns(void)
{
	if (!now.wall_ns)
		clock_update();
	return now.wall_ns;
}

void
clock_set(int64_t boot_ns, int64_t wall_ns)
{
	now.boot_ns = boot_ns;
	now.wall_ns = wall_ns;
	now.frozen = true;
}
