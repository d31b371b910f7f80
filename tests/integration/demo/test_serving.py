"""`connector serve` as a process: how it starts, stops and starts again, and what commands do meanwhile."""

import asyncio
import json
import signal
import subprocess
import sys

import httpx2
import pytest

from connector.clock import system_clock
from connector.demo.browser import HeadlessAgent
from connector.demo.environment import Environment
from connector.demo.phone import Phone
from connector.demo.processes import Program, free_port
from connector.phone_systems.setup import first_call
from connector.store import sign_in

pytestmark = pytest.mark.anyio


async def command(env: Environment, *words: str) -> tuple[int, str, str]:
    """Type a command in a process of its own, in the demo's environment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "connector", *words,
        env=env.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    stdout, stderr = await process.communicate()
    return process.returncode or 0, stdout.decode(), stderr.decode()


@pytest.mark.parametrize("politely", [signal.SIGINT, signal.SIGTERM])
async def test_stops_by_itself_and_starts_again(env: Environment, politely: signal.Signals) -> None:
    """Neither an open banner nor who waits for orders holds up the end, and the next start works."""
    agent = HeadlessAgent(env.team.agents[0], env.origin)
    phone = Phone(env.hook, env.setup.secret)
    await agent.start()
    assert await phone.fetch(0) == b'{"orders":[]}'
    waiting = asyncio.create_task(phone.fetch(30))
    await asyncio.sleep(0.1)
    assert await env.connector.stop(politely)
    assert await waiting == b'{"orders":[]}'
    await phone.close()
    assert "Traceback" not in (env.folder / "serve.log").read_text()
    await env.connector.start()
    await env.connector.ready(f"{env.origin}/readyz")
    await agent.open_banner()
    assert not agent.is_signed_out
    await agent.stop()


async def test_the_printed_first_call_works_as_printed(env: Environment) -> None:
    """A POSIX shell rings, answers and ends a call with what `connector phones add` prints, on a record."""
    script = first_call(env.hook, env.setup.secret).replace("sleep 5", "true")
    process = await asyncio.create_subprocess_exec("sh", "-c", script, stdout=subprocess.PIPE)
    stdout, _ = await process.communicate()
    assert stdout == b'{"accepted":1,"duplicate":0,"ignored":0,"rejected":[]}\n' * 3
    _, listed, _ = await command(env, "calls", "list", "--limit", "1", "--json")
    assert json.loads(listed)[0]["record"] in ("due", "sending", "done")


async def test_commands_work_while_it_serves(env: Environment) -> None:
    """A deactivated agent's banner ends within seconds, although another process deactivates."""
    person = env.team.agents[1]
    agent = HeadlessAgent(person, env.origin)
    await agent.start()
    status, stdout, _ = await command(env, "agents", "deactivate", person.email)
    assert (status, "sessions ended: 1" in stdout) == (0, True)
    async with asyncio.timeout(5):
        while not agent.is_signed_out:
            await agent.changed()
    await agent.stop()
    assert (await command(env, "agents", "reactivate", person.email))[0] == 0


async def test_shows_what_desk_says_of_the_portal(env: Environment) -> None:
    """A live look at the portal lists checks that go well, departments and agents."""
    portal_id = str(env.setup.portal.id)
    status, stdout, _ = await command(env, "portals", "show", portal_id, "--live")
    assert status == 0
    assert all(name in stdout for name in env.setup.departments)
    assert all(email in stdout for email in env.setup.agents)
    checks = stdout.partition("Checks\n")[2].partition("\n\n")[0].splitlines()[1:]
    assert [line for line in checks if "  ok  " not in line] == []
    assert checks != []


async def test_delivers_without_serving(env: Environment) -> None:
    """`connector deliver` runs until told to stop, and then says so."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "connector", "deliver", env=env.environment, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    assert await process.stderr.readline() == b"Delivering.\n"
    process.send_signal(signal.SIGINT)
    _, stderr = await process.communicate()
    assert (process.returncode, stderr) == (0, b"Stopped.\n")


async def test_deliverer_tells_how_it_is(env: Environment) -> None:
    """Where it is told to listen, one that only delivers is watched as a server is; it shows no more."""
    address = f"127.0.0.1:{free_port()}"
    deliverer = Program(["deliver", "--listen", address], env.environment, env.folder / "deliver.log")
    await deliverer.start()
    try:
        await deliverer.ready(f"http://{address}/readyz")
        async with httpx2.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
            shown = (await client.get("/metrics")).text
            found = [(await client.get(path)).status_code for path in ("/healthz", "/", "/api/me", "/login")]
    finally:
        await deliverer.stop()
    assert "connector_outbox_oldest_seconds" in shown
    assert "connector_clock_ahead_seconds" in shown
    assert found == [200, 404, 404, 404]
    assert "shutdown complete" in (env.folder / "deliver.log").read_text()


async def test_nobody_is_left_signed_in_by_the_environment(env: Environment) -> None:
    """The administrator who linked the portal is signed out again: calls ring for real people only."""
    linker = next(
        agent.user.id for agent in await env.services.agents.list_agents()
        if agent.user.email == env.team.linker.email
    )  # fmt: skip
    signed_in = await env.services.store.read(
        lambda connection: sign_in.signed_in(connection, system_clock())
    )
    assert linker not in signed_in


async def test_departments_are_compared_with_desk(env: Environment) -> None:
    """A department that Desk lacks is warned of, one that it has is not."""
    for department, warned in (("999", True), (next(iter(env.setup.departments.values())), False)):
        words = ("phones", "queue", "demo", "nights", "--department", department)
        code, stdout, stderr = await command(env, *words)
        assert (code, "nights is a queue of demo" in stdout) == (0, True), stderr
        assert ("Desk shows no department 999" in stderr) is warned
        assert "could not be asked" not in stderr
