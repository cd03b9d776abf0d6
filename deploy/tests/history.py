"""Requests over HTTP, each written down with how it ended: what the promises are held against."""

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

# The deadline that a gateway gives a request of a short limit (docs/adr/0003-limit-and-deadline.md).
DEADLINE_S = 5.0
# Promise 1: the deadline, one round trip and 50 ms. The rest is this machine's: two cores run the system and this client.
SLACK_S = 0.05 + 0.45


@dataclass
class Ended:
    """How one request ended."""

    began: float
    ended: float
    # None where the connection broke: it was refused, or cut off.
    status: int | None
    body: dict = field(default_factory=dict)
    problem: str = ""

    @property
    def id(self) -> str | None:
        return self.body.get("id")

    @property
    def answered(self) -> bool:
        return self.status == 200

    @property
    def typed(self) -> bool:
        """An answer, or an error that says what it is."""
        return self.answered or (self.status is not None and "kind" in self.body and "error" in self.body)

    @property
    def split(self) -> bool:
        """The cloud ran a part of the network."""
        return self.answered and any(stage.get("place") == "cloud" for stage in self.body["stages"])

    @property
    def took(self) -> float:
        return self.ended - self.began


def ask(port: int, picture: bytes, query: str, model: str = "shapes10", **headers: str) -> Ended:
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S + 5)
    try:
        connection.request("POST", f"/v1/infer/{model}?{query}", picture, {"Content-Type": "image/png"} | headers)
        response = connection.getresponse()
        text = response.read()
        body = json.loads(text) if text else {}
        return Ended(began, time.monotonic(), response.status, body)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Ended(began, time.monotonic(), None, problem=f"{type(error).__name__}: {error}")
    finally:
        connection.close()


class Load:
    """Clients that ask one after the other until they are told to stop; the history of all of them."""

    def __init__(
        self, port: int, pictures: list[Path], query: str, clients: int = 4, pause: float = 0.05, model: str = "shapes10"
    ) -> None:
        self.port, self.query, self.pause, self.model = port, query, pause, model
        self.pictures = [path.read_bytes() for path in pictures]
        self.history: list[Ended] = []
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._client, args=(index,)) for index in range(clients)]

    def _client(self, index: int) -> None:
        while not self._stop.is_set():
            ended = ask(self.port, self.pictures[index % len(self.pictures)], self.query, self.model)
            with self._lock:
                self.history.append(ended)
            index += len(self._threads)
            # A gateway that is down refuses at once: asking without end would only heat the machine.
            self._stop.wait(self.pause if ended.status is not None else max(self.pause, 0.1))

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> list[Ended]:
        self._stop.set()
        for thread in self._threads:
            thread.join(DEADLINE_S + 10)
        return self.so_far()

    def so_far(self) -> list[Ended]:
        with self._lock:
            return sorted(self.history, key=lambda ended: ended.ended)

    def since(self, moment: float) -> list[Ended]:
        return [ended for ended in self.so_far() if ended.began >= moment]


def broken_promises(history: list[Ended], *, gateway_may_vanish: bool = False) -> list[str]:
    """Requests that did not end exactly once, in time, with an answer or a typed error."""
    broken = []
    for ended in history:
        if ended.status is None:
            if not gateway_may_vanish:
                broken.append(f"no outcome: {ended.problem} after {ended.took:.2f} s")
        elif not ended.typed:
            broken.append(f"status {ended.status} without a typed error: {ended.body}")
        elif ended.took > DEADLINE_S + SLACK_S:
            broken.append(f"an outcome only after {ended.took:.2f} s: status {ended.status}")
    ids = [ended.id for ended in history if ended.answered]
    broken += [f"answered twice: {one}" for one in set(ids) if ids.count(one) > 1]
    return broken
