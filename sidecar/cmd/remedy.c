#include "config.h"

#include "cmd/remedy.h"

static const struct {
	const char *id, *subject;
	struct remedy by_server[SERVERS];
} ailments[AILMENTS] = {
	[AILMENT_NOT_HANDED_OVER] = { "not-handed-over",
	    "requests are handed to the gateway",
	    { [SERVER_LIGHTTPD] = { "lighttpd's configuration",
		  "what \"sallyport snippet lighttpd\" prints; its \"/\" "
		  "is the part of the site that goes to the gateway" },
		[SERVER_APACHE] = { "the <VirtualHost> of this site",
		    "what \"sallyport snippet apache-proxy\" prints" },
		[SERVER_NGINX] = { "the server { } of this site",
		    "what \"sallyport snippet nginx\" prints" },
		[SERVER_CADDY] = { "this site in the Caddyfile",
		    "import sallyport SOCKET" },
		[SERVER_HAPROXY] = { "the frontend of this site",
		    "default_backend sallyport" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "what \"sallyport snippet FRONT\" prints for it" } } },
	[AILMENT_NO_SERVER] = { "no-web-server", "the web server answers",
	    { [SERVER_OTHER] = { "on the web server's host",
		  "systemctl status of it, and its error log, say whether it "
		  "runs;\nits configuration says on which port: the URL must "
		  "have that one" } } },
	[AILMENT_UNREACHABLE] = { "unreachable", "the gateway is reached",
	    { [SERVER_OTHER] = { "on this host",
		  "sallyport serve -c FILE, or systemctl start sallyport;\n"
		  "the web server's user must be able to write to its "
		  "socket,\nand to enter every folder above it" } } },
	[AILMENT_AUTHORIZATION] = { "authorization",
	    "Authorization reaches the gateway",
	    { [SERVER_APACHE] = { "the <Location> of the gateway",
		  "CGIPassAuth On" },
		[SERVER_HAPROXY] = { "fcgi-app sallyport",
		    "pass-header Authorization" },
		[SERVER_NGINX] = { "the location of the gateway",
		    "fastcgi_pass_request_headers on; and no fastcgi_param "
		    "HTTP_AUTHORIZATION" },
		[SERVER_CADDY] = { "reverse_proxy",
		    "no header_up that touches Authorization, and no basicauth "
		    "before it" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "nothing may take Authorization off a request" } } },
	[AILMENT_ADDRESS] = { "client-address",
	    "the gateway knows the client's address",
	    { [SERVER_LIGHTTPD] = { "lighttpd's configuration, with the "
				    "proxy's address",
		  "server.modules += ( \"mod_extforward\" )\n"
		  "extforward.forwarder = ( \"ADDRESS\" => \"trust\" )" },
		[SERVER_APACHE] = { "Apache's configuration, with the proxy's "
				    "address (a2enmod remoteip)",
		    "RemoteIPHeader X-Forwarded-For\n"
		    "RemoteIPInternalProxy ADDRESS" },
		[SERVER_NGINX] = { "server { }, with the proxy's address; and "
				   "fastcgi_param REMOTE_ADDR $remote_addr; in "
				   "the location",
		    "set_real_ip_from ADDRESS;\n"
		    "real_ip_header X-Forwarded-For;" },
		[SERVER_OTHER] = { "the gateway's configuration, in Envoy's "
				   "form, if a proxy of yours always sets "
				   "X-Forwarded-For",
		    "use_remote_address: true\nxff_num_trusted_hops: 1" } } },
	[AILMENT_ADDRESS_FORGED] = { "forged-address",
	    "nobody chooses the address that the web server hands over",
	    { [SERVER_LIGHTTPD] = { "lighttpd's configuration",
		  "extforward.forwarder with the addresses of your own "
		  "proxies, never \"all\"" },
		[SERVER_APACHE] = { "Apache's configuration",
		    "RemoteIPInternalProxy or RemoteIPTrustedProxy with the "
		    "addresses of your own proxies; without them "
		    "RemoteIPHeader believes anybody" },
		[SERVER_NGINX] = { "server { }",
		    "set_real_ip_from with the addresses of your own proxies "
		    "only" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "X-Forwarded-For is believed of your own proxies only" } } },
	[AILMENT_ADDRESS_BELIEVED] = { "believed-address",
	    "the gateway does not believe a client's X-Forwarded-For",
	    { [SERVER_OTHER] = { "the gateway's configuration, unless a proxy "
				 "of yours always sets X-Forwarded-For",
		  "use_remote_address: true\nxff_num_trusted_hops: 0" } } },
	[AILMENT_SCHEME] = { "scheme", "the gateway knows http from https",
	    { [SERVER_NGINX] = { "the location of the gateway",
		  "fastcgi_param REQUEST_SCHEME $scheme;" },
		[SERVER_HAPROXY] = { "fcgi-app sallyport",
		    "set-param REQUEST_SCHEME https if { ssl_fc }\n"
		    "set-param REQUEST_SCHEME http unless { ssl_fc }" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "REQUEST_SCHEME, or HTTPS=on, as the client came; a proxy "
		    "that ends TLS before it has to be told apart" } } },
	[AILMENT_HOST] = { "host", "the host arrives as asked for",
	    { [SERVER_OTHER] = { "the proxy before the web server",
		  "nginx: proxy_set_header Host $host; Apache: "
		  "ProxyPreserveHost On" } } },
	[AILMENT_METHOD] = { "method", "methods pass",
	    { [SERVER_APACHE] = { "Apache's configuration",
		  "no <Limit>, <LimitExcept> or AllowMethods for the gateway's "
		  "paths" },
		[SERVER_NGINX] = { "the location of the gateway",
		    "no limit_except, and no dav_methods" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "nothing may refuse methods: the gateway's routes do" } } },
	[AILMENT_HEAD] = { "head", "HEAD is answered",
	    { [SERVER_OTHER] = { "the web server's configuration",
		  "nothing may refuse HEAD" } } },
	[AILMENT_HEAD_LENGTH] = { "head-length",
	    "HEAD is answered with the length",
	    { [SERVER_APACHE] = { "the <Location> of the gateway",
		  "SetEnv ap_trust_cgilike_cl 1" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "nothing may take Content-Length off an answer" } } },
	[AILMENT_TARGET] = { "target", "the target arrives as it is written",
	    { [SERVER_NGINX] = { "the location of the gateway",
		  "fastcgi_param REQUEST_URI $request_uri;" },
		[SERVER_HAPROXY] = { "backend and fcgi-app",
		    "http-request set-var(txn.sallyport_target) pathq\n"
		    "set-param REQUEST_URI %[var(txn.sallyport_target)]" },
		[SERVER_OTHER] = { "the web server's configuration, and any "
				   "proxy before it",
		    "REQUEST_URI is the target as the client wrote it" } } },
	[AILMENT_SLASHES] = { "double-slash", "// stays in a path",
	    { [SERVER_APACHE] = { "the <VirtualHost> of this site",
		  "MergeSlashes Off" },
		[SERVER_NGINX] = { "server { }", "merge_slashes off;" },
		[SERVER_OTHER] = { "the web server's configuration, and any "
				   "proxy before it",
		    "slashes are not merged" } } },
	[AILMENT_ESCAPED_SLASH] = { "escaped-slash", "%2F stays in a path",
	    { [SERVER_APACHE] = { "the <VirtualHost> of this site",
		  "AllowEncodedSlashes NoDecode" },
		[SERVER_LIGHTTPD] = { "server.http-parseopts",
		    "no \"url-path-2f-reject\"" },
		[SERVER_NGINX] = { "the location of the gateway",
		    "fastcgi_param REQUEST_URI $request_uri;" },
		[SERVER_OTHER] = { "the web server's configuration, and any "
				   "proxy before it",
		    "%2F is neither refused nor decoded" } } },
	[AILMENT_BODY] = { "body-limit", "large bodies pass",
	    { [SERVER_LIGHTTPD] = { "lighttpd's configuration",
		  "server.max-request-size := 0" },
		[SERVER_APACHE] = { "the <Location> of the gateway; the second "
				    "with mod_fcgid",
		    "LimitRequestBody 0\nFcgidMaxRequestLen 1073741824" },
		[SERVER_NGINX] = { "server { }", "client_max_body_size 0;" },
		[SERVER_CADDY] = { "this site in the Caddyfile",
		    "no request_body max_size below what you want" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "the limit of request bodies is what you want" } } },
	[AILMENT_CHUNKED_BODY] = { "chunked-body",
	    "bodies of unknown length pass",
	    { [SERVER_LIGHTTPD] = { "lighttpd's configuration",
		  "server.stream-request-body := 0" },
		[SERVER_CADDY] = { "reverse_proxy, since Caddy 2.9",
		    "request_buffers 10MiB" },
		[SERVER_APACHE] = { "the <Location> of the gateway; the second "
				    "with mod_fcgid",
		    "LimitRequestBody 0\nFcgidMaxRequestLen 1073741824" },
		[SERVER_NGINX] = { "server { }", "client_max_body_size 0;" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "Transfer-Encoding: chunked is taken" } } },
	[AILMENT_REQUEST_HEADER] = { "request-header",
	    "long request headers pass",
	    { [SERVER_LIGHTTPD] = { "lighttpd's configuration",
		  "server.max-request-field-size := 32768" },
		[SERVER_APACHE] = { "Apache's configuration, or the first "
				    "<VirtualHost> of the address",
		    "LimitRequestFieldSize 16380" },
		[SERVER_NGINX] = { "server { }",
		    "large_client_header_buffers 4 32k;" },
		[SERVER_HAPROXY] = { "global", "tune.bufsize 32768" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "the limit of header fields" } } },
	[AILMENT_RESPONSE_HEADER] = { "response-header",
	    "long response headers pass",
	    { [SERVER_NGINX] = { "the location of the gateway",
		  "fastcgi_buffer_size 32k;\nfastcgi_buffers 8 32k;" },
		[SERVER_HAPROXY] = { "global", "tune.bufsize 32768" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "the limit of response headers" } } },
	[AILMENT_STATUS_FIELD] = { "status-field",
	    "the Status field stays inside",
	    { [SERVER_CADDY] = { "reverse_proxy", "header_down -Status" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "the field Status is taken off answers" } } },
	[AILMENT_EVENTS] = { "events", "events arrive at once",
	    { [SERVER_LIGHTTPD] = { "lighttpd's configuration",
		  "server.stream-response-body := 2" },
		[SERVER_APACHE] = { "ProxyPass, or with mod_fcgid on a line of "
				    "its own",
		    "flushpackets=on\nFcgidOutputBufferSize 0" },
		[SERVER_NGINX] = { "the location of the gateway",
		    "fastcgi_buffering off; and no fastcgi_ignore_headers "
		    "X-Accel-Buffering" },
		[SERVER_CADDY] = { "reverse_proxy", "flush_interval -1" },
		[SERVER_OTHER] = { "the web server's configuration, and any "
				   "proxy before it",
		    "answers are not buffered" } } },
	[AILMENT_STREAM] = { "stream", "streams arrive at once",
	    { [SERVER_LIGHTTPD] = { "lighttpd's configuration",
		  "server.stream-response-body := 2" },
		[SERVER_APACHE] = { "ProxyPass, or with mod_fcgid on a line of "
				    "its own",
		    "flushpackets=on\nFcgidOutputBufferSize 0" },
		[SERVER_NGINX] = { "the location of the gateway",
		    "fastcgi_buffering off;" },
		[SERVER_CADDY] = { "reverse_proxy", "flush_interval -1" },
		[SERVER_OTHER] = { "the web server's configuration, and any "
				   "proxy before it",
		    "answers are not buffered" } } },
	[AILMENT_SERIAL] = { "serial", "requests run side by side",
	    { [SERVER_APACHE] = { "Apache's configuration: mod_fcgid gives a "
				  "process one request at a time",
		  "FcgidMaxProcessesPerClass 16" },
		[SERVER_HAPROXY] = { "the server line of backend sallyport",
		    "no maxconn, or a larger one" },
		[SERVER_NGINX] = { "upstream sallyport",
		    "no max_conns, or a larger one" },
		[SERVER_OTHER] = { "the web server's configuration",
		    "no limit of connections to the gateway, and none that is "
		    "kept for one client" } } },
};

static const struct {
	const char *name, *begins;
} servers[SERVERS] = {
	[SERVER_LIGHTTPD] = { "lighttpd", "lighttpd" },
	[SERVER_APACHE] = { "Apache", "apache" },
	[SERVER_NGINX] = { "nginx", "nginx" },
	[SERVER_CADDY] = { "Caddy", "caddy" },
	[SERVER_HAPROXY] = { "HAProxy", "haproxy" },
	[SERVER_OTHER] = { "the web server", "other" },
};

const char *
ailment_id(enum ailment a)
{
	return ailments[a].id;
}

const char *
ailment_subject(enum ailment a)
{
	return ailments[a].subject;
}

struct remedy
remedy_for(enum ailment a, enum server_kind server)
{
	struct remedy r = ailments[a].by_server[server];

	return r.where ? r : ailments[a].by_server[SERVER_OTHER];
}

enum server_kind
server_by_name(struct str name)
{
	int i = 0;

	while (i < SERVER_OTHER &&
	       !str_starts_nocase(name, str_of(servers[i].begins)))
		i++;
	return (enum server_kind)i;
}

const char *
server_name(enum server_kind server)
{
	return servers[server].name;
}
