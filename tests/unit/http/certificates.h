/*
 * Two certificates: of a client whose subject has characters to escape, with
 * two URIs and two DNS names, and of a server with a URI. For each what a real
 * Envoy makes of it in x-forwarded-client-cert.
 */
#ifndef SALLYPORT_TESTS_UNIT_HTTP_CERTIFICATES_H
#define SALLYPORT_TESTS_UNIT_HTTP_CERTIFICATES_H

#define CLIENT_PEM                                                             \
	"-----BEGIN CERTIFICATE-----\n"                                        \
	"MIIB3jCCAYWgAwIBAgIUTlaM0DtXRqKr+z4N+Y6aJqf1w6IwCgYIKoZIzj0EAwIw\n"   \
	"EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjYwMzMyMjdaGA8yMTI2MTEwMjAz\n"   \
	"MzIyN1owOTELMAkGA1UEBhMCREUxFDASBgNVBAoMC1Nob3AsICJJbmMiMRQwEgYD\n"   \
	"VQQDDAtjbGllbnQ7IG9uZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGDbSAn6\n"   \
	"QFDMT0QARJWQ5WbTdVCcrH/rv8g9yBs5k9zJILiSIfqcWSXUEM80X3Lsu5ibWTp4\n"   \
	"QCWTiw24hW+u9DijgY8wgYwwSgYDVR0RBEMwQYYUc3BpZmZlOi8vc2hvcC9jbGll\n"   \
	"bnSCC2NsaWVudC50ZXN0gg0qLmNsaWVudC50ZXN0hg1odHRwOi8veC8/YT1iMB0G\n"   \
	"A1UdDgQWBBT10ZRsMwKL2kAlXkazGS0QuYGrrjAfBgNVHSMEGDAWgBSCSitN5n8e\n"   \
	"Ukav/Rp4VF6rHNeUezAKBggqhkjOPQQDAgNHADBEAiBrdWW6P1iUcG95vgs8PE40\n"   \
	"wq33yXATeE+/mRVvvhMK5AIgB4aQDhOULm+8thLcLrIaCiZpUpNzdSui+EGOEiRZ\n"   \
	"gUk=\n"                                                               \
	"-----END CERTIFICATE-----\n"
#define SERVER_PEM                                                             \
	"-----BEGIN CERTIFICATE-----\n"                                        \
	"MIIBkzCCATmgAwIBAgIUTlaM0DtXRqKr+z4N+Y6aJqf1w6EwCgYIKoZIzj0EAwIw\n"   \
	"EjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjExMjYwMzMxMTRaGA8yMTI2MTEwMjAz\n"   \
	"MzExNFowETEPMA0GA1UEAwwGc2VydmVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD\n"   \
	"QgAEeEvvF50TbPMdp0FA1sUZgZP2ESDARZbxoE3i0bzRqJ3vQRkBNWz4EnKI4zys\n"   \
	"D3AsRKV5449kSL5EqGoGTI2E5aNsMGowKAYDVR0RBCEwH4YSc3BpZmZlOi8vc2hv\n"   \
	"cC9nYXRlgglnYXRlLnRlc3QwHQYDVR0OBBYEFDGPXVjcyc/HAwRUgYawlSAOgQBv\n"   \
	"MB8GA1UdIwQYMBaAFIJKK03mfx5SRq/9GnhUXqsc15R7MAoGCCqGSM49BAMCA0gA\n"   \
	"MEUCIQDGLQlGm+M6y5ayoe9oD/2DJSCDlgdPv2QD3vI4rA9chQIgW4fDcQLolveD\n"   \
	"zXy0rtk+1IA524GvFeOpJU33JaoLeLk=\n"                                   \
	"-----END CERTIFICATE-----\n"
#define CLIENT_HASH                                                            \
	"5082e6f032901a866dda72549b1639545fd095d73d5bcc5ab5c05aafa1a06b7e"
#define CLIENT_SUBJECT "CN=client\\; one,O=Shop\\, \\\"Inc\\\",C=DE"
#define CLIENT_ESCAPED                                                         \
	"-----BEGIN%20CERTIFICATE-----%0AMIIB3jCCAYWgAwIBAgIUTlaM0DtX"         \
	"RqKr%2Bz4N%2BY6aJqf1w6IwCgYIKoZIzj0EAwIw%0AEjEQMA4GA1UEAwwHV"         \
	"GVzdCBDQTAgFw0yNjExMjYwMzMyMjdaGA8yMTI2MTEwMjAz%0AMzIyN1owOT"         \
	"ELMAkGA1UEBhMCREUxFDASBgNVBAoMC1Nob3AsICJJbmMiMRQwEgYD%0AVQQ"         \
	"DDAtjbGllbnQ7IG9uZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGDbSAn"         \
	"6%0AQFDMT0QARJWQ5WbTdVCcrH%2Frv8g9yBs5k9zJILiSIfqcWSXUEM80X3"         \
	"Lsu5ibWTp4%0AQCWTiw24hW%2Bu9DijgY8wgYwwSgYDVR0RBEMwQYYUc3BpZ"         \
	"mZlOi8vc2hvcC9jbGll%0AbnSCC2NsaWVudC50ZXN0gg0qLmNsaWVudC50ZX"         \
	"N0hg1odHRwOi8veC8%2FYT1iMB0G%0AA1UdDgQWBBT10ZRsMwKL2kAlXkazG"         \
	"S0QuYGrrjAfBgNVHSMEGDAWgBSCSitN5n8e%0AUkav%2FRp4VF6rHNeUezAK"         \
	"BggqhkjOPQQDAgNHADBEAiBrdWW6P1iUcG95vgs8PE40%0Awq33yXATeE%2B"         \
	"%2FmRVvvhMK5AIgB4aQDhOULm%2B8thLcLrIaCiZpUpNzdSui%2BEGOEiRZ%"         \
	"0AgUk%3D%0A-----END%20CERTIFICATE-----%0A"

#endif
