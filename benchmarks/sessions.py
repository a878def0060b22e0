"""Sessions without a browser: they speak Streamlit's protocol over a WebSocket, as a browser would.

A session opens a page, waits until its script has run, then chooses another field again and again.
"""

import asyncio
import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ZONE, LOCALE = "Asia/Ho_Chi_Minh", "vi-VN"
LONGEST = 120
"""Seconds in which a script must have run."""
CHOICE = "field"
"""The list to choose from, by its key, on every page that is measured."""
BETWEEN = 0.02
"""Seconds from one session that opens to the next."""


@dataclass
class Session:
    """One visitor: seconds of the first run and of each later one."""

    address: str
    query: str = ""
    first: float = 0.0
    later: list[float] = field(default_factory=list)
    choice: Any = None
    fragment: str = ""
    """The part of the page that runs alone when a choice is made; empty for all of it."""
    cached: set[str] = field(default_factory=set)
    """Hashes of long messages that need not be sent again."""

    async def open(self, socket: Any) -> None:
        """The first run."""
        self.first = await self._run(socket, BackMsg())

    async def choose(self, socket: Any, number: int) -> None:
        """A run after another option was chosen."""
        message = BackMsg()
        message.rerun_script.fragment_id = self.fragment
        message.rerun_script.cached_message_hashes.extend(self.cached)
        state = message.rerun_script.widget_states.widgets.add()
        options = list(self.choice.options)
        state.id, state.string_value = self.choice.id, options[number % len(options)]
        self.later.append(await self._run(socket, message))

    async def _run(self, socket: Any, message: BackMsg) -> float:
        asked = message.rerun_script
        asked.query_string = self.query
        context = asked.context_info
        context.timezone, context.locale, context.url = ZONE, LOCALE, self.address
        begun = time.perf_counter()
        await socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(await asyncio.wait_for(socket.recv(), LONGEST))
            kind = answer.WhichOneof("type")
            if answer.metadata.cacheable:
                self.cached.add(answer.hash)
            if kind == "delta":
                self._notice(answer.delta)
            if kind == "script_finished":
                return time.perf_counter() - begun

    def _notice(self, delta: Any) -> None:
        element = delta.new_element
        if element.WhichOneof("type") == "exception":
            raise RuntimeError(element.exception.message)
        if element.WhichOneof("type") == "selectbox" and element.selectbox.id.endswith(CHOICE):
            self.choice, self.fragment = element.selectbox, delta.fragment_id


def connected(port: int) -> Any:
    """A connection to a server on this machine, as an asynchronous context."""
    from websockets import connect

    address = f"ws://localhost:{port}/_stcore/stream"
    return connect(address, max_size=None, subprotocols=["streamlit"])  # type: ignore[list-item]


def wire_bytes(port: int, query: str = "") -> tuple[int, int]:
    """Bytes from the server to one visitor, as they go over the wire: first run, and a later one.

    The later one is the median of five, each with another option.
    """
    return asyncio.run(_wire_bytes(port, query))


async def _wire_bytes(port: int, query: str) -> tuple[int, int]:
    count = [0]

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("localhost", port)
        await asyncio.gather(_pump(reader, up_writer, [0]), _pump(up_reader, writer, count))

    server = await asyncio.start_server(relay, "localhost", 0)
    async with server, connected(server.sockets[0].getsockname()[1]) as socket:
        visitor = Session(f"http://localhost:{port}/", query)
        await visitor.open(socket)
        first, runs = count[0], []
        for number in range(1, 6):
            before = count[0]
            await visitor.choose(socket, number)
            runs.append(count[0] - before)
        server.close()
    return first, int(statistics.median(runs))


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: list[int]
) -> None:
    while part := await reader.read(65536):
        count[0] += len(part)
        writer.write(part)
        await writer.drain()
    writer.close()


@dataclass(frozen=True)
class Crowd:
    """So many sessions at once: seconds of their runs; memory and processor time of the server."""

    first: list[float]
    later: list[float]
    megabytes: float
    """More than before they came."""
    cpu_seconds: float


def crowd(port: int, process: int, sessions: int, runs: int, pause: float) -> Crowd:
    """So many sessions that open within moments and then choose `runs` times, `pause` s apart."""
    memory, cpu = resident(process), cpu_seconds(process)
    visitors = asyncio.run(_crowd(port, process, sessions, runs, pause))
    return Crowd(
        [visitor.first for visitor in visitors[0]],
        [seconds for visitor in visitors[0] for seconds in visitor.later],
        visitors[1] - memory,
        cpu_seconds(process) - cpu,
    )


async def _crowd(
    port: int, process: int, sessions: int, runs: int, pause: float
) -> tuple[list[Session], float]:
    visitors = [Session(f"http://localhost:{port}/") for _ in range(sessions)]
    done, leave = asyncio.Semaphore(0), asyncio.Event()

    async def visit(number: int, visitor: Session) -> None:
        await asyncio.sleep(number * BETWEEN)
        async with connected(port) as socket:
            await visitor.open(socket)
            for run in range(runs):
                # Nobody pauses exactly so long: from half to one and a half of it.
                await asyncio.sleep(pause * (0.5 + (number * 7 + run * 3) % 10 / 10))
                await visitor.choose(socket, number + run + 1)
            done.release()
            await leave.wait()

    async def measure() -> float:
        for _ in visitors:
            await done.acquire()
        held = resident(process)
        leave.set()
        return held

    tasks = [visit(number, visitor) for number, visitor in enumerate(visitors)]
    *_, held = await asyncio.gather(*tasks, measure())
    return visitors, float(held or 0.0)


def cpu_seconds(process: int) -> float:
    """Processor time of a process so far."""
    words = Path(f"/proc/{process}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """Megabytes of memory of a process now."""
    pages = Path(f"/proc/{process}/statm").read_text("utf-8").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6
