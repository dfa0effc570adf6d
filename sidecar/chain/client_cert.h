/* The x-forwarded-client-cert of requests. */
#ifndef SALLYPORT_CHAIN_CLIENT_CERT_H
#define SALLYPORT_CHAIN_CLIENT_CERT_H

#include "chain/exchange.h"

/*
 * Keeps, removes or sets it as forward_client_cert_details has it. A client
 * has a certificate when the web server has verified one (SSL_CLIENT_VERIFY);
 * to set the field it must have been handed over, too (SSL_CLIENT_CERT).
 */
void client_cert_forward(struct exchange *);

#endif
