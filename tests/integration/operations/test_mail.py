"""Mails to administrators, by a real SMTP server: an episode is told once, whoever runs or dies."""

import asyncio
import logging
from urllib.parse import quote

import msgspec
import pytest

from connector.clock import DAY, HOUR, MINUTE
from connector.errors import CommandError, MailError, MailRefused, MailUnreachable
from connector.maintenance import AlertMail, Mail, Mailer, Silence
from connector.metrics import Metrics
from connector.settings import Secret, Settings
from connector.store import silence, users
from tests.integration.operations.conftest import NOW, Desk
from tests.integration.operations.mail_server import HOST, PASSWORD, USER, Server, certificate, serving

pytestmark = pytest.mark.anyio

TEST = Mail(subject="A test", text="Hello.\n", to=["ada@example.com"], id="test")


def settings(server: Server, scheme: str = "smtp", user: str = "", password: str = PASSWORD) -> Settings:
    """Set a connector up for a server."""
    whose = f"{user}:{quote(password, safe='')}@" if user else ""
    return Settings(
        smtp_url=Secret(f"{scheme}://{whose}{HOST}:{server.port}"),
        mail_from="connector@example.com",
        public_url="https://calls.example.com/desk",
    )


class Office:
    """One or several processes on a database that tell administrators what stands in the way."""

    def __init__(self, desk: Desk, server: Server) -> None:
        self.desk = desk
        self.server = server
        self.metrics = Metrics()
        for email, role in (("ada@example.com", "administrator"), ("bo@example.com", "agent")):
            desk.store.write_now(lambda c, e=email, r=role: users.add(c, e, "Ada", r, NOW))  # type: ignore[misc]

    def process(self, **changed: object) -> AlertMail:
        """Make what a process has."""
        store, time = self.desk.store, self.desk.time
        configured = msgspec.structs.replace(settings(self.server), **changed)
        mailer = Mailer(configured, certificate()[1])
        return AlertMail(store, mailer, Silence(store, time), configured, time, self.metrics)

    async def pass_time(self, *processes: AlertMail, minutes: int = 2) -> None:
        """Let every process look each minute."""
        for _ in range(minutes):
            self.desk.time.now += MINUTE
            await asyncio.gather(*(each.step() for each in processes))

    def lose_grant(self, state: str = "grant_lost") -> None:
        """Have Zoho take the grant no more."""
        self.desk.change("portals", 1, state=state)


@pytest.fixture
def office(desk: Desk) -> Office:
    """Have an administrator and a mail server that is not up yet."""
    return Office(desk, Server())


@pytest.mark.both_engines
async def test_an_episode_is_two_mails_of_two_processes(office: Office) -> None:
    """Two processes look at once, and again and again: one mail that it began, one that it is over."""
    async with serving(office.server):
        both = office.process(), office.process()
        office.lose_grant()
        await office.pass_time(*both, minutes=10)
        assert office.server.subjects() == ["Connector: The portal Zylker must be linked again"]
        assert "https://calls.example.com/desk/connect" in office.server.text()
        assert "https://calls.example.com/desk/help/runbook-grant-lost" in office.server.text()
        office.lose_grant("linked")
        await office.pass_time(*both, office.process(), minutes=10)
        assert office.server.subjects()[1:] == ["Connector: The portal Zylker is linked again"]
        office.lose_grant()
        await office.pass_time(*both)
    assert len(office.server.mails) == 3
    assert set(office.server.recipients) == {"ada@example.com"}
    assert office.desk.count("alerts") == 1
    assert len({mail["message-id"] for mail in office.server.mails}) == 3


@pytest.mark.parametrize("odd", [".@b", "a@[", ":@:", "\u00e9@example.com", "a@example.com,b", "<a@b>"])
async def test_an_odd_address_keeps_nobody_from_the_mail(office: Office, odd: str) -> None:
    """An administrator's, which no header can hold: the others are told, and it is counted as refused."""
    office.desk.store.write_now(lambda c: users.add(c, odd, "Odd", "administrator", NOW))
    async with serving(office.server):
        office.lose_grant()
        await office.pass_time(office.process(), minutes=10)
        mailer = Mailer(settings(office.server), certificate()[1])
        assert await mailer.send(msgspec.structs.replace(TEST, to=[odd, "ada@example.com"])) == 1
        with pytest.raises(MailRefused):
            await mailer.send(msgspec.structs.replace(TEST, to=[odd]))
    assert len(office.server.mails) == 2
    assert set(office.server.recipients) == {"ada@example.com"}


async def test_blips_are_nobodys_business(office: Office) -> None:
    """What is over within a minute is not told; what comes back within five is no new episode."""
    async with serving(office.server):
        process = office.process()
        office.lose_grant()
        await process.step()
        office.lose_grant("linked")
        await office.pass_time(process, minutes=10)
        assert office.server.mails == []
        office.lose_grant()
        await office.pass_time(process)
        for state in ("linked", "grant_lost") * 3:
            office.lose_grant(state)
            await office.pass_time(process)
        assert len(office.server.mails) == 1


async def test_much_at_once_is_one_mail(office: Office) -> None:
    """Waiting, given up, silent: what stands in the way is told together, with nobody's number."""
    office.desk.call("waiting", delivered=False)
    office.desk.call("dead", delivered=False)
    office.desk.change("outbox", 2, state="dead")
    office.desk.change("phone_systems", 1, name="Line\n+33123456789")
    heard = {1: [NOW - 8 * DAY, NOW - 7 * DAY, NOW - HOUR]}
    office.desk.store.write_now(lambda c: silence.note(c, heard, NOW - 20 * DAY))
    office.desk.time.now += 31 * MINUTE
    async with serving(office.server):
        process = office.process()
        await process.step()
        await office.pass_time(process, minutes=3)
    assert office.server.subjects() == ["Connector: 2 need attention"]
    text = office.server.text()
    assert "Records of the portal Zylker wait for Zoho Desk." in text
    assert "Records of the portal Zylker need a person." in text
    assert "3312345" not in text


async def test_a_server_that_is_away_gets_it_later(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is lost meanwhile, it is asked ever more rarely, and a restart changes nothing."""
    async with serving(office.server):
        pass
    office.lose_grant()
    with caplog.at_level(logging.WARNING):
        await office.pass_time(office.process(), minutes=30)
    failures = [line for line in caplog.messages if line.startswith("mail_not_sent")]
    assert 3 <= len(failures) <= 6
    assert HOST in failures[0]
    async with serving(office.server):
        await office.pass_time(office.process(), office.process(), minutes=31)
    assert len(office.server.mails) == 1
    assert office.metrics.registry.get_sample_value("connector_mails_total", {"outcome": "sent"}) == 1


async def test_a_process_that_dies_over_it_leaves_it_to_another(office: Office) -> None:
    """The server never answers the first process, which ends; another one tells it when its time is over."""
    office.lose_grant()
    asked: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    silent = await asyncio.start_server(lambda _reader, writer: asked.put_nowait(writer), HOST, 0)
    office.server.port = silent.sockets[0].getsockname()[1]
    first = office.process()
    await first.step()
    office.desk.time.now += 2 * MINUTE
    dying = asyncio.create_task(first.step())
    connection = await asked.get()
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    connection.close()
    silent.close()
    async with serving(office.server):
        second = office.process()
        await office.pass_time(second, minutes=8)
        assert office.server.mails == []
        await office.pass_time(second, minutes=4)
    assert len(office.server.mails) == 1


async def test_named_recipients_win_and_nobody_is_said_once(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """MAIL_TO takes the administrators' place; where there is nobody, the log says so, and it waits."""
    office.lose_grant()
    office.desk.store.write_now(lambda c: users.change(c, 1, active=False))
    async with serving(office.server):
        with caplog.at_level(logging.WARNING):
            await office.pass_time(office.process(), minutes=5)
        assert office.server.mails == []
        assert len([line for line in caplog.messages if "mail_without_recipients" in line]) == 1
        named = office.process(mail_to=["desk@example.com", "night@example.com"])
        await office.pass_time(named)
    assert office.server.recipients == ["desk@example.com", "night@example.com"]


@pytest.mark.parametrize(("tls", "scheme"), [("starttls", "smtp"), ("smtps", "smtps")])
async def test_passwords_go_encrypted(tls: str, scheme: str) -> None:
    """With STARTTLS or from the beginning; a certificate that nobody vouches for gets nothing."""
    async with serving(Server(), tls=tls, signs_in=True) as server:
        good = settings(server, scheme, USER)
        assert await Mailer(good, certificate()[1]).send(TEST) == 0
        assert server.encrypted == [True]
        mail = server.mails[0]
        assert (mail["from"], mail["to"]) == ("Connector <connector@example.com>", "ada@example.com")
        assert (mail["message-id"], mail["auto-submitted"]) == ("<test@calls.example.com>", "auto-generated")
        with pytest.raises(MailUnreachable, match="could not be encrypted"):
            await Mailer(good).send(TEST)
        assert len(server.mails) == 1


async def test_a_wrong_password_is_told_without_it() -> None:
    """Who set it up learns that the server refuses, and neither the log nor anybody sees the password."""
    async with serving(Server(), tls="starttls", signs_in=True) as server:
        wrong = settings(server, "smtp", USER, "guessed")
        with pytest.raises(MailRefused, match="does not take the user and password") as refused:
            await Mailer(wrong, certificate()[1]).send(TEST)
    assert "guessed" not in f"{refused.value}{refused.value.__cause__}{wrong}"
    assert server.mails == []


async def test_no_password_leaves_unencrypted() -> None:
    """A server that offers no encryption is not signed in to."""
    async with serving(Server()) as server:
        with pytest.raises(MailRefused, match="STARTTLS"):
            await Mailer(settings(server, "smtp", USER)).send(TEST)
        assert await Mailer(settings(server)).send(TEST) == 0


async def test_recipients_that_are_refused() -> None:
    """One of two is told to the log, all of them are a failure."""
    async with serving(Server()) as server:
        server.refuses = {"gone@example.com"}
        both = Mail(subject="s", text="t", to=["gone@example.com", "ada@example.com"], id="x")
        assert await Mailer(settings(server)).send(both) == 1
        with pytest.raises(MailRefused, match="none of the recipients"):
            await Mailer(settings(server)).send(Mail(subject="s", text="t", to=both.to[:1], id="x"))


async def test_without_a_server_it_says_which_setting() -> None:
    """Nothing is mailed unless SMTP_URL is set."""
    assert not Mailer(Settings()).is_set_up
    with pytest.raises(CommandError, match="SMTP_URL is not set"):
        await Mailer(Settings()).send(TEST)


@pytest.mark.parametrize("answer", [b"", b"554 go away\r\n", b"\xff\xfe nonsense\r\n" * 3, b"220 hi\r\n"])
async def test_whatever_answers_is_one_of_ours(answer: bytes) -> None:
    """A server that is none, or hangs up anywhere, is a mail that was not sent."""

    async def odd(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    listener = await asyncio.start_server(odd, HOST, 0)
    server = Server()
    server.port = listener.sockets[0].getsockname()[1]
    with pytest.raises(MailError):
        await Mailer(settings(server)).send(TEST)
    listener.close()
