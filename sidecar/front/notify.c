#include "config.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "front/notify.h"

void
notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct str name = str_of(path);
	socklen_t len;
	int fd;

	if (name.len == 0 || name.len >= sizeof(at.sun_path))
		return;
	memcpy(at.sun_path, name.ptr, name.len);
	if (at.sun_path[0] == '@')
		at.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.len);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)!sendto(
	    fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&at, len);
	(void)close(fd);
}
