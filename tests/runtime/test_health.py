from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import asynccontextmanager

import httpx
import pytest
from runtime.errors import ConfigurationError
from runtime.health import HttpServer

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def serving(reasons):
    async def not_ready():
        return reasons

    server = HttpServer(not_ready, "127.0.0.1", 0, "TINY_")
    task = asyncio.create_task(server.serve())
    try:
        async with httpx.AsyncClient(base_url=f"http://{server.address}") as client:
            yield client
    finally:
        server.close()
        await asyncio.wait_for(task, 5)


async def test_live_whatever_else_is_the_matter():
    async with serving(["the database does not answer"]) as client:
        response = await client.get("/livez")
    assert (response.status_code, response.json()) == (200, {"live": True})


async def test_ready_follows_the_reasons():
    reasons = ["the broker does not answer"]
    async with serving(reasons) as client:
        response = await client.get("/readyz")
        assert response.status_code == 503
        assert response.json() == {"ready": False, "reasons": ["the broker does not answer"]}
        reasons.clear()
        response = await client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"ready": True, "reasons": []})


async def test_metrics_are_the_runtimes_own():
    async with serving([]) as client:
        response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    assert "eventgen_outbox_pending" in response.text


async def test_signals_stay_with_the_service():
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)]
    async with serving([]) as client:
        await client.get("/livez")
        assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)] == before


async def test_a_port_in_use_is_a_mistake_that_is_explained():
    async def ready():
        return []

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}.*TINY_HTTP_PORT"):
            HttpServer(ready, "127.0.0.1", port, "TINY_")
