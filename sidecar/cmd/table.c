/* The table of subcommands. */
#include "config.h"

#include <string.h>

#include "cmd/cmd.h"
#include "cmd/table.h"

#define NAME(text)  .name = (text)
#define VALUE(word) .value = (word)
#define LENIENT                                                                \
	{                                                                      \
		NAME("--allow-unknown-static-fields"),                         \
		    .text = "Takes fields that Envoy does not know for "       \
			    "warnings."                                        \
	}
#define STATE                                                                  \
	{                                                                      \
		NAME("--state"), VALUE("FILE"),                                \
		    .text = "The state file; " SALLYPORT_STATE_FILE            \
			    " if left out."                                    \
	}
#define CONFIG                                                                 \
	{                                                                      \
		NAME("--config"),                                              \
		    .letter = "-c", VALUE("FILE"),                             \
		    .text = "The configuration; " SALLYPORT_CONFIG_FILE        \
			    " if left out."                                    \
	}
#define END                                                                    \
	{                                                                      \
		.name = NULL                                                   \
	}

static const struct cmd_option serve_options[] = {
	{ NAME("--config"), .letter = "-c", VALUE("FILE"), .required = true,
	    .text = "The configuration: the short form, or an Envoy "
		    "bootstrap in YAML or JSON." },
	{ NAME("--listen"), VALUE("ADDRESS"), .repeats = true,
	    .text = "Where FastCGI is served, unix:PATH or HOST:PORT, in "
		    "place of the listener's address in the file." },
	{ NAME("--workers"), VALUE("N"),
	    .text = "Processes; one for each core if left out." },
	STATE,
	{ NAME("--access-log"), VALUE("FILE"),
	    .text = "Where access logs go, whatever the file says; - is "
		    "standard output." },
	{ NAME("--log-level"), VALUE("error|warning|info|debug"),
	    .text = "Which of its own messages go to standard error; info if "
		    "left out. debug has why a backend failed." },
	LENIENT,
	END,
};

static const struct cmd_option check_options[] = {
	{ NAME("--format"), VALUE("text|json"),
	    .text = "How it is said; json is an array for tools." },
	LENIENT,
	END,
};

static const struct cmd_option explain_options[] = {
	CONFIG,
	{ NAME("--header"), .letter = "-H", VALUE("'NAME: VALUE'"),
	    .repeats = true, .text = "A header of the request." },
	{ NAME("--client"), VALUE("ADDRESS"),
	    .text = "The client's IP address, with or without a port; "
		    "127.0.0.1 if left out." },
	{ NAME("--json"), .text = "For tools." },
	END,
};

static const struct cmd_option routes_options[] = {
	CONFIG,
	{ NAME("--json"), .text = "For tools." },
	END,
};

#define PATHS                                                                  \
	{ NAME("--socket"), VALUE("PATH"),                                     \
		.text = "The gateway's unix socket." },                        \
	    { NAME("--program"), VALUE("FILE"),                                \
		    .text = "The gateway's program; the one that runs now if " \
			    "left out." },                                     \
	    { NAME("--config"), .letter = "-c", VALUE("FILE"),                 \
		    .text = "The configuration." },                            \
	    { NAME("--state"), VALUE("FILE"), .text = "The state file." },     \
	{                                                                      \
		NAME("--access-log"), VALUE("FILE"), .text = "The access log." \
	}

static const struct cmd_option snippet_options[] = { PATHS, END };

static const struct cmd_option init_options[] = {
	{ NAME("--directory"), VALUE("DIR"),
	    .text = "Where the files go; the folder of " SALLYPORT_CONFIG_FILE
		    " if left out. In any other folder socket, state and log "
		    "are there, too." },
	{ NAME("--backend"), VALUE("URL"),
	    .text = "The backend; http://127.0.0.1:3001 if left out." },
	{ NAME("--path"), VALUE("PATH"),
	    .text = "What of the site goes there; /api if left out." },
	{ NAME("--auth"), VALUE("jwt|none"),
	    .text = "Whether a token is asked for; jwt if left out." },
	{ NAME("--force"),
	    .text =
		"Sets files that exist aside, as FILE.old; a secret stays." },
	{ NAME("--socket"), VALUE("PATH"),
	    .text = "The gateway's unix socket." },
	{ NAME("--program"), VALUE("FILE"),
	    .text = "The gateway's program; the one that runs now if left "
		    "out." },
	{ NAME("--state"), VALUE("FILE"), .text = "The state file." },
	{ NAME("--access-log"), VALUE("FILE"), .text = "The access log." },
	END,
};

static const struct cmd_option doctor_options[] = {
	STATE,
	{ NAME("--config"), .letter = "-c", VALUE("FILE"),
	    .text = "The gateway's configuration, to look at its socket where "
		    "the gateway is not reached; a running gateway's own if "
		    "left out." },
	{ NAME("--front"), VALUE("NAME"),
	    .text = "Which web server it is: lighttpd, apache, nginx, caddy or "
		    "haproxy; found out if left out." },
	{ NAME("--body"), VALUE("BYTES"),
	    .text = "How large a request body is to pass; 4000000 if left "
		    "out." },
	{ NAME("--insecure"), .letter = "-k",
	    .text = "Takes any certificate of the web server." },
	{ NAME("--json"), .text = "For tools." },
	END,
};

static const struct cmd_option reload_options[] = {
	STATE,
	{ NAME("--pid"), VALUE("PID"),
	    .text = "Which gateway, where several share the file." },
	END,
};

static const struct cmd_option token_options[] = {
	CONFIG,
	{ NAME("--provider"), VALUE("NAME"),
	    .text = "Whose token; the first one's if left out." },
	{ NAME("--claim"), VALUE("NAME=VALUE"), .repeats = true,
	    .text = "A claim of the token made, such as sub=alice; a value "
		    "that is JSON keeps its type." },
	{ NAME("--for"), VALUE("DURATION"),
	    .text = "How long the token made holds; 3600s if left out." },
	{ NAME("--json"), .text = "Says of a token checked for tools." },
	END,
};

static const struct cmd_option stats_options[] = { STATE, END };

static const struct cmd_option status_options[] = {
	STATE,
	{ NAME("--json"), .text = "For tools." },
	END,
};

const struct cmd cmd_table[] = {
	{ "init", cmd_init, init_options, "[FRONT]", 0, 1,
	    "write a first configuration, and the file for a web server",
	    "FRONT is one of those that \"sallyport snippet\" lists. The "
	    "configuration has one route, limited and with a token; its "
	    "secret is random and in a file of its own. What is to be done "
	    "next is printed. Files that exist are left alone." },
	{ "snippet", cmd_snippet, snippet_options, "[FRONT]", 0, 1,
	    "print what a web server's configuration takes in",
	    "The file for that web server, as it is tested, with the paths of "
	    "this installation or those given; its head says how it is "
	    "included. Without FRONT the web servers are listed." },
	{ "serve", cmd_serve, serve_options, "", 0, 0, "run the gateway",
	    "A master process reads the configuration, owns the sockets and "
	    "keeps the workers running. SIGTERM finishes what is under way "
	    "and ends; SIGHUP loads the configuration anew; SIGUSR1 opens the "
	    "access log anew. Sockets of systemd (LISTEN_FDS) are taken over." },
	{ "check", cmd_check, check_options, "FILE", 1, 1,
	    "report everything that is wrong with a configuration",
	    "Each mistake is said with file, line and column, Envoy's own "
	    "sentence where Envoy has one, and a hint." },
	{ "expand", cmd_expand, NULL, "FILE", 1, 1,
	    "print the Envoy form of a configuration",
	    "A real Envoy loads it, with libsallyport.so on its module search "
	    "path where the file uses what Envoy does not have." },
	{ "routes", cmd_routes, routes_options, "", 0, 0,
	    "list the routes as compiled, and which are never reached",
	    "In the order in which they are tried: what each matches, where "
	    "it leads, the filters that are set up for it (the chain of all "
	    "filters stands first), and its line. A route is marked as never "
	    "reached if one earlier route of its virtual host surely takes "
	    "everything that it matches: by a path or prefix that includes "
	    "its own, or an equal regular expression, and by asking for "
	    "nothing else that the later one does not ask for as well. It is "
	    "never wrong about that, but does not see every case: not several "
	    "routes that only together take everything, and of two different "
	    "regular expressions not which includes the other." },
	{ "explain", cmd_explain, explain_options, "METHOD URL", 2, 2,
	    "say what happens to a request, and by which lines",
	    "Virtual host, route, each filter's verdict, the headers that "
	    "come and go, and where the request is sent, as a worker finds "
	    "them; a line of the configuration stands beside each. Nothing "
	    "is sent: a backend is taken to answer 200. Limits and breakers "
	    "are as at the first request. The URL is a path alone or begins "
	    "with http:// or https://." },
	{ "doctor", cmd_doctor, doctor_options, "URL", 1, 1,
	    "say what is wrong with the web server before a running gateway",
	    "Sends requests to the URL, which the web server hands to the "
	    "gateway, compares what arrives with what was sent, and says what "
	    "to write where. Looked at are: Authorization, the client's "
	    "address and whether anyone can choose it, host and scheme, "
	    "methods, the target as it is written, the size of bodies and "
	    "headers, HEAD, streams that arrive late, and requests that wait "
	    "for each other. The requests bear a random mark that is in the "
	    "state file for at most a minute; a gateway with the same file "
	    "answers them itself, whatever its routes say, and nobody else can "
	    "make it do so. So the doctor runs on the gateway's host, as a user "
	    "who may write the state file. It takes some seconds; the "
	    "status is 0 if nothing is wrong, 1 if something is, 69 if no "
	    "gateway is reached." },
	{ "reload", cmd_reload, reload_options, "", 0, 0,
	    "have a running gateway load its configuration anew",
	    "Waits for the outcome: after any error the gateway goes on with "
	    "the configuration it had, and the errors are printed." },
	{ "status", cmd_status, status_options, "", 0, 0,
	    "print gateways, processes, breakers and limits of the state file",
	    "A gateway is what \"sallyport serve\" has started, a process one of "
	    "its workers or what a web server has started. A breaker that no "
	    "configuration has any more is still shown, as the file has it." },
	{ "stats", cmd_stats, stats_options, "", 0, 0,
	    "print the counters, by Envoy's names",
	    "They are sums over all processes that have used the state file." },
	{ "token", cmd_token, token_options, "mint|check [TOKEN]", 1, 2,
	    "make a token for tests, or say why one is not accepted",
	    "A token is made with the secret of the configuration; with "
	    "public keys it cannot be. A token to check is given as an "
	    "argument or on standard input, with or without \"Bearer\"; the "
	    "status is 0 if a provider accepts it, else 1." },
	{ "version", cmd_version, NULL, "", 0, 0, "print the version", NULL },
	{ "help", cmd_help, NULL, "[COMMAND]", 0, 1,
	    "print this, or what a command takes", NULL },
	{ .name = NULL },
};

const struct cmd *
cmd_find(const char *name)
{
	for (const struct cmd *c = cmd_table; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}
