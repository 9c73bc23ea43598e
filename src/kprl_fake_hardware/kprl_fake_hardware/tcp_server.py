"""A TCP server whose network can be cut at will.

`Session` is one client's protocol without sockets. A server may be told to drop its clients, to go silent (connections
stay and are accepted, nothing is read out or answered any more: a pulled cable) or to refuse (no server there).
"""

from __future__ import annotations

import logging
import selectors
import socket
from collections.abc import Callable
from enum import Enum
from typing import Protocol

MAX_UNSENT = 1 << 20  # [bytes] waiting for a client that does not read: then it is dropped
_CHUNK = 1 << 16

log = logging.getLogger(__name__)


class Session(Protocol):
    """One client's side of a protocol."""

    greeting: bytes

    def receive(self, data: bytes) -> bytes:
        """The answer to what the client sent; a `ValueError` closes the connection."""

    def on_tick(self) -> bytes:
        """What to send unasked, after a tick."""

    def close(self) -> None:
        """The client is gone."""


class Goodbye(ValueError):
    """Raised by a session to close its connection after a last answer."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("the client said goodbye")
        self.answer = answer


class Cut(Enum):
    """How a server's network is."""

    NONE = "none"
    SILENT = "silent"
    REFUSED = "refused"


class TcpServer:
    """Listens at one address; `port` 0 takes a free one."""

    def __init__(self, host: str, port: int, make_session: Callable[[], Session]) -> None:
        self._make_session = make_session
        self._selector = selectors.DefaultSelector()
        self._sessions: dict[socket.socket, Session] = {}
        self._unsent: dict[socket.socket, bytes] = {}
        self.cut = Cut.NONE
        self._listener: socket.socket | None = None
        self.address = (host, port)
        self._listen()

    def fileno(self) -> int:
        """The selector's: readable when something waits."""
        return self._selector.fileno()

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._sessions)

    def poll(self) -> None:
        """Accept, read and answer whatever waits."""
        for key, _ in self._selector.select(0):
            assert isinstance(key.fileobj, socket.socket)
            if key.fileobj is self._listener:
                self._accept()
            elif self.cut is Cut.NONE:
                self._receive(key.fileobj)
            else:
                self._selector.unregister(key.fileobj)  # or it would be readable all the time

    def send_ticks(self) -> None:
        """Send what the sessions say unasked, and what clients have not read yet."""
        if self.cut is Cut.NONE:
            for connection, session in list(self._sessions.items()):
                self._send(connection, session.on_tick())

    def drop_clients(self) -> None:
        """Close every connection; new ones are welcome."""
        for connection in list(self._sessions):
            self._close(connection)

    def set_cut(self, cut: Cut) -> None:
        """Cut the network, or mend it."""
        self.cut = cut
        if cut is Cut.REFUSED:
            self.drop_clients()
            self._stop_listening()
        elif self._listener is None:
            self._listen()
        if cut is Cut.NONE:
            for connection in self._sessions:
                if connection not in self._selector.get_map():
                    self._selector.register(connection, selectors.EVENT_READ)

    def close(self) -> None:
        """Drop every client and free the port."""
        self.drop_clients()
        self._stop_listening()
        self._selector.close()

    def _listen(self) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(self.address)
        except OSError:
            listener.close()
            raise
        listener.listen()
        listener.setblocking(False)
        self._listener, self.address = listener, listener.getsockname()
        self._selector.register(listener, selectors.EVENT_READ)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = None

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except OSError:  # the client gave up in between
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = self._make_session()
        self._sessions[connection], self._unsent[connection] = session, b""
        self._selector.register(connection, selectors.EVENT_READ)
        if self.cut is Cut.NONE:
            self._send(connection, session.greeting)

    def _receive(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            return self._close(connection)
        try:
            self._send(connection, self._sessions[connection].receive(data))
        except Goodbye as goodbye:
            self._send(connection, goodbye.answer)
            self._close(connection)
        except ValueError as error:
            log.warning("a client of %s:%s was dropped: %s", *self.address, error)
            self._close(connection)

    def _send(self, connection: socket.socket, data: bytes) -> None:
        data = self._unsent.get(connection, b"") + data
        if not data or connection not in self._sessions:
            return
        try:
            data = data[connection.send(data) :]
        except BlockingIOError:
            pass
        except OSError:
            return self._close(connection)
        self._unsent[connection] = data
        if len(data) > MAX_UNSENT:
            log.warning("a client of %s:%s was dropped: it does not read", *self.address)
            self._close(connection)

    def _close(self, connection: socket.socket) -> None:
        session = self._sessions.pop(connection, None)
        self._unsent.pop(connection, None)
        if session is None:
            return
        if connection in self._selector.get_map():
            self._selector.unregister(connection)
        connection.close()
        session.close()
