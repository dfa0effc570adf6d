"""One table of behaviours through every web server with its file of conf/.

What a web server itself breaks is in a list of sallyport-fronts(7); a cell of
it that has come to work fails here.
"""

import os
import shutil
import tempfile

import pytest
from conftest import Scene
from harness.behaviours import BEHAVIOURS
from harness.cells import FRONTS, SETTINGS, List, installed_version
from harness.config import envoy

PATIENCE_S = 20
# For what is known not to come.
CELL_PATIENCE_S = 2

LIST = List()


LOG = {
    "name": "log",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3"
        ".FileAccessLog",
        "path": "/dev/stdout",
        "log_format": {
            "json_format": {
                "path": "%REQ(:PATH)%",
                "status": "%RESPONSE_CODE%",
                "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                "reason": "%RESPONSE_CODE_DETAILS%",
                "flags": "%RESPONSE_FLAGS%",
            }
        },
    },
}


def config(backend):
    """Everything goes to the backend as it comes."""
    route = {
        "match": {"prefix": "/"},
        "route": {"cluster": "one", "timeout": "60s"},
    }
    return envoy(
        backend,
        [route],
        use_remote_address=True,
        http_protocol_options={
            "accept_http_10": True,
            "allow_custom_methods": True,
        },
        server_header_transformation="PASS_THROUGH",
        access_log=[LOG],
    )


@pytest.fixture(scope="module", params=FRONTS)
def front(request):
    """Behind it everything goes to front.backend, without any rule."""
    folder = tempfile.mkdtemp(prefix="sally-")
    os.chmod(folder, 0o755)
    scene = Scene(folder)
    try:
        backend = scene.backend()
        front = scene.behind(config(backend), front=request.param)
        front.kind, front.backend = request.param, backend
        yield front
    finally:
        try:
            scene.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_behaviour(front, name):
    backend = front.backend
    reason = LIST.cells.get((front.kind, name))
    front.patience = CELL_PATIENCE_S if reason else PATIENCE_S
    backend.requests.clear()
    backend.hold()
    try:
        BEHAVIOURS[name](front, backend)
    except Exception:
        if not reason:
            raise
        pytest.xfail(reason)
    finally:
        backend.release()
    assert not reason, f"works: take {name} of {front.kind} off the list"


def test_the_list_names_behaviours():
    assert {name for _, name in LIST.cells} <= set(BEHAVIOURS)


def test_the_list_names_the_versions_it_is_of():
    assert LIST.versions == {s: installed_version(s) for s in SETTINGS}
