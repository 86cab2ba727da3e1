"""Open watches as answers: which bytes an event has, and when a watch ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fakekube import codec, options, status, store, watch
from fakekube.call import Call, Response
from fakekube.registry import with_version
from fakekube.store import Record

if TYPE_CHECKING:
    from fakekube.server import Kube

Json = Any
Object = dict[str, Any]


class Stream:
    """What the connection starts: a watch with its timers."""

    def __init__(self, hub: Watches, found: watch.Watch, timeout_s: float) -> None:
        self.watch = found
        self.timeout_s = timeout_s
        self.sink: Any = None
        self.timer: Any = None
        self._hub = hub

    def start(self, sink: Any) -> None:
        """Begin to send."""
        self.sink = sink
        if not self.watch.is_over:
            self._hub.open_streams[self] = None
            self.watch.when_over = lambda: self._hub.forget(self)
            self._hub.schedule(self)
        self.watch.start(sink)

    def close(self) -> None:
        """Let go of a client that is gone."""
        self.watch.close()


class Watches:
    """All watches of one server."""

    def __init__(self, kube: Kube) -> None:
        self.kube = kube
        self.open_streams: dict[Stream, None] = {}
        self.call_later: Callable[[float, Callable[[], None]], Any] | None = None
        """How time passes: the event loop's own, set by whoever serves."""
        self._ticker: Any = None

    def open(self, call: Call, wanted: options.ListOptions) -> Response:
        """Answer with a watch."""
        encode = self._encoder(call)
        resource = call.resource

        def mark(rv: int, is_end: bool) -> bytes:  # noqa: FBT001 - a callback
            kind, version = resource.kind, resource.api_version
            if call.media.shape == "PartialObjectMetadata":
                kind, version = "PartialObjectMetadata", "meta.k8s.io/v1"
            obj = watch.bookmark_object(version, kind, rv, is_initial_end=is_end)
            if call.media.shape == "Table":
                obj = self.kube.roots.table(call, [], obj["metadata"])
            if call.media.format == codec.PROTOBUF and not call.media.shape:
                found: bytes = codec.protobuf().frame("BOOKMARK", obj)
                return found
            return watch.line("BOOKMARK", store.encode(obj))

        found = self.kube.registry.watch(call, wanted, encode, mark)
        low, high = watch.TIMEOUT_S
        timeout = float(wanted.timeout_s or 0) or low + (high - low) * self.kube.chance.share()
        content_type = call.media.format
        if content_type == codec.PROTOBUF:
            content_type += ";stream=watch"
        return Response(200, stream=Stream(self, found, timeout), content_type=content_type)

    def _encoder(self, call: Call) -> Callable[[str, Record, int], bytes]:
        registry, resource = self.kube.registry, call.resource
        if call.media.shape == "Table":
            return self._table_encoder(call)
        if call.media.shape:

            def encode_partial(type_: str, record: Record, rv: int) -> bytes:
                raw = with_version(registry.raw(record, resource), record.rv, rv)
                return watch.line(type_, store.encode(codec.partial_metadata(store.decode(raw))))

            return encode_partial
        if call.media.format == codec.PROTOBUF:
            frame = codec.protobuf().frame

            def encode_frame(type_: str, record: Record, rv: int) -> bytes:
                raw = with_version(registry.raw(record, resource), record.rv, rv)
                found: bytes = frame(type_, store.decode(raw))
                return found

            return encode_frame
        prefixes = {each: b'{"type":"%b","object":' % each.encode() for each in _TYPES}

        def encode(type_: str, record: Record, rv: int) -> bytes:
            raw = registry.raw(record, resource)
            if record.rv != rv:
                raw = with_version(raw, record.rv, rv)
            return b"%b%b}\n" % (prefixes[type_], raw)

        return encode

    def _table_encoder(self, call: Call) -> Callable[[str, Record, int], bytes]:
        is_first = [True]

        def encode(type_: str, record: Record, rv: int) -> bytes:
            raw = with_version(self.kube.registry.raw(record, call.resource), record.rv, rv)
            obj = self.kube.roots.table(call, [store.decode(raw)], {"resourceVersion": str(rv)})
            if not is_first[0]:
                # Only the first event tells the columns.
                obj["columnDefinitions"] = None
            is_first[0] = False
            return watch.line(type_, store.encode(obj))

        return encode

    # Time.

    def schedule(self, stream: Stream) -> None:
        """End a watch when its time is over, and keep bookmarks coming."""
        if self.call_later is None:
            return
        stream.timer = self.call_later(stream.timeout_s, stream.watch.end)
        if self._ticker is None:
            self._ticker = self.call_later(watch.BOOKMARK_S, self._tick)

    def forget(self, stream: Stream) -> None:
        """Let go of a watch that is over."""
        self.open_streams.pop(stream, None)
        if stream.timer is not None:
            stream.timer.cancel()
            stream.timer = None

    def _tick(self) -> None:
        self._ticker = None
        self.bookmark()
        if self.open_streams and self.call_later is not None:
            self._ticker = self.call_later(watch.BOOKMARK_S, self._tick)

    def bookmark(self) -> None:
        """Send a bookmark to whoever wants them."""
        for stream in list(self.open_streams):
            stream.watch.bookmark(self.kube.store.rv)

    def drop(self, *, is_expired: bool = False, table: str = "") -> int:
        """Break watches off, or end them with 410; return how many there were."""
        count = 0
        for stream in list(self.open_streams):
            if table and stream.watch.table_name != table:
                continue
            count += 1
            if is_expired:
                rv = self.kube.store.rv
                stream.watch.fail(status.gone(f"too old resource version: 1 ({rv})"))
            else:
                stream.watch.close()
                stream.sink.abort()
        return count

    def end(self, table: str) -> None:
        """End the watches of a resource that is not served any more."""
        for stream in list(self.open_streams):
            if stream.watch.table_name == table:
                stream.watch.end()

    def stop(self) -> None:
        """End all watches."""
        for stream in list(self.open_streams):
            stream.watch.end()
        if self._ticker is not None:
            self._ticker.cancel()


_TYPES = ("ADDED", "MODIFIED", "DELETED")
