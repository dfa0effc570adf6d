#include "config.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "state/breaker.h"
#include "state/counter.h"
#include "state/layout.h"
#include "state/limit.h"
#include "tests/unit/state/crowd.h"

static const int64_t T0 = 1000 * NS_PER_S;

static char folder[64], path[128];

static void
make_folder(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/check_state.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/sallyport.state", folder);
	log_set_level(LOG_LEVEL_ERROR);
}

/* Calls fn for each name in the folder; returns how many there are. */
static int
each_name(void (*fn)(const char *))
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		char name[512];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(
		    name, sizeof(name), "%s/%s", folder, entry->d_name);
		if (fn)
			fn(name);
		n++;
	}
	(void)closedir(dir);
	return n;
}

static void
remove_name(const char *name)
{
	ck_assert_int_eq(remove(name), 0);
}

static void
remove_folder(void)
{
	(void)each_name(remove_name);
	ck_assert_int_eq(rmdir(folder), 0);
}

static struct state *
open_well(void)
{
	struct state *s;

	ck_assert_int_eq(state_open(path, &s), ERR_OK);
	ck_assert_ptr_nonnull(s);
	return s;
}

static bool
exists(const char *suffix)
{
	char name[256];

	(void)snprintf(name, sizeof(name), "%s%s", path, suffix);
	return access(name, F_OK) == 0;
}

static struct stat
stat_of(void)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	return st;
}

static void
overwrite(off_t at, const void *bytes, size_t len)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pwrite(fd, bytes, len, at), (ssize_t)len);
	(void)close(fd);
}

/* Leaves a trace in each table. */
static void
use(struct state *s)
{
	static const struct breaker_rules rules = { 1, NS_PER_S, NS_PER_S };
	uint64_t key = limit_key(s, STR("route"), STR("client"));

	ck_assert(limit_window(s, key, 1, 60 * NS_PER_S, T0).allowed);
	ck_assert(limit_bucket(s, key, 1, 1, 60 * NS_PER_S, T0).allowed);
	ck_assert(breaker_failure(
	    s, breaker_find(s, STR("users")), false, &rules, T0));
	counter_add(s, counter_find(s, STR("total")), 7);
}

static void
count_breaker(void *arg, struct str name, int id)
{
	int *n = arg;

	(void)name;
	(void)id;
	++*n;
}

/* Whether limits and breakers are as use() has left them, or as new. */
static bool
remembers(struct state *s)
{
	uint64_t key = limit_key(s, STR("route"), STR("client"));
	bool window = limit_window(s, key, 1, 60 * NS_PER_S, T0).allowed;
	bool bucket = limit_bucket(s, key, 1, 1, 60 * NS_PER_S, T0).allowed;
	int breakers = 0;

	breaker_each(s, count_breaker, &breakers);
	ck_assert_int_eq(window, bucket);
	ck_assert_int_eq(window, breakers == 0);
	return !window;
}

static uint64_t
total(struct state *s)
{
	return counter_get(s, counter_find(s, STR("total")));
}

START_TEST(what_is_decided_outlives_the_process)
{
	struct state *s = open_well();

	use(s);
	state_close(s);
	s = open_well();
	ck_assert(remembers(s));
	ck_assert_uint_eq(total(s), 7);
	state_close(s);
}
END_TEST

START_TEST(a_new_file_is_private_whole_and_alone)
{
	struct stat st;

	state_close(open_well());
	st = stat_of();
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(st.st_size, (off_t)sizeof(struct image));
	ck_assert_int_ge(st.st_blocks * 512, st.st_size);
	ck_assert_int_eq(each_name(NULL), 1);
}
END_TEST

START_TEST(a_file_that_exists_keeps_its_mode)
{
	state_close(open_well());
	ck_assert_int_eq(chmod(path, 0660), 0);
	state_close(open_well());
	ck_assert_uint_eq(stat_of().st_mode & 0777, 0660);
}
END_TEST

START_TEST(two_mappings_are_one_state)
{
	struct state *a = open_well(), *b = open_well();

	use(a);
	ck_assert(remembers(b));
	ck_assert_uint_eq(total(b), 7);
	state_close(a);
	state_close(b);
}
END_TEST

static void
open_and_count(void *arg, int i)
{
	struct state *s;

	(void)arg;
	(void)i;
	if (state_open(path, &s))
		_exit(1);
	counter_add(s, counter_find(s, STR("total")), 1);
	state_close(s);
}

static void
leave_nothing(void)
{
}

static void
leave_other_boot(void)
{
	struct state *s = open_well();

	use(s);
	state_close(s);
	overwrite(offsetof(struct image_header, boot_id), "another", 7);
}

static void
leave_damage(void)
{
	overwrite(0, "not a state file", 16);
}

START_TEST(processes_that_open_at_once_share_one_file)
{
	static void (*const leave[])(
	    void) = { leave_nothing, leave_other_boot, leave_damage };
	struct state *s;

	for (int round = 0; round < 20; round++) {
		leave[_i]();
		crowd_run(16, open_and_count, NULL);
		s = open_well();
		ck_assert_uint_eq(total(s), _i == 1 ? 7 + 16 : 16);
		ck_assert_int_eq(remembers(s), false);
		state_close(s);
		(void)each_name(remove_name);
	}
}
END_TEST

START_TEST(another_boot_forgets_times_and_keeps_counters)
{
	struct state *s;

	leave_other_boot();
	s = open_well();
	ck_assert(!remembers(s));
	ck_assert_uint_eq(total(s), 7);
	state_close(s);
	ck_assert_int_eq(each_name(NULL), 1);
}
END_TEST

START_TEST(what_is_decided_after_another_boot_is_kept)
{
	struct state *s;

	leave_other_boot();
	s = open_well();
	use(s);
	state_close(s);
	s = open_well();
	ck_assert(remembers(s));
	ck_assert_uint_eq(total(s), 14);
	state_close(s);
}
END_TEST

START_TEST(a_file_of_another_version_is_set_aside)
{
	struct state *s = open_well();
	uint64_t layout = 1;

	use(s);
	state_close(s);
	overwrite(
	    offsetof(struct image_header, layout), &layout, sizeof(layout));
	s = open_well();
	ck_assert(!remembers(s));
	state_close(s);
	ck_assert(exists(".old"));
	ck_assert_int_eq(each_name(NULL), 2);
}
END_TEST

START_TEST(what_is_no_state_file_is_moved_aside)
{
	static const struct {
		const char *text;
		off_t size;
	} cases[] = {
		{ "", 0 },
		{ "x", 1 },
		{ "root:x:0:0:root:/root:/bin/bash\n", 32 },
		{ "sallyprt", 8 },
		{ "", (off_t)sizeof(struct image) },
	};
	const char *text = cases[_i].text;

	overwrite(0, text, strlen(text));
	ck_assert_int_eq(truncate(path, cases[_i].size), 0);
	state_close(open_well());
	ck_assert(exists(".bad"));
	ck_assert_int_eq(each_name(NULL), 2);
	state_close(open_well());
	ck_assert_int_eq(each_name(NULL), 2);
}
END_TEST

START_TEST(a_truncated_file_is_moved_aside)
{
	static const off_t sizes[] = { 7, 16, 4096,
		(off_t)sizeof(struct image) - 1,
		(off_t)sizeof(struct image) + 1 };

	state_close(open_well());
	ck_assert_int_eq(truncate(path, sizes[_i]), 0);
	state_close(open_well());
	ck_assert(exists(".bad"));
	ck_assert_int_eq(stat_of().st_size, (off_t)sizeof(struct image));
}
END_TEST

START_TEST(holes_of_a_copied_file_are_filled)
{
	state_close(open_well());
	ck_assert_int_eq(truncate(path, 4096), 0);
	ck_assert_int_eq(truncate(path, (off_t)sizeof(struct image)), 0);
	ck_assert_int_lt(stat_of().st_blocks * 512, stat_of().st_size);
	state_close(open_well());
	ck_assert_int_ge(stat_of().st_blocks * 512, stat_of().st_size);
}
END_TEST

static void
put_link(void)
{
	char target[256];

	(void)snprintf(target, sizeof(target), "%s/precious", folder);
	(void)close(open(target, O_WRONLY | O_CREAT, 0600));
	ck_assert_int_eq(symlink(target, path), 0);
}

static void
put_fifo(void)
{
	ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void
put_folder(void)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void
put_path_to_nowhere(void)
{
	(void)snprintf(
	    path, sizeof(path), "%s/missing/sallyport.state", folder);
}

START_TEST(what_cannot_be_a_state_file_is_an_error_and_stays)
{
	static const struct {
		void (*put)(void);
		int error;
	} cases[] = {
		{ put_link, ELOOP },
		{ put_fifo, EINVAL },
		{ put_folder, EISDIR },
		{ put_path_to_nowhere, ENOENT },
	};
	struct state *s;
	int before;

	cases[_i].put();
	before = each_name(NULL);
	errno = 0;
	ck_assert_int_eq(state_open(path, &s), ERR_SYSTEM);
	ck_assert_int_eq(errno, cases[_i].error);
	ck_assert_ptr_null(s);
	ck_assert_int_eq(each_name(NULL), before);
}
END_TEST

START_TEST(a_folder_one_may_not_write_to_is_an_error)
{
	struct state *s;

	ck_assert_int_eq(chmod(folder, 0555), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(state_open(path, &s), ERR_SYSTEM);
	ck_assert_int_eq(errno, EACCES);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod(folder, 0700), 0);
	ck_assert_int_eq(each_name(NULL), 0);
}
END_TEST

START_TEST(a_full_disk_is_an_error_that_leaves_nothing_behind)
{
	const struct rlimit little = { 65536, RLIM_INFINITY };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct state *s;

	ck_assert_int_eq(sigaction(SIGXFSZ, &ignore, NULL), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &little), 0);
	ck_assert_int_eq(state_open(path, &s), ERR_SYSTEM);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(each_name(NULL), 0);
}
END_TEST

Suite *suite_state_file(void);

Suite *
suite_state_file(void)
{
	Suite *s = suite_create("state/file");
	TCase *t = tcase_create("file");

	tcase_add_checked_fixture(t, make_folder, remove_folder);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_is_decided_outlives_the_process);
	tcase_add_test(t, a_new_file_is_private_whole_and_alone);
	tcase_add_test(t, a_file_that_exists_keeps_its_mode);
	tcase_add_test(t, two_mappings_are_one_state);
	tcase_add_loop_test(
	    t, processes_that_open_at_once_share_one_file, 0, 3);
	tcase_add_test(t, another_boot_forgets_times_and_keeps_counters);
	tcase_add_test(t, what_is_decided_after_another_boot_is_kept);
	tcase_add_test(t, a_file_of_another_version_is_set_aside);
	tcase_add_loop_test(t, what_is_no_state_file_is_moved_aside, 0, 5);
	tcase_add_loop_test(t, a_truncated_file_is_moved_aside, 0, 5);
	tcase_add_test(t, holes_of_a_copied_file_are_filled);
	tcase_add_loop_test(
	    t, what_cannot_be_a_state_file_is_an_error_and_stays, 0, 4);
	tcase_add_test(t, a_folder_one_may_not_write_to_is_an_error);
	tcase_add_test(t, a_full_disk_is_an_error_that_leaves_nothing_behind);
	suite_add_tcase(s, t);
	return s;
}
