"""Liveness, readiness and metrics over HTTP, served from the service's own event loop."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .errors import ConfigurationError
from .metrics import REGISTRY

# Why the service is not ready; empty when it is.
Reasons = Callable[[], Awaitable[Sequence[str]]]


def routes(reasons: Reasons) -> list[Route]:
    """/livez, /readyz and /metrics, to mount in an HTTP application of the service's own."""

    async def live(_request: Request) -> Response:
        # That this runs at all is the proof: a blocked event loop does not answer.
        return JSONResponse({"live": True})

    async def ready(_request: Request) -> Response:
        found = list(await reasons())
        return JSONResponse({"ready": not found, "reasons": found}, 503 if found else 200)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", live), Route("/readyz", ready), Route("/metrics", metrics)]


class HttpServer:
    """Serves the routes above until it is closed."""

    def __init__(self, reasons: Reasons, host: str, port: int, prefix: str) -> None:
        self._socket = _listen(host, port, prefix)
        app = Starlette(routes=routes(reasons))
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        self._server = _Server(config)

    @property
    def address(self) -> str:
        """Where it listens: `127.0.0.1:8080`."""
        host, port = self._socket.getsockname()[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def serve(self) -> None:
        """Serve until `close`."""
        await self._server.serve(sockets=[self._socket])

    def close(self) -> None:
        """Answer what is being asked, then stop."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    """A server that leaves signals to the service."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int, prefix: str) -> socket.socket:
    """A listening socket, had before anything starts: a port in use is to be told at once."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}): "
            f"set {prefix}HTTP_HOST and {prefix}HTTP_PORT"
        ) from None
