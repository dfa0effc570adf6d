/*
 * usage: hello SOCKET THREADS: the plainest responder on libfcgi, which shows
 * what a web server and FastCGI cost without a gateway.
 */
#include <fcgiapp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static char body[1024];
static int listening;

static void *
serve(void *unused)
{
	FCGX_Request r;

	FCGX_InitRequest(&r, listening, 0);
	while (FCGX_Accept_r(&r) >= 0) {
		FCGX_FPrintF(r.out, "Content-Type: text/plain\r\n"
				    "Content-Length: 1024\r\n\r\n");
		FCGX_PutStr(body, sizeof(body), r.out);
		FCGX_Finish_r(&r);
	}
	return unused;
}

int
main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 3 || FCGX_Init())
		return EXIT_FAILURE;
	memset(body, 'x', sizeof(body));
	listening = FCGX_OpenSocket(argv[1], 1024);
	for (int i = 1; i < atoi(argv[2]); i++)
		if (pthread_create(&thread, NULL, serve, NULL))
			return EXIT_FAILURE;
	serve(NULL);
	return EXIT_FAILURE;
}
