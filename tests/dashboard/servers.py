"""Servers on this machine that take what is sent: mails, and whatever speaks to a free port."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Post(socketserver.StreamRequestHandler):
    """A mail server of few words, which keeps what it is given."""

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"STAR":
                if self._encrypt():
                    continue
                return
            if verb == b"EHLO" and getattr(self.server, "encryption", None):
                self._say("250-here\r\n250 STARTTLS")
                continue
            if verb == b"DATA":
                self._say("354 go on")
                self.server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            if verb == b"RCPT" and b"nobody" in line:
                self._say("550 no such person")
            else:
                self._say("221 bye" if verb == b"QUIT" else "250 good")
            if verb == b"QUIT":
                return

    def _encrypt(self) -> bool:
        self._say("220 go on")
        try:
            spoken = self.server.encryption.wrap_socket(self.connection, server_side=True)
        except ssl.SSLError:
            return False
        self.connection, self.server.encrypted = spoken, True
        self.rfile, self.wfile = spoken.makefile("rb"), spoken.makefile("wb", 0)
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
