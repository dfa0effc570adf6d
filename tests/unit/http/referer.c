#include "config.h"

#include <check.h>

#include "http/referer.h"

static const char *const kept[] = { "http://a.test/x", "https://a.test",
	"HTTP://A/", "ftp://x/", "h2+c://a/", "http://a:80/", "http://a:080/",
	"http://a:65535/", "http://[::1]:80/", "http://a..b/", "http://a?x=1",
	"http://a/?", "http://a/\"<{}>\\^`|", "foo", "/rel", "/a:b", "//host/x",
	"*", "?q", "a@b", "%", "" };

static const char *const gone[] = { "http://", "https:///x", "http:/a",
	"http:a", "about:blank", "mailto:a@b", "javascript:1", "a:b", "foo?x:y",
	"http://user@host/", "http://a_b/", "http://a%41/", "http://a b/",
	"http://a/b c", "http://a/b\x7f", "http://a/\xe4", "http://a:/",
	"http://a:x/", "http://a:65536/", "http://a:-1/",
	"http://a:99999999999999999999999/", "http://[::1", "http://[]/",
	"http://[zz]/", "http://[::1]x/", "http://:80/", "http://a#f",
	"http://a/?q#f", "/a#b", "/a b", "[x]", "\\x", "1http://x/", "://x",
	"x://" };

START_TEST(urls_with_a_host_and_relative_references_pass)
{
	ck_assert_msg(referer_is_valid(str_of(kept[_i])), "%s", kept[_i]);
}
END_TEST

START_TEST(others_do_not)
{
	ck_assert_msg(!referer_is_valid(str_of(gone[_i])), "%s", gone[_i]);
}
END_TEST

Suite *suite_http_referer(void);

Suite *
suite_http_referer(void)
{
	Suite *s = suite_create("http/referer");
	TCase *t = tcase_create("values");

	tcase_add_loop_test(t, urls_with_a_host_and_relative_references_pass, 0,
	    sizeof(kept) / sizeof(kept[0]));
	tcase_add_loop_test(
	    t, others_do_not, 0, sizeof(gone) / sizeof(gone[0]));
	suite_add_tcase(s, t);
	return s;
}
