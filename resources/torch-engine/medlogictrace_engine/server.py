"""One rank's life: take requests in turn, do them, answer. A reader thread sees cancellations and the end of the other side at once."""

from __future__ import annotations

import os
import queue
import shutil
import threading
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from .engine import Engine
from .protocol import Array, Connection, Frame, ProtocolError
from .rollout import Step
from .settings import settings_of, take
from .team import Cancelled, Team, VerbError

GONE = 86
"""Exit code of a rank whose rank 0, or whose runner, is gone."""


class Server:
    """`upstream` is the runner (rank 0) or rank 0 (the others); `downstream` are the others (rank 0 only); `folder` holds the sockets."""

    def __init__(self, team: Team, upstream: Connection, downstream: list[Connection], folder: Path) -> None:
        self.team = team
        self.folder = folder
        self.upstream = upstream
        self.downstream = downstream
        self.requests: queue.Queue[Frame | None] = queue.Queue()
        self.cancelled: set[int] = set()
        self.ended = [threading.Semaphore(0) for _ in downstream]
        self.engine: Engine | None = None
        self.closing = False

    def run(self) -> None:
        threading.Thread(target=self.read_upstream, daemon=True).start()
        for i in range(len(self.downstream)):
            threading.Thread(target=self.read_downstream, args=(i,), daemon=True).start()
        while True:
            frame = self.requests.get()
            if frame is None:
                break
            self.answer(frame)

    # ---- reader threads

    def read_upstream(self) -> None:
        try:
            while (received := self.upstream.receive()) is not None:
                frame, raw = received
                for other in self.downstream:
                    other.send_bytes(raw)
                verb = frame.header.get("verb")
                if verb == "cancel":
                    self.cancelled.add(int(frame.header["id"]))
                elif verb == "dispose":
                    self.closing = True
                    self.requests.put(None)
                    return
                else:
                    self.requests.put(frame)
        except (OSError, ProtocolError, ValueError) as error:
            print(f"rank {self.team.rank}: the connection broke: {error}", flush=True)
        # Nobody is there to compute for, nor to clean up: in the middle of whatever this rank is doing.
        if self.team.rank == 0:
            shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(GONE)

    def read_downstream(self, i: int) -> None:
        """Passes a rank's tokens on to the runner; tells the runner when the rank is gone, since nothing can be computed without it."""
        try:
            while (received := self.downstream[i].receive()) is not None:
                frame, raw = received
                if frame.header.get("type") == "ended":
                    self.ended[i].release()
                else:
                    self.upstream.send_bytes(raw)
        except (OSError, ProtocolError):
            pass
        if not self.closing:
            try:
                self.upstream.send({"type": "lost", "rank": i + 1})
            finally:
                os._exit(GONE)

    # ---- verbs

    def answer(self, frame: Frame) -> None:
        number = int(frame.header["id"])
        try:
            data, tensors = self.carry_out(number, frame)
        except Cancelled as error:
            self.reply({"type": "error", "id": number, "kind": "cancelled", "message": str(error)})
        except (VerbError, ValueError, KeyError, OSError) as error:
            message = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
            self.reply({"type": "error", "id": number, "kind": "failed", "message": message})
        except Exception as error:  # noqa: BLE001 - what nobody foresaw ends the engine, but is told first
            traceback.print_exc()
            self.reply({"type": "error", "id": number, "kind": "broken", "message": f"{type(error).__name__}: {error}"})
            os._exit(1)
        else:
            self.reply({"type": "reply", "id": number, "data": data}, tensors)
        self.cancelled.discard(number)

    def reply(self, header: dict[str, Any], tensors: dict[str, Array] | None = None) -> None:
        if self.team.rank == 0:
            self.upstream.send(header, tensors)
        elif header["type"] == "error" and header["kind"] == "broken":
            print(f"rank {self.team.rank}: {header['message']}", flush=True)

    def carry_out(self, number: int, frame: Frame) -> tuple[dict[str, Any], dict[str, Array] | None]:
        verb = frame.header["verb"]

        def check() -> None:
            if number in self.cancelled:
                raise Cancelled("stopped by the runner")

        if verb == "open":
            settings = settings_of(frame.header)
            self.engine = self.team.settle(lambda: Engine(settings, self.team))
            return self.engine.describe(), None
        if self.engine is None:
            raise VerbError("no model is open")
        data: dict[str, Any] = {}
        tensors: dict[str, Array] | None = None
        if verb == "logprobs":
            tensors = self.engine.logprobs(frame, check)
        elif verb == "update":
            data = self.engine.update(frame, check)
        elif verb == "generate":
            data = self.generate(number, frame, check)
        elif verb in ("save", "load"):
            getattr(self.engine, verb)(take(frame.header, "folder", str), take(frame.header, "what", str))
        elif verb == "freeze_reference":
            self.engine.model.freeze_reference()
        else:
            raise VerbError(f"unknown verb {verb!r}")
        return {**data, "memory": self.engine.memory()}, tensors

    def generate(self, number: int, frame: Frame, check: Any) -> dict[str, Any]:
        """Ends once the tokens of all ranks have been passed on."""
        assert self.engine is not None

        def emit(step: Step) -> None:
            self.upstream.send({"type": "tokens", "id": number}, columns(step))

        try:
            return self.engine.generate(frame, emit, check)
        finally:
            if self.team.rank != 0:
                self.upstream.send({"type": "ended", "id": number})
            for ended in self.ended:
                ended.acquire()


def columns(step: Step) -> dict[str, Array]:
    whole = {name: np.array(getattr(step, name), dtype="<i4") for name in ("prompt", "sample", "position", "id")}
    return {**whole, "logprob": np.array(step.logprob, dtype="<f4"), "finish": np.array(step.finish, dtype="u1")}
