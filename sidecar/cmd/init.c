/*
 * sallyport init: a first configuration, its secret and the file for a web
 * server, and what is to be done next. Nothing that exists is lost.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/random.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/snippet.h"
#include "cmd/table.h"
#include "config/diag.h"

enum { TEXT_MAX = 64 * 1024, SECRET_BYTES = 32, FILES_MAX = 4 };

struct file {
	char path[PATH_MAX];
	mode_t mode;
	const char *note; /* what is said of it */
	struct buf text;
	bool is_kept; /* stays as it is, if it is there */
	bool was_there;
	bool is_written;
};

struct setup_plan {
	const struct args *args;
	const struct web_front *front; /* or NULL */
	char directory[PATH_MAX];
	bool is_ours; /* made here */
	bool is_default; /* where the program looks by itself */
	const char *paths[FRONT_PATHS];
	char own[FRONT_PATHS][PATH_MAX + 32]; /* below the directory */
	const char *backend, *path;
	bool has_jwt;
	const char *owner; /* user of the gateway; NULL: the caller */
	uid_t uid;
	gid_t gid;
	struct file files[FILES_MAX]; /* the configuration is the first */
	size_t n_files;
};

static int
fail(const char *what, const char *path)
{
	(void)fprintf(
	    stderr, "sallyport init: %s %s: %s\n", what, path, strerror(errno));
	if (errno == EACCES || errno == EROFS)
		(void)fputs("Be root, or choose another place with "
			    "--directory DIR.\n",
		    stderr);
	return CMD_FAILED;
}

/* ---- what is written ---- */

static struct file *
add_file(struct setup_plan *p, const char *name, const char *suffix)
{
	struct file *f = &p->files[p->n_files++];

	(void)snprintf(f->path, sizeof(f->path), "%.*s/%s%s",
	    (int)(PATH_MAX - 64), p->directory, name, suffix);
	f->mode = 0644;
	buf_init(&f->text, TEXT_MAX);
	return f;
}

/* Whether c needs no quotes in YAML; a colon does at the end. */
static bool
is_plain(char c, char next)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || strchr("/._-", c) ||
	       (c == ':' && next);
}

/* A text as YAML reads it. */
static enum err
put_scalar(struct buf *out, const char *text)
{
	for (size_t i = 0; text[i]; i++)
		if (!is_plain(text[i], text[i + 1]))
			return json_append_string(out, str_of(text));
	return buf_append(out, str_of(text));
}

static enum err
put_route(const struct setup_plan *p, struct buf *out)
{
	enum err err = buf_append(out,
	    STR("\n# The longest path wins; whole segments match, so /api is "
		"not /apifoo. The\n# matched path is taken off before the "
		"request goes to the backend.\nroutes:\n  - path: "));

	if (!err)
		err = put_scalar(out, p->path);
	if (!err)
		err = buf_append(out, STR("\n    backend: "));
	if (!err)
		err = put_scalar(out, p->backend);
	if (!err)
		err = buf_printf(out,
		    "\n%s    rate_limit: 100/60s     # per client, in any 60 "
		    "seconds\n",
		    p->has_jwt ? "    auth: jwt               # with a valid "
				 "token only\n"
			       : "");
	return err;
}

static enum err
put_jwt(struct buf *out, const char *secret)
{
	enum err err = buf_append(
	    out, STR("\n# Tokens are in \"Authorization: Bearer TOKEN\"; "
		     "sallyport token mint makes one.\njwt:\n"
		     "  secret: { file: "));

	if (!err)
		err = put_scalar(out, secret);
	return err ? err : buf_append(out, STR(" }\n"));
}

static enum err
put_config(const struct setup_plan *p, struct buf *out, const char *secret)
{
	enum err err = buf_printf(out,
	    "# Sallyport's configuration. What is wrong with it, if anything:\n"
	    "#\n#   %s check %s\n#\n# sallyport.yaml(5) has every key.\n\n"
	    "# Where the web server reaches the gateway.\nlisten: unix:%s\n"
	    "access_log: %s\n",
	    p->paths[FRONT_PROGRAM], p->paths[FRONT_CONFIG],
	    p->paths[FRONT_SOCKET], p->paths[FRONT_LOG]);

	if (!err)
		err = put_route(p, out);
	if (!err && secret)
		err = put_jwt(out, secret);
	if (!err)
		err = buf_append(out,
		    STR("\n# A backend that fails this often in a row is left "
			"alone for a while.\nbreaker: { failures: 5, open_for: "
			"30s }\n"));
	return err;
}

static enum err
put_secret(struct buf *out)
{
	unsigned char bytes[SECRET_BYTES];
	enum err err = ERR_OK;

	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes) && !err; i++)
		err = buf_printf(out, "%02x", bytes[i]);
	return err ? err : buf_append(out, STR("\n"));
}

static void
put_snippet(const struct setup_plan *p, struct buf *out,
    void (*print)(
	const struct web_front *, const char *const paths[FRONT_PATHS], FILE *))
{
	char *text = NULL;
	size_t len = 0;
	FILE *stream = open_memstream(&text, &len);

	if (!stream)
		abort();
	print(p->front, p->paths, stream);
	if (fclose(stream) || buf_append(out, (struct str){ text, len }))
		abort();
	free(text);
}

/* All texts fit; more than TEXT_MAX would be a mistake of ours. */
static void
compose(struct setup_plan *p)
{
	struct file *config = add_file(p, "sallyport", ".yaml"), *f;
	const char *secret = NULL;
	const char *suffix;

	p->paths[FRONT_CONFIG] = config->path;
	if (p->has_jwt) {
		f = add_file(p, "jwt", ".secret");
		f->mode = 0600;
		f->note = "random, and readable for its owner only";
		f->is_kept = true;
		secret = f->path;
		if (put_secret(&f->text))
			abort();
	}
	if (put_config(p, &config->text, secret))
		abort();
	if (!p->front)
		return;
	suffix = !strcmp(p->front->server, "haproxy") ? ".cfg" : ".conf";
	put_snippet(p, &add_file(p, p->front->name, suffix)->text, front_print);
	if (p->front->second)
		put_snippet(p, &add_file(p, "nginx-upstream", suffix)->text,
		    front_print_second);
}

/* ---- writing ---- */

static bool
write_all(int fd, struct str bytes)
{
	ssize_t n;

	while (bytes.len) {
		n = write(fd, bytes.ptr, bytes.len);
		if (n < 0)
			return false;
		bytes = str_slice(bytes, (size_t)n, bytes.len);
	}
	return fsync(fd) == 0;
}

/* What is replaced stays beside it. */
static void
old_name(const struct file *f, char out[PATH_MAX + 16])
{
	(void)snprintf(out, PATH_MAX + 16, "%s.old", f->path);
}

/* Under another name first, so that there is never half of one. */
static int
write_file(const struct setup_plan *p, struct file *f)
{
	char name[PATH_MAX + 16], old[PATH_MAX + 16];
	int fd, failed;

	(void)snprintf(name, sizeof(name), "%s.XXXXXX", f->path);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return fail("cannot write", f->path);
	failed = !write_all(fd, buf_bytes(&f->text)) || fchmod(fd, f->mode) ||
		 (p->owner && f->mode == 0600 && fchown(fd, p->uid, p->gid));
	failed = close(fd) || failed;
	old_name(f, old);
	if (!failed && f->was_there)
		failed = rename(f->path, old);
	/* Not over what somebody else has put there meanwhile. */
	if (!failed)
		failed = link(name, f->path);
	f->is_written = !failed;
	if (failed)
		(void)fail("cannot write", f->path);
	(void)unlink(name);
	return failed ? CMD_FAILED : CMD_OK;
}

static int
look(struct setup_plan *p, bool may_replace)
{
	struct stat st;
	int status = CMD_OK;

	for (size_t i = 0; i < p->n_files; i++) {
		p->files[i].was_there = lstat(p->files[i].path, &st) == 0;
		if (!p->files[i].was_there || p->files[i].is_kept ||
		    may_replace)
			continue;
		(void)fprintf(
		    stderr, "sallyport init: %s exists\n", p->files[i].path);
		status = CMD_FAILED;
	}
	if (status)
		(void)fputs("Nothing was written. --force sets them aside as "
			    "FILE.old;\n--directory DIR writes elsewhere.\n",
		    stderr);
	return status;
}

static void
take_back(const struct setup_plan *p)
{
	char old[PATH_MAX + 16];

	for (size_t i = 0; i < p->n_files; i++) {
		if (!p->files[i].is_written)
			continue;
		old_name(&p->files[i], old);
		(void)unlink(p->files[i].path);
		if (p->files[i].was_there)
			(void)rename(old, p->files[i].path);
	}
	if (p->is_ours)
		(void)rmdir(p->directory);
}

/* The configuration must be as good as one can be told. */
static int
check(const struct setup_plan *p)
{
	struct loaded l;
	enum err err = load_check(p->files[0].path, LOAD_STRICT, &l);

	diag_print(l.diag, stderr);
	load_free(&l);
	return err ? CMD_USAGE : CMD_OK;
}

static int
write_files(struct setup_plan *p)
{
	bool may_replace = args_value(p->args, "--force", 0);
	int status = look(p, may_replace);

	for (size_t i = 0; i < p->n_files && !status; i++)
		if (!p->files[i].is_kept || !p->files[i].was_there)
			status = write_file(p, &p->files[i]);
	if (!status)
		status = check(p);
	if (status)
		take_back(p);
	return status;
}

/* ---- where ---- */

static int
use_directory(struct setup_plan *p, const char *name)
{
	const char *problem;

	p->is_ours = mkdir(name, 0755) == 0;
	if (!p->is_ours && errno != EEXIST)
		return fail("cannot make", name);
	if (!realpath(name, p->directory))
		return fail("cannot use", name);
	problem = front_path_problem(FRONT_CONFIG, p->directory);
	if (!problem && strlen(p->directory) > PATH_MAX - 64)
		problem = "it is too long";
	if (!problem)
		return CMD_OK;
	(void)fprintf(
	    stderr, "sallyport init: %s: %s\n", p->directory, problem);
	if (p->is_ours)
		(void)rmdir(name);
	return CMD_USAGE;
}

/* In a place of one's own everything is together. */
static void
choose_paths(struct setup_plan *p)
{
	static const char *const inside[FRONT_PATHS] = {
		[FRONT_SOCKET] = "sallyport.sock",
		[FRONT_STATE] = "sallyport.state",
		[FRONT_LOG] = "access.log",
	};

	for (int i = 0; i < FRONT_PATHS && !p->is_default; i++) {
		if (!inside[i] || p->paths[i])
			continue;
		(void)snprintf(p->own[i], sizeof(p->own[i]), "%s/%s",
		    p->directory, inside[i]);
		p->paths[i] = p->own[i];
	}
	front_default_paths(p->front, p->paths);
}

/*
 * The gateway makes its files there, but root's web server reads others that
 * are there: those must not be replaced.
 */
static int
share_directory(const struct setup_plan *p)
{
	return chown(p->directory, (uid_t)-1, p->gid) ||
	       chmod(p->directory, 01775);
}

/* Whoever runs the gateway reads the secret; only root can give it away. */
static void
choose_owner(struct setup_plan *p)
{
	const char *name = p->front && p->front->start != FRONT_BY_ITSELF
			       ? p->front->user
			       : "sallyport";
	const struct passwd *user = geteuid() ? NULL : getpwnam(name);

	if (!user)
		return;
	p->owner = name;
	p->uid = user->pw_uid;
	p->gid = user->pw_gid;
	if (p->is_ours && !p->is_default && share_directory(p))
		(void)fail("cannot give away", p->directory);
}

/* ---- what is said ---- */

static void
print_step(const struct setup_plan *p, const char *step)
{
	size_t at = p->has_jwt ? 2 : 1;

	(void)fputs("    ", stdout);
	for (; *step; step++) {
		if (*step != '%' || !step[1]) {
			(void)fputc(*step, stdout);
			continue;
		}
		step++;
		(void)fputs(*step == 's'   ? p->files[at].path
			    : *step == 'S' ? p->files[at + 1].path
					   : p->paths[FRONT_SOCKET],
		    stdout);
	}
	(void)fputc('\n', stdout);
}

/* Folders that somebody else would have made. */
static void
print_folders(const struct setup_plan *p)
{
	static const enum front_path kinds[] = { FRONT_SOCKET, FRONT_STATE,
		FRONT_LOG };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *path = p->paths[kinds[i]];
		const char *slash = strrchr(path, '/');
		char folder[PATH_MAX];

		(void)snprintf(
		    folder, sizeof(folder), "%.*s", (int)(slash - path), path);
		if (slash == path || !access(folder, F_OK))
			continue;
		(void)printf("    install -d%s%s %s\n", p->owner ? " -o " : "",
		    p->owner ? p->owner : "", folder);
	}
}

static void
print_start(const struct setup_plan *p)
{
	static const char unit[] = "/lib/systemd/system/sallyport.service";
	bool as_user;

	if (p->front && p->front->start != FRONT_BY_ITSELF)
		return;
	if (p->is_default && !access(unit, F_OK)) {
		(void)fputs(
		    "    systemctl enable sallyport.socket sallyport\n"
		    "    systemctl restart sallyport.socket sallyport\n",
		    stdout);
		return;
	}
	/* Where that user may write there is no need of root. */
	as_user = p->owner && (p->is_ours || p->is_default);
	(void)printf("    %s%s%s%s serve -c %s --state %s &\n",
	    as_user ? "runuser -u " : "", as_user ? p->owner : "",
	    as_user ? " -- " : "", p->paths[FRONT_PROGRAM],
	    p->paths[FRONT_CONFIG], p->paths[FRONT_STATE]);
	if (p->front)
		(void)printf("    chgrp %s %s    # once it runs: so that %s "
			     "may connect\n",
		    p->front->user, p->paths[FRONT_SOCKET], p->front->server);
}

static void
print_trial(const struct setup_plan *p)
{
	(void)printf("\nThen\n\n    curl -i http://localhost%s/%s\n", p->path,
	    p->has_jwt ? "        # 401: there is no token" : "");
	if (p->has_jwt)
		(void)printf(
		    "    TOKEN=$(%s token mint -c %s --claim sub=alice)\n"
		    "    curl -i -H \"Authorization: Bearer $TOKEN\" "
		    "http://localhost%s/\n",
		    p->paths[FRONT_PROGRAM], p->paths[FRONT_CONFIG], p->path);
	(void)printf(
	    "    %s doctor http://localhost/ --state %s\n\n"
	    "The backend %s has to run; until it does the answer is 503.\n",
	    p->paths[FRONT_PROGRAM], p->paths[FRONT_STATE], p->backend);
}

static void
print_next(const struct setup_plan *p)
{
	for (size_t i = 0; i < p->n_files; i++)
		(void)printf("%s %s%s%s%s\n",
		    p->files[i].is_written ? "wrote" : "kept", p->files[i].path,
		    p->files[i].note ? " (" : "",
		    p->files[i].note ? p->files[i].note : "",
		    p->files[i].note ? ")" : "");
	(void)fputs("\nNext, as root:\n\n", stdout);
	print_folders(p);
	print_start(p);
	for (size_t i = 0; p->front && p->front->steps[i]; i++)
		print_step(p, p->front->steps[i]);
	if (!p->front)
		(void)printf("    %s snippet\n        # lists the web servers; "
			     "snippet FRONT prints what one takes in\n",
		    p->paths[FRONT_PROGRAM]);
	print_trial(p);
}

/* ---- the command ---- */

static int
read_plan(struct setup_plan *p)
{
	const char *auth = args_value(p->args, "--auth", 0);
	int status = snippet_front(p->args, &p->front);

	if (!status && p->front && !p->front->steps) {
		(void)fprintf(stderr,
		    "sallyport init: %s comes with nginx: sallyport init "
		    "nginx\n",
		    p->front->name);
		status = CMD_USAGE;
	}
	if (!status)
		status = snippet_paths(p->args, p->paths);
	if (status)
		return status;
	if (auth && strcmp(auth, "jwt") != 0 && strcmp(auth, "none") != 0) {
		(void)fprintf(stderr,
		    "sallyport init: --auth is jwt or none, not %s\n", auth);
		return CMD_USAGE;
	}
	p->has_jwt = !auth || !strcmp(auth, "jwt");
	p->backend = args_value(p->args, "--backend", 0);
	if (!p->backend)
		p->backend = "http://127.0.0.1:3001";
	p->path = args_value(p->args, "--path", 0);
	if (!p->path)
		p->path = "/api";
	return CMD_OK;
}

/* The folder of the file that the program looks for by itself. */
static void
default_directory(char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s", SALLYPORT_CONFIG_FILE);
	*strrchr(out, '/') = '\0';
}

int
cmd_init(int argc, char **argv)
{
	static struct setup_plan p;
	struct args args;
	char usual[PATH_MAX];
	const char *directory;
	int status = args_read(&args, cmd_find("init"), argc, argv);

	if (status)
		return status;
	p = (struct setup_plan){ .args = &args };
	status = read_plan(&p);
	if (status)
		return status;
	default_directory(usual);
	directory = args_value(&args, "--directory", 0);
	status = use_directory(&p, directory ? directory : usual);
	if (status)
		return status;
	p.is_default = !strcmp(p.directory, usual);
	choose_paths(&p);
	choose_owner(&p);
	compose(&p);
	status = write_files(&p);
	if (!status)
		print_next(&p);
	for (size_t i = 0; i < p.n_files; i++)
		buf_free(&p.files[i].text);
	return status ? status : fflush(stdout) ? CMD_FAILED : CMD_OK;
}
