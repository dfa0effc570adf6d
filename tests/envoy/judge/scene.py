"""Fixtures for tests that start programs of their own."""

import os
import shutil
import tempfile

import pytest
from harness import servers
from harness.backend import Backend


class Scene:
    """What a test starts; all of it is stopped, the latest first."""

    def __init__(self, folder):
        self.folder = folder
        self.started = []
        self.n_folders = 0

    def new_folder(self):
        self.n_folders += 1
        path = f"{self.folder}/{self.n_folders}"
        os.mkdir(path)
        return path

    def keep(self, what):
        self.started.append(what)
        return what

    def behind_lighttpd(self, config, **options):
        """A Sallyport behind lighttpd; returns the web server."""
        gateway = servers.Sallyport(self.new_folder(), config, **options)
        self.keep(gateway).ready()
        return self.keep(servers.behind_lighttpd(gateway))

    def stop(self):
        errors = []
        while self.started:
            try:
                self.started.pop().stop()
            except AssertionError as e:
                errors.append(str(e))
        assert not errors, "\n".join(errors)


@pytest.fixture
def scene():
    folder = tempfile.mkdtemp(prefix="inside-")
    made = Scene(folder)
    try:
        yield made
    finally:
        try:
            made.stop()
        finally:
            if os.environ.get("KEEP"):
                print("kept:", folder)
            else:
                shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def backend(scene):
    return scene.keep(Backend())
