/* The clusters, the router, and requests to them. */
#include "config.h"

#include <check.h>

#include "base/clock.h"
#include "state/counter.h"
#include "tests/unit/upstream/scene.h"

struct scene scene;

static void
too_late(void *arg)
{
	(void)arg;
	ck_abort_msg("nothing happened for too long");
}

static void
make_cluster(struct cluster *c, struct conf_cluster *conf, const char *name)
{
	static const struct thresholds envoys = { 1024, 1024, 1024, 3, false,
		20, 3 };
	struct cluster_host *hosts =
	    ARENA_ARRAY(scene.arena, SCENE_HOSTS, struct cluster_host);

	conf->name = str_of(name);
	*c = (struct cluster){ .conf = conf,
		.stat_name = conf->name,
		.index = (size_t)(c - scene.one),
		.first = (size_t)(c - scene.one) * SCENE_HOSTS,
		.hosts = hosts,
		.n = SCENE_HOSTS,
		.thresholds = { envoys, envoys } };
	for (size_t i = 0; i < SCENE_HOSTS; i++) {
		hosts[i].origin.index = c->first + i;
		hosts[i].origin.url = scene.backend.url;
		hosts[i].origin.connect_timeout_ms = 5000;
		hosts[i].weight = 1;
	}
}

void
scene_begin(void)
{
	struct clusters *all;

	scene = (struct scene){ .loop = loop_new(), .arena = arena_new(4096) };
	backend_start(&scene.backend);
	timer_set(scene.loop, &scene.deadline, SCENE_PATIENCE_S * NS_PER_S,
	    too_late, NULL);
	scene.state = state_private();
	state_join(scene.state);
	scene.confs = ARENA_ARRAY(scene.arena, 2, struct conf_cluster);
	scene.one = ARENA_ARRAY(scene.arena, 2, struct cluster);
	scene.two = scene.one + 1;
	make_cluster(scene.one, &scene.confs[0], "one");
	make_cluster(scene.two, &scene.confs[1], "two");
	all = ARENA_NEW(scene.arena, struct clusters);
	*all = (struct clusters){ .items = scene.one,
		.n = 2,
		.n_hosts = 2UL * SCENE_HOSTS,
		.n_origins = 2UL * SCENE_HOSTS,
		.retry_base_ms = 1,
		.retry_percent = 100 };
	scene.router = router_new(scene.loop, all, scene.state);
}

void
scene_finish(void)
{
	timer_clear(scene.loop, &scene.deadline);
	router_free(scene.router);
	state_leave(scene.state);
	state_close(scene.state);
	loop_free(scene.loop);
	arena_free(scene.arena);
	backend_stop(&scene.backend);
}

static struct conf_bootstrap *
bootstrap(void)
{
	struct conf_bootstrap *b =
	    ARENA_NEW(scene.arena, struct conf_bootstrap);
	struct conf_static_resources *all =
	    ARENA_NEW(scene.arena, struct conf_static_resources);

	b->static_resources = all;
	all->clusters.items = scene.confs;
	all->clusters.n = 2;
	return b;
}

struct exchange *
scene_request(const char *method, const char *path)
{
	struct exchange *x = fake_exchange(scene.arena, &scene.front);

	scene.front = (struct fake_front){ .replied = 0 };
	fake_route(x)->cluster = &scene.confs[0];
	fake_gateway(x)->bootstrap = bootstrap();
	headers_add(&x->request, STR(":method"), str_of(method));
	headers_add(&x->request, STR(":path"), str_of(path));
	headers_add(&x->request, STR(":authority"), STR("front.test"));
	headers_add(&x->request, STR(":scheme"), STR("http"));
	return x;
}

bool
scene_is_over(const struct exchange *x)
{
	return x->phase == EXCHANGE_CUT || scene.front.replied ||
	       x->download_end;
}

static void
stop_if_over(struct exchange *x)
{
	if (scene_is_over(x))
		loop_stop(scene.loop);
}

void
scene_run(struct exchange *x)
{
	if (!scene.front.on_changed)
		scene.front.on_changed = stop_if_over;
	router_forward(scene.router, x);
	scene_wait(x);
}

void
scene_wait(struct exchange *x)
{
	if (!scene.front.on_changed)
		scene.front.on_changed = stop_if_over;
	while (!scene_is_over(x))
		loop_run(scene.loop);
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop(scene.loop);
}

void
scene_until(bool (*is_so)(void))
{
	struct timer tick = { 0 };

	while (!is_so()) {
		timer_set(scene.loop, &tick, NS_PER_MS, stop, NULL);
		loop_run(scene.loop);
	}
	timer_clear(scene.loop, &tick);
}

void
scene_end(struct exchange *x)
{
	router_end(x);
	buf_free(&x->upload);
	buf_free(&x->download);
}

uint64_t
scene_count(const char *name)
{
	return counter_get(scene.state,
	    counter_find(scene.state,
		arena_printf(scene.arena, "cluster.one.%s", name)));
}

void
scene_assert_text(struct str got, const char *expected)
{
	if (!str_eq(got, str_of(expected)))
		ck_abort_msg("got \"" STR_FMT "\", expected \"%s\"",
		    STR_ARG(got), expected);
}

void
scene_assert_reply(struct exchange *x, unsigned status, const char *body,
    const char *details, const char *flag)
{
	ck_assert_uint_eq(scene.front.replied, status);
	ck_assert_uint_eq(scene.front.responds, 0);
	scene_assert_text(x->local_body, body);
	scene_assert_text(x->details, details);
	if (flag)
		ck_assert_str_eq(scene.front.flag, flag);
	else
		ck_assert_ptr_null(scene.front.flag);
}

void
scene_assert_answer(struct exchange *x, const char *status, const char *body)
{
	ck_assert_uint_eq(scene.front.replied, 0);
	ck_assert_uint_eq(scene.front.responds, 1);
	scene_assert_text(headers_get(&x->response, STR(":status")), status);
	scene_assert_text(buf_bytes(&x->download), body);
}
