/* systemd's notification protocol (sd_notify(3)), without its library. */
#ifndef SALLYPORT_FRONT_NOTIFY_H
#define SALLYPORT_FRONT_NOTIFY_H

/* Sends "READY=1" and the like; nothing happens where nobody listens. */
void notify(const char *text);

#endif
