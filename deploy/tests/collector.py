"""A collector of spans: OTLP as protobuf over HTTP, as the services send it."""

import http.server
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Exported
from opentelemetry.proto.trace.v1.trace_pb2 import Status


@dataclass(frozen=True)
class Span:
    """A span as it was exported; times in seconds."""

    service: str
    kind: str
    name: str
    trace: str
    id: str
    parent: str
    start: float
    end: float
    attributes: dict[str, object]
    failed: bool

    @property
    def took(self) -> float:
        return self.end - self.start


class Collector:
    """Listens on an address of this machine until it is stopped."""

    def __init__(self, host: str) -> None:
        self._spans: list[Span] = []
        self._lock = threading.Lock()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                well = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/x-protobuf"
                if well:
                    collector._take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200 if well else 400)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def of(self, trace: str) -> list[Span]:
        """What has come of one trace."""
        with self._lock:
            return [span for span in self._spans if span.trace == trace]

    def _take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            service = _attributes(resource.resource.attributes)["service.name"]
            spans = [_read(span, service) for scope in resource.scope_spans for span in scope.spans]
            with self._lock:
                self._spans += spans


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def _read(span: Exported, service: str) -> Span:
    return Span(
        service=service.removeprefix("splinter-"),
        kind=Exported.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        start=span.start_time_unix_nano / 1e9,
        end=span.end_time_unix_nano / 1e9,
        attributes=_attributes(span.attributes),
        failed=span.status.code == Status.STATUS_CODE_ERROR,
    )
