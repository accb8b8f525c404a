"""Work in a process of its own, which can be stopped at any moment: solvers overrun their limits, and may crash.

The child is started with `main` here and talks in pickled frames over its standard streams, so
that it needs nothing of the caller's main module. It ignores Ctrl-C; the caller decides what that means.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import struct
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from planner.errors import PlannerError

_HEADER: Final = struct.Struct("<Q")
_PATIENCE_S: Final = 0.3
_HARMLESS: Final = (b"[scip_event.c:", b"[gscip_event_handler.cc:")
"""Beginnings of what SCIP in OR-Tools 9.15 prints at every solve with a callback, and what changes nothing."""


@dataclass(frozen=True)
class Said:
    """What a worker sent: an event, its end, or why it failed.

    Attributes
    ----------
    worker : Worker
    kind : {'event', 'end', 'error', 'lost'}
        'error' carries the exception, 'lost' means that the process is gone.
    value : object
    """

    worker: Worker
    kind: str
    value: Any = None


class Worker:
    """A child process that iterates one generator at a time and sends what it yields.

    Parameters
    ----------
    inbox : queue.Queue
        Receives a `Said` for everything the child sends.
    """

    def __init__(self, inbox: queue.Queue[Said]) -> None:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from planner.optimise.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        self.inbox = inbox
        self.busy = False
        self._awake = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._relay = threading.Thread(target=self._pass_on, daemon=True)
        self._relay.start()

    def start(self, make: Callable[..., Iterator[Any]], *arguments: Any) -> None:
        """Have the child iterate ``make(*arguments)``; both must be picklable."""
        self.busy = True
        assert self._process.stdin is not None
        try:
            _write(self._process.stdin, (make, arguments))
        except OSError:  # the child is gone; the listener says so
            return

    def wait(self) -> None:
        """Until the child has loaded (and, the first time on a machine, compiled) what it needs, or is gone."""
        self._awake.wait()

    def stop(self) -> bool:
        """Ask the child to leave its generator; kill it if it does not answer soon. True if it can be used again."""
        if not self.busy:
            if self._process.poll() is None:
                return True
            self.kill()
            return False
        try:
            assert self._process.stdin is not None
            _write(self._process.stdin, None)
        except OSError:
            self.kill()
            return False
        kept: list[Said] = []
        try:
            while True:
                said = self.inbox.get(timeout=_PATIENCE_S)
                if said.worker is not self:
                    kept.append(said)
                elif said.kind in {"end", "error"}:
                    self.busy = False
                    return True
                elif said.kind == "lost":
                    self.kill()
                    return False
        except queue.Empty:
            self.kill()
            return False
        finally:
            for said in kept:
                self.inbox.put(said)

    def kill(self) -> None:
        """End the child at once."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        self._relay.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):  # what could not be sent is of no interest any more
                    stream.close()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def _pass_on(self) -> None:
        """What the child writes to its standard error, but for lines that would only alarm people."""
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if not line.startswith(_HARMLESS):
                sys.stderr.write(line.decode("utf-8", errors="replace"))
                sys.stderr.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                kind, value = _read(self._process.stdout)
                if kind == "awake":
                    self._awake.set()
                else:
                    self.inbox.put(Said(self, kind, value))
        except (EOFError, OSError, pickle.UnpicklingError):
            self._awake.set()
            self.inbox.put(Said(self, "lost"))


def _write(stream: BinaryIO | Any, value: Any) -> None:
    data = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_HEADER.pack(len(data)) + data)
    stream.flush()


def _read(stream: BinaryIO | Any) -> Any:
    head = stream.read(_HEADER.size)
    if len(head) < _HEADER.size:
        raise EOFError
    (size,) = _HEADER.unpack(head)
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the caller is gone."""
    todo: queue.Queue[Any] = queue.Queue()
    halt = threading.Event()

    def listen() -> None:
        try:
            while True:
                request = _read(requests)
                if request is None:
                    halt.set()
                else:
                    todo.put(request)
        except (EOFError, OSError):
            os._exit(0)  # nobody is left to work for

    threading.Thread(target=listen, daemon=True).start()
    _write(answers, ("awake", None))
    while True:
        make, arguments = todo.get()
        halt.clear()
        try:
            for event in make(*arguments):
                _write(answers, ("event", event))
                if halt.is_set():
                    break
            _write(answers, ("end", None))
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the caller
            if not isinstance(error, PlannerError):  # what is raised on purpose is an answer, and says all itself
                error.add_note(traceback.format_exc())
            try:
                _write(answers, ("error", error))
            except (pickle.PicklingError, TypeError, AttributeError):
                _write(answers, ("error", RuntimeError(f"{type(error).__name__}: {error}")))


def main() -> None:
    """Serve on the standard streams; whatever solvers print goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    requests = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    from planner.optimise.warm import compile_search  # noqa: PLC0415 - after the streams are safe

    compile_search()  # from the cache: so that the first request finds everything loaded
    _serve(requests, answers)
