"""A backend that does as the path says, right or wrong, byte by byte.

The first segment of the path chooses the behaviour; any other path echoes
the request as JSON. Bytes appear in JSON as latin-1 text, so nothing is lost.
"""

import asyncio
import hashlib
import json
import threading
from urllib.parse import parse_qs, urlsplit

from .wait import until

BLOCK = bytes(range(256)) * 256


class Request:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ", 2)
        self.headers = []
        for line in lines[1:]:
            if line:
                name, _, value = line.partition(":")
                self.headers.append((name, value.strip(" \t")))
        parts = urlsplit(self.target)
        self.segments = [s for s in parts.path.split("/") if s]
        self.query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
        self.body = b""

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None


class Stream:
    """One request on its connection, as a behaviour sees it."""

    def __init__(self, backend, request, reader, writer):
        self.backend = backend
        self.request = request
        self.reader = reader
        self.writer = writer
        self.keep = (request.header("connection") or "").lower() != "close"

    async def body_parts(self):
        request = self.request
        if (request.header("transfer-encoding") or "").lower() == "chunked":
            while True:
                size = int(await self.reader.readuntil(b"\r\n"), 16)
                part = await self.reader.readexactly(size + 2)
                if size == 0:
                    return
                yield part[:-2]
        left = int(request.header("content-length") or 0)
        while left:
            part = await self.reader.read(min(left, 1 << 16))
            if not part:
                raise asyncio.IncompleteReadError(b"", left)
            left -= len(part)
            yield part

    async def read_body(self):
        body = b""
        async for part in self.body_parts():
            body += part
        self.request.body = body
        return body

    async def write(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def head(self, status, headers=(), reason="X"):
        text = f"HTTP/1.1 {status} {reason}\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in headers
        )
        await self.write(text.encode("latin-1") + b"\r\n")

    async def answer(self, status=200, headers=(), body=b""):
        headers = list(headers)
        if status == 304 or status == 204:
            body = b""
        else:
            headers.append(("Content-Length", str(len(body))))
        if not self.keep:
            headers.append(("Connection", "close"))
        await self.head(status, headers)
        # A body on a 204 would be taken for the next answer.
        if self.request.method != "HEAD" and status not in (204, 304):
            await self.write(body)

    def close(self):
        self.keep = False

    def reset(self):
        self.keep = False
        self.writer.transport.abort()


class Backend:
    """Runs in a thread of its own, on a free port of the loopback."""

    tls = None  # an ssl.SSLContext

    def __init__(self):
        self.requests = []
        self.in_flight = 0
        self.max_in_flight = 0
        self.connections = 0
        self.broken_off = 0
        self.failing = False
        self.on = {}
        self._loop = asyncio.new_event_loop()
        self._gate = asyncio.Event()
        self.host = "127.0.0.1"
        self._tasks = set()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ready,), daemon=True
        )
        self._thread.start()
        assert ready.wait(10)

    def _run(self, ready):
        asyncio.set_event_loop(self._loop)

        async def start():
            self._server = await asyncio.start_server(
                self._serve,
                "127.0.0.1",
                0,
                backlog=4096,
                limit=1 << 20,
                ssl=self.tls,
            )
            self.port = self._server.sockets[0].getsockname()[1]
            ready.set()

        self._loop.run_until_complete(start())
        self._loop.run_forever()

    @property
    def authority(self):
        return f"{self.host}:{self.port}"

    @property
    def url(self):
        return f"http://{self.authority}"

    def stop(self):
        def end():
            self._server.close()
            for task in self._tasks:
                task.cancel()
            self._loop.call_later(0, self._loop.stop)

        self._loop.call_soon_threadsafe(end)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._loop.close()

    def release(self):
        """Lets those waiting at /wait go on."""
        self._loop.call_soon_threadsafe(self._gate.set)

    def hold(self):
        """The opposite of release()."""
        self._loop.call_soon_threadsafe(self._gate.clear)

    async def pause(self, seconds):
        await asyncio.sleep(seconds)

    def is_released(self):
        return self._gate.is_set()

    async def is_left(self, stream):
        """Waits until a peer that sends no more closes, or for release()."""
        closed = asyncio.ensure_future(stream.reader.read())
        released = asyncio.ensure_future(self._gate.wait())
        both = {closed, released}
        done, rest = await asyncio.wait(
            both, return_when=asyncio.FIRST_COMPLETED
        )
        for task in rest:
            task.cancel()
        return closed in done

    def wait_in_flight(self, n):
        until(
            lambda: self.in_flight >= n,
            f"{n} requests are at the backend",
            60,
        )

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._serve_one(reader, writer):
                pass
        except (
            asyncio.IncompleteReadError,
            asyncio.CancelledError,
            ConnectionError,
        ):
            self.broken_off += 1
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve_one(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as e:
            if e.partial:
                raise
            return False
        request = Request(head[:-4])
        self.requests.append(request)
        stream = Stream(self, request, reader, writer)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            await self._behave(stream)
        finally:
            self.in_flight -= 1
        return stream.keep

    async def _behave(self, stream):
        name = stream.request.segments[0] if stream.request.segments else ""
        own = self.on.get("/" + name)
        if own:
            await own(stream)
            return
        method = getattr(self, "do_" + name.replace("-", "_"), self.do_echo)
        await method(stream)

    # What the first segment of a path may be.

    async def do_echo(self, stream):
        request = stream.request
        body = await stream.read_body()
        text = json.dumps(
            {
                "method": request.method,
                "target": request.target,
                "headers": request.headers,
                "body": body.decode("latin-1"),
            }
        )
        await stream.answer(
            200, [("Content-Type", "application/json")], text.encode()
        )

    async def do_status(self, stream):
        await stream.read_body()
        status = int(stream.request.segments[1])
        await stream.answer(status, (), b"status %d\n" % status)

    async def do_flaky(self, stream):
        """500 while the switch is on."""
        await stream.read_body()
        if self.failing:
            await stream.answer(500, (), b"broken\n")
        else:
            await stream.answer(200, (), b"fine\n")

    async def do_delay(self, stream):
        await stream.read_body()
        await asyncio.sleep(int(stream.request.segments[1]) / 1000)
        await stream.answer(200, (), b"late\n")

    async def do_wait(self, stream):
        """Answers once release() is called."""
        await stream.read_body()
        await self._gate.wait()
        await stream.answer(200, (), b"released\n")

    async def do_never(self, stream):
        await stream.reader.read()
        stream.close()

    async def do_reset(self, stream):
        stream.reset()

    async def do_close(self, stream):
        await stream.read_body()
        stream.close()

    async def do_malformed(self, stream):
        await stream.write(b"SSH-2.0-this is no HTTP\r\n\r\n")
        stream.close()

    async def do_half_length(self, stream):
        await stream.head(200, [("Content-Length", "100000")])
        await stream.write(b"x" * 50000)
        stream.close()

    async def do_half_chunked(self, stream):
        await stream.head(200, [("Transfer-Encoding", "chunked")])
        await stream.write(b"c350\r\n" + b"x" * 50000 + b"\r\n")
        stream.close()

    async def do_half_headers(self, stream):
        await stream.write(b"HTTP/1.1 200 OK\r\nX-One: 1\r\nX-Tw")
        stream.close()

    async def do_huge_header(self, stream):
        await stream.answer(200, [("X-Big", "a" * 500_000)], b"")

    async def do_continue(self, stream):
        await stream.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        await stream.answer(200, (), b"after the hints\n")

    async def do_headers(self, stream):
        """Answers with the fields of self.response_headers."""
        await stream.read_body()
        await stream.answer(
            getattr(self, "response_status", 200), self.response_headers, b"ok"
        )

    async def do_chunked(self, stream):
        await stream.read_body()
        await stream.head(200, [("Transfer-Encoding", "chunked")])
        for part in (b"one ", b"two ", b"three"):
            await stream.write(b"%x\r\n%s\r\n" % (len(part), part))
        await stream.write(b"0\r\n\r\n")

    async def do_unknown_length(self, stream):
        await stream.head(200, [("Connection", "close")])
        await stream.write(b"until the end")
        stream.close()

    async def do_sse(self, stream):
        """One event, and the second once release() is called."""
        await stream.head(
            200,
            [
                ("Content-Type", "text/event-stream"),
                ("Transfer-Encoding", "chunked"),
            ],
        )
        await stream.write(b"d\r\ndata: first\n\n\r\n")
        await self._gate.wait()
        await stream.write(b"e\r\ndata: second\n\n\r\n0\r\n\r\n")

    async def do_download(self, stream):
        left = int(stream.request.segments[1])
        await stream.head(200, [("Content-Length", str(left))])
        while left:
            part = BLOCK[: min(left, len(BLOCK))]
            await stream.write(part)
            left -= len(part)

    async def do_sink(self, stream):
        """Says how much came and what it hashes to."""
        digest, n = hashlib.blake2b(), 0
        async for part in stream.body_parts():
            digest.update(part)
            n += len(part)
        text = json.dumps({"bytes": n, "blake2b": digest.hexdigest()})
        await stream.answer(200, (), text.encode())
