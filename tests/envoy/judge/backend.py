"""Backends that answer as the case says and remember what they were asked.

An answer is a map, all of whose parts may be left out:

    status: 200            reason: X            headers: [[name, value], ...]
    body: text             ("ok" unless given; content-length fits it)
    chunked: true          the body in one chunk instead
    delay: 0.2             seconds before the answer
    fail: close            closes without an answer; "reset" with an RST
          half             half of the body, then, after a while, closes
          half-head        closes within the header section
          malformed        answers with something that is not HTTP
          hang             never answers
    raw: text              these bytes, then closes; with "stay" it does not,
                           with "then" it sends more, after a while
    hold: true             answers when the request beside it is answered
    host: A                only that host gives this answer
    anonymous: true        without the header x-host, which names the host
"""

import asyncio
import threading

from harness.backend import Backend


class Scripted(Backend):
    """One host; what it answers comes from the script that all share."""

    def __init__(self, name, script, tls=None):
        self.name, self.script, self.tls = name, script, tls
        super().__init__()

    async def _behave(self, stream):
        answer = self.script.next(self.name)
        if answer.get("fail") in ("reset", "half-head", "malformed"):
            self.script.note(self.name, stream.request)
            await self._fail(stream, answer["fail"], answer)
            return
        await stream.read_body()
        self.script.note(self.name, stream.request)
        if answer.get("delay"):
            await asyncio.sleep(answer["delay"])
        while answer.get("hold") and not self.script.released.is_set():
            await asyncio.sleep(0.01)
        if answer.get("raw") is not None:
            await stream.write(answer["raw"].encode("latin-1"))
            if answer.get("then"):
                await asyncio.sleep(0.2)
                await stream.write(answer["then"].encode("latin-1"))
            if answer.get("stay"):
                await stream.reader.read()
            stream.close()
        elif answer.get("fail"):
            await self._fail(stream, answer["fail"], answer)
        else:
            await self._answer(stream, answer)

    async def _answer(self, stream, answer):
        status = answer.get("status", 200)
        bare = status in (204, 304)
        body = b"" if bare else answer.get("body", "ok").encode()
        headers = [] if answer.get("anonymous") else [("x-host", self.name)]
        headers += [tuple(map(str, pair)) for pair in answer.get("headers", [])]
        if not answer.get("chunked"):
            await stream.answer(status, headers, body)
            return
        headers.append(("transfer-encoding", "chunked"))
        await stream.head(status, headers)
        await stream.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    async def _fail(self, stream, how, answer):
        if how == "reset":
            stream.reset()
        elif how == "half":
            body = answer.get("body", "x" * 1000).encode()
            await stream.head(200, [("content-length", str(2 * len(body)))])
            await stream.write(body)
            await asyncio.sleep(0.2)
        elif how == "half-head":
            await stream.write(b"HTTP/1.1 200 OK\r\nX-One: 1\r\nX-Tw")
        elif how == "malformed":
            await stream.write(b"SSH-2.0-this is no HTTP\r\n\r\n")
        elif how == "hang":
            await stream.reader.read()
        else:
            assert how == "close", how
        stream.close()


class Script:
    def __init__(self, tls):
        """tls is the context of host T."""
        self.start([{}])
        self.hosts = {name: Scripted(name, self) for name in "ABC"}
        self.hosts["T"] = Scripted("T", self, tls)

    def start(self, answers):
        self.answers, self.seen = list(answers), []
        self.released = threading.Event()

    def next(self, name):
        """The next answer for that host; the last one again and again."""
        fit = [a for a in self.answers if a.get("host", name) == name]
        if not fit:
            return {}
        if len(fit) > 1:
            self.answers.remove(fit[0])
        return fit[0]

    def note(self, name, request):
        self.seen.append((name, request))

    def places(self):
        return {name: host.port for name, host in self.hosts.items()}

    def stop(self):
        for host in self.hosts.values():
            host.stop()
