"""A client of a running server, for the tools that need one.

Theory of operation: one blocking socket, RESP2, replies parsed by hiredis. The address is `host:port`, a URL, or the
path of a Unix socket. A password comes from the environment or is asked for on the terminal: on a command line others
could read it, and the shell would keep it.
"""

import os
import socket
import ssl
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

import click
import hiredis

from aikv.base.errors import AikvError
from aikv.persistence.aof_format import encode_command

PASSWORD_VARIABLES = ("AIKV_PASSWORD", "REDISCLI_AUTH")
_PATIENCE_S = 60.0
_PORT = 6379


class Refused(AikvError):
    """The server answered with an error; `text` is the error."""

    def __init__(self, text: str) -> None:
        super().__init__(f"the server answered: {text}")
        self.text = text


class Address:
    """Where a server is: `path` of a Unix socket, or `host` and `port`, with or without TLS."""

    def __init__(self, text: str) -> None:
        self.path = ""
        self.host = "127.0.0.1"
        self.port = _PORT
        self.tls = False
        self.user = ""
        if "://" in text:
            self._read_url(text)
        elif text.startswith(("/", "./")):
            self.path = text
        else:
            host, colon, port = text.rpartition(":")
            self.host = (host if colon else text).strip("[]") or self.host
            if colon:
                self.port = _port(port, text)

    def _read_url(self, text: str) -> None:
        url = urlsplit(text)
        if url.password is not None:
            raise AikvError(
                f"leave the password out of the address: others can read it there. Set {PASSWORD_VARIABLES[0]}, or "
                "wait to be asked"
            )
        self.user = unquote(url.username or "")
        if url.scheme == "unix":
            self.path = unquote(url.path)
        elif url.scheme in ("redis", "rediss"):
            self.tls = url.scheme == "rediss"
            self.host = url.hostname or self.host
            self.port = _port(str(url.port), text) if url.port is not None else self.port
        else:
            raise AikvError(f"{text}: an address is host:port, redis://host:port, rediss://host:port or unix:///path")

    def __str__(self) -> str:
        return self.path or f"{self.host}:{self.port}"


def _port(text: str, whole: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise AikvError(f"{whole}: {text!r} is no port")
    return int(text)


class Connection:
    """A connection to the server at `address`; logs in as `user`, or as the address says."""

    def __init__(self, address: Address, user: str = "") -> None:
        self._address = address
        self._reader = hiredis.Reader()
        try:
            self._socket = _connect(address)
        except OSError as error:
            raise AikvError(
                f"no server answers at {address}: {error.strerror or error}. Name it with --from host:port or a path"
            ) from error
        self._log_in(user or address.user)

    def call(self, *words: str) -> Any:
        """Send a command and return its reply. Raises `Refused`, `AikvError`."""
        try:
            self._socket.sendall(encode_command([word.encode() for word in words]))
            reply = self._reader.gets()
            while reply is False:
                data = self._socket.recv(65536)
                if not data:
                    raise AikvError(f"the server at {self._address} closed the connection")
                self._reader.feed(data)
                reply = self._reader.gets()
        except OSError as error:
            raise AikvError(f"the connection to {self._address} is lost: {error.strerror or error}") from error
        if isinstance(reply, hiredis.ReplyError):
            raise Refused(str(reply))
        return reply

    def config(self, name: str) -> str:
        """The value of a directive."""
        reply = self.call("CONFIG", "GET", name)
        return os.fsdecode(reply[1]) if reply else ""

    def info(self, section: str) -> dict[str, str]:
        """The fields of a section of INFO."""
        lines = self.call("INFO", section).decode("utf-8", "replace").split("\r\n")
        return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _log_in(self, user: str) -> None:
        password = next((os.environ[name] for name in PASSWORD_VARIABLES if name in os.environ), None)
        if password is None and (user or self._wants_password()):
            if not sys.stdin.isatty():
                raise AikvError(f"the server at {self._address} wants a password: set {PASSWORD_VARIABLES[0]}")
            password = click.prompt("Password", hide_input=True, err=True)
        if password is not None:
            words = ["AUTH", user, password] if user else ["AUTH", password]
            self.call(*words)

    def _wants_password(self) -> bool:
        try:
            self.call("PING")
        except Refused as refused:
            if not refused.text.startswith("NOAUTH"):
                raise
            return True
        return False


def _connect(address: Address) -> socket.socket:
    if address.path:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_PATIENCE_S)
        connection.connect(address.path)
        return connection
    connection = socket.create_connection((address.host, address.port), _PATIENCE_S)
    if address.tls:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=address.host)
    return connection
