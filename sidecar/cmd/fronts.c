#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/fronts.h"

#define BIT(path) (1U << (path))
#define ALL_FILES                                                              \
	(BIT(FRONT_PROGRAM) | BIT(FRONT_CONFIG) | BIT(FRONT_STATE) |           \
	    BIT(FRONT_LOG))

/* What the files of conf/ say, and what a variable of lighttpd is called. */
static const struct {
	const char *written, *also;
	const char *variable;
} places[FRONT_PATHS] = {
	[FRONT_SOCKET] = { "/run/sallyport/sallyport.sock",
	    "/run/lighttpd/sallyport.sock", "sallyport_socket" },
	[FRONT_PROGRAM] = { "/usr/bin/sallyport", NULL, "sallyport_program" },
	[FRONT_CONFIG] = { "/etc/sallyport/sallyport.yaml", NULL,
	    "sallyport_config" },
	[FRONT_STATE] = { "/var/lib/sallyport/sallyport.state", NULL,
	    "sallyport_state" },
	[FRONT_LOG] = { "/var/log/sallyport/access.log", NULL,
	    "sallyport_log" },
};

static const char *const lighttpd_steps[] = {
	"echo 'include \"%s\"' >> /etc/lighttpd/lighttpd.conf",
	"lighttpd -tt -f /etc/lighttpd/lighttpd.conf && "
	"systemctl restart lighttpd",
	NULL,
};
static const char *const proxy_steps[] = {
	"a2enmod proxy_fcgi",
	"ln -s %s /etc/apache2/conf-enabled/sallyport.conf",
	"apachectl configtest && systemctl restart apache2",
	NULL,
};
static const char *const fcgid_steps[] = {
	"a2enmod fcgid",
	"ln -s %s /etc/apache2/conf-enabled/sallyport.conf",
	"apachectl configtest && systemctl restart apache2",
	NULL,
};
static const char *const nginx_steps[] = {
	"ln -s %S /etc/nginx/conf.d/sallyport-upstream.conf",
	"# in the server { } of your site: include %s;",
	"nginx -t && systemctl reload nginx",
	NULL,
};
static const char *const caddy_steps[] = {
	"# in /etc/caddy/Caddyfile, first: import %s",
	"# and in your site: import sallyport %k",
	"caddy validate --config /etc/caddy/Caddyfile && "
	"systemctl reload caddy",
	NULL,
};
static const char *const haproxy_steps[] = {
	"# in your frontend: default_backend sallyport",
	"# and EXTRAOPTS=\"-f %s\" in /etc/default/haproxy",
	"haproxy -c -f /etc/haproxy/haproxy.cfg -f %s && "
	"systemctl restart haproxy",
	NULL,
};

const struct web_front web_fronts[] = {
	{ "lighttpd", "lighttpd/sallyport.conf", NULL,
	    "lighttpd, with a gateway that runs by itself", "lighttpd",
	    "www-data", FRONT_BY_ITSELF, true, BIT(FRONT_SOCKET),
	    lighttpd_steps },
	{ "lighttpd-spawned", "lighttpd/sallyport-spawned.conf", NULL,
	    "lighttpd, which starts the gateway", "lighttpd", "www-data",
	    FRONT_SPAWNED, true, BIT(FRONT_SOCKET) | ALL_FILES,
	    lighttpd_steps },
	{ "lighttpd-cgi", "lighttpd/sallyport-cgi.conf", NULL,
	    "lighttpd, which starts a process for each request", "lighttpd",
	    "www-data", FRONT_PER_REQUEST, true, ALL_FILES, lighttpd_steps },
	{ "apache-proxy", "apache/sallyport-proxy.conf", NULL,
	    "Apache with mod_proxy_fcgi, with a gateway that runs by itself",
	    "apache2", "www-data", FRONT_BY_ITSELF, false, BIT(FRONT_SOCKET),
	    proxy_steps },
	{ "apache-fcgid", "apache/sallyport-fcgid.conf", NULL,
	    "Apache with mod_fcgid, which starts the gateway", "apache2",
	    "www-data", FRONT_SPAWNED, false, ALL_FILES, fcgid_steps },
	{ "nginx", "nginx/sallyport.conf", "nginx/sallyport-upstream.conf",
	    "nginx, in server { }; with nginx-upstream in http { }", "nginx",
	    "www-data", FRONT_BY_ITSELF, false, BIT(FRONT_SOCKET),
	    nginx_steps },
	{ "nginx-upstream", "nginx/sallyport-upstream.conf", NULL,
	    "nginx, in http { }: where the gateway is", "nginx", "www-data",
	    FRONT_BY_ITSELF, false, BIT(FRONT_SOCKET), NULL },
	{ "caddy", "caddy/Caddyfile", NULL,
	    "Caddy, with a gateway that runs by itself", "caddy", "caddy",
	    FRONT_BY_ITSELF, false, BIT(FRONT_SOCKET), caddy_steps },
	{ "haproxy", "haproxy/sallyport.cfg", NULL,
	    "HAProxy, with a gateway that runs by itself", "haproxy", "haproxy",
	    FRONT_BY_ITSELF, false, BIT(FRONT_SOCKET), haproxy_steps },
	{ .name = NULL },
};

const struct web_front *
front_find(const char *name)
{
	for (const struct web_front *f = web_fronts; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

void
front_print_list(FILE *out)
{
	for (const struct web_front *f = web_fronts; f->name; f++)
		(void)fprintf(out, "  %-16s  %s\n", f->name, f->text);
}

void
front_default_paths(const struct web_front *f, const char *paths[FRONT_PATHS])
{
	static char program[4096];
	ssize_t n;

	if (!paths[FRONT_PROGRAM]) {
		n = readlink("/proc/self/exe", program, sizeof(program) - 1);
		paths[FRONT_PROGRAM] =
		    n > 0 ? program : places[FRONT_PROGRAM].written;
	}
	if (!paths[FRONT_CONFIG])
		paths[FRONT_CONFIG] = SALLYPORT_CONFIG_FILE;
	if (!paths[FRONT_STATE])
		paths[FRONT_STATE] = SALLYPORT_STATE_FILE;
	/* What a web server starts may not write where the other does. */
	if (!paths[FRONT_SOCKET] && f && f->start != FRONT_BY_ITSELF)
		paths[FRONT_SOCKET] = places[FRONT_SOCKET].also;
	for (int i = 0; i < FRONT_PATHS; i++)
		if (!paths[i])
			paths[i] = places[i].written;
}

const char *
front_path_problem(enum front_path kind, const char *path)
{
	if (path[0] != '/')
		return "it must be absolute";
	if (kind == FRONT_SOCKET && strlen(path) > 107)
		return "the path of a unix socket has at most 107 bytes";
	for (size_t i = 0; path[i]; i++)
		if (!ascii_is_alpha(path[i]) && !ascii_is_digit(path[i]) &&
		    !strchr("/._-+=@,:~", path[i]))
			return "it may have letters, digits and "
			       "/ . _ - + = @ , : ~ only";
	return NULL;
}

/* Whether word stands at at, and not as a part of a longer path. */
static bool
stands_at(const char *at, const char *word)
{
	size_t len = word ? strlen(word) : 0;

	return len && !strncmp(at, word, len) && !ascii_is_alpha(at[len]) &&
	       !ascii_is_digit(at[len]) && at[len] != '.' && at[len] != '-';
}

/* The place that is written at at, or FRONT_PATHS. */
static int
place_at(const char *at, size_t *len)
{
	for (int i = 0; i < FRONT_PATHS; i++) {
		if (stands_at(at, places[i].written)) {
			*len = strlen(places[i].written);
			return i;
		}
		if (stands_at(at, places[i].also)) {
			*len = strlen(places[i].also);
			return i;
		}
	}
	return FRONT_PATHS;
}

static void
print_line(const char *line, const char *const paths[FRONT_PATHS], FILE *out)
{
	size_t len = 0;
	int place;

	while (*line) {
		place = *line == '/' ? place_at(line, &len) : FRONT_PATHS;
		if (place == FRONT_PATHS) {
			(void)fputc(*line++, out);
			continue;
		}
		(void)fputs(paths[place], out);
		line += len;
	}
}

static void
print_text(const char *source, const char *const paths[FRONT_PATHS], FILE *out)
{
	const struct front_text *t = front_texts;

	while (t->source && strcmp(t->source, source) != 0)
		t++;
	for (size_t i = 0; t->source && t->lines[i]; i++)
		print_line(t->lines[i], paths, out);
}

void
front_print(
    const struct web_front *f, const char *const paths[FRONT_PATHS], FILE *out)
{
	for (int i = 0; f->has_variables && i < FRONT_PATHS; i++)
		if (f->uses & BIT(i))
			(void)fprintf(out, "var.%s = \"%s\"\n",
			    places[i].variable, paths[i]);
	if (f->has_variables)
		(void)fputc('\n', out);
	print_text(f->source, paths, out);
}

void
front_print_second(
    const struct web_front *f, const char *const paths[FRONT_PATHS], FILE *out)
{
	if (f->second)
		print_text(f->second, paths, out);
}
