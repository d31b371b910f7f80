"""Follow the links that Desk was given, as a person would, and hear whether the recordings are there."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from connector.demo.browser import Browser
from connector.demo.building import RECORDINGS
from connector.demo.comparing import Wanted

PLAYER = re.compile(r'<audio [^>]*src="([^"]+)"')
"""Finds the address of the sound in the page of a call's recordings."""


async def unheard(browser: Browser, wanted: Sequence[Wanted], folder: Path) -> list[str]:
    """Say of each recording that cannot be heard whole, in words; `browser` is that of who may hear all."""
    problems = [await _problem(browser, each, folder) for each in wanted if each.recordings_at]
    return [problem for problem in problems if problem]


async def _problem(browser: Browser, wanted: Wanted, folder: Path) -> str | None:
    page = await browser.get(urlsplit(wanted.recordings_at or "").path)
    player = PLAYER.search(page.text)
    if page.status_code != HTTPStatus.OK or player is None:
        return f"{wanted.key}: its recording has no player ({page.status_code})"
    sound = await browser.get(player[1])
    kept = (folder / (wanted.due.recording_url or "").removeprefix(RECORDINGS)).read_bytes()
    if sound.content != kept:
        return f"{wanted.key}: its recording sounds different ({sound.status_code})"
    return None
