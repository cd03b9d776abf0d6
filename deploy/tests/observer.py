"""A NATS client that listens to what everyone may listen to: metrics and receipts."""

import asyncio
import tempfile
import threading
import uuid
from collections import Counter
from pathlib import Path

import msgpack
import nats


class Observer:
    """Hears `splinter.v1.metrics.>` and `splinter.v1.receipt.>` from when it is entered on, in a thread of its own."""

    def __init__(self, port: int, seed: str | None) -> None:
        self.url, self.seed = f"nats://127.0.0.1:{port}", seed
        self.metrics: Counter[str] = Counter()
        self.receipts: Counter[str] = Counter()
        self.outcomes: dict[str, object] = {}
        self.errors: list[str] = []
        self._loop = asyncio.new_event_loop()
        # Set when there is something to do: the connection is gone, or the observer is to stop.
        self._wake, self._stopping = asyncio.Event(), False
        self._ready, self._thread = threading.Event(), threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Observer":
        self._thread.start()
        if not self._ready.wait(15):
            raise TimeoutError(f"the observer has no connection to {self.url}: {self.errors}")
        return self

    def __exit__(self, *_) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(15)

    def _stop(self) -> None:
        self._stopping = True
        self._wake.set()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._listen())
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}")
        finally:
            self._loop.close()

    async def _listen(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            # Against a broker that is gone it would try for two minutes, deaf to being stopped.
            options = {"inbox_prefix": b"_INBOX_observer", "max_reconnect_attempts": 1, "reconnect_time_wait": 0.2}
            if self.seed:
                path = Path(folder) / "observer.nk"
                path.touch(mode=0o600)
                path.write_text(self.seed.strip())
                options["nkeys_seed"] = str(path)

            # The library would reconnect by itself, and leave each connection open that a broker accepts and then breaks.
            while not self._stopping:
                self._wake.clear()
                try:
                    await self._listen_once(options)
                except (OSError, asyncio.TimeoutError, nats.errors.Error) as error:
                    self.errors.append(str(error))
                    await asyncio.sleep(0.2)

    async def _listen_once(self, options: dict) -> None:
        async def failed(error: Exception) -> None:
            self.errors.append(str(error))

        async def gone() -> None:
            self._wake.set()

        client = nats.NATS()
        try:
            await client.connect(self.url, error_cb=failed, closed_cb=gone, allow_reconnect=False, **options)
            await client.subscribe("splinter.v1.metrics.>", cb=self._metric)
            await client.subscribe("splinter.v1.receipt.>", cb=self._receipt)
            await client.flush()
            self._ready.set()
            await self._wake.wait()
        finally:
            await client.close()

    async def _metric(self, message) -> None:
        self.metrics[message.subject.split(".")[3]] += 1

    async def _receipt(self, message) -> None:
        receipt = msgpack.unpackb(message.data)
        # Ids are 16 bytes in MessagePack, text in JSON.
        one = str(uuid.UUID(bytes=receipt["id"]))
        self.receipts[one] += 1
        self.outcomes[one] = receipt["outcome"]
