"""A TCP proxy on 127.0.0.1 that does to connections what networks do."""

import socket
import threading
import time


class Proxy:
    """Leads to a port of this machine. Its attributes may be changed while connections are open.

    delay        seconds that each piece takes on its way
    stalled      nothing passes, in either direction, and nothing is closed: a cable that was pulled
    rate         bytes a second, each way; None for no limit
    cut_after    a connection is cut after so many bytes of what the client sends; each cut takes one of cuts
    drop         answers that are thrown away, the connection with them, after the server has done what it was asked
    refuse       HTTP answers of refuse_with that are given instead of asking the server
    only         bytes that the first piece of a request must hold for cut, drop and refuse to be about it
    """

    def __init__(self, port):
        self.target = port
        self.delay = 0.0
        self.stalled = False
        self.rate = None
        self.cut_after = None
        self.cuts = 0
        self.drop = 0
        self.refuse = 0
        self.refuse_with = 503
        self.only = b""
        self.happened = 0  # faults of any kind so far
        self.down_bytes = 0
        self._lock = threading.Lock()
        self._open = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()
        self.cut_all()

    def cut_all(self):
        with self._lock:
            connections = list(self._open)
        for one in connections:
            _shut(one)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 10)
            server.settimeout(None)
        except OSError:
            client.close()
            return
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {client, server}
        state = {"dropping": False}
        down = threading.Thread(target=self._pump, args=(server, client, False, state), daemon=True)
        down.start()
        self._pump(client, server, True, state)
        down.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()

    def _take(self, name):
        """Whether one more of the faults of that name is to happen; then it counts as happened."""
        with self._lock:
            if getattr(self, name) <= 0:
                return False
            setattr(self, name, getattr(self, name) - 1)
            self.happened += 1
            return True

    def _pump(self, source, sink, up, state):
        passed = 0
        try:
            while True:
                piece = source.recv(65536)
                if not piece:
                    break
                while self.stalled:
                    time.sleep(0.05)
                if self.delay:
                    time.sleep(self.delay)
                head = up and piece.split(b" ", 1)[0] in (b"GET", b"PUT", b"POST", b"HEAD", b"DELETE")
                about = head and self.only in piece
                if about and self._take("refuse"):
                    text = b"HTTP/1.1 %d Fault\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % self.refuse_with
                    source.sendall(text)
                    break
                if about and self._take("drop"):
                    state["dropping"] = True
                if not up and state["dropping"]:
                    break
                if up and self.cut_after is not None and self.only in (piece if head else self.only):
                    if passed + len(piece) > self.cut_after and self._take("cuts"):
                        sink.sendall(piece[: max(0, self.cut_after - passed)])
                        break
                passed += len(piece)
                if self.rate:
                    for at in range(0, len(piece), 512):
                        sink.sendall(piece[at : at + 512])
                        if not up:
                            self.down_bytes += len(piece[at : at + 512])
                        if self.rate:
                            time.sleep(512 / self.rate)
                    continue
                if not up:
                    self.down_bytes += len(piece)
                sink.sendall(piece)
        except OSError:
            pass
        # without the other direction neither HTTP nor gRPC has anything to say
        _shut(source)
        _shut(sink)


def _shut(one):
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
