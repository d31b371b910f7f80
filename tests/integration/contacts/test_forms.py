"""A contact is found by its number, in whatever form somebody typed it into Desk."""

import itertools
import random
import re

import pytest

from connector.sandbox.desk.numbers import FORMS, LANDLINES, MOBILES, type_number
from tests.integration.contacts.conftest import PORTAL, Services

pytestmark = pytest.mark.anyio

COUNTRIES = {"44": "GB", "1": "US", "33": "FR", "49": "DE", "46": "SE"}


async def test_every_form(services: Services) -> None:
    """Each form of each country's numbers, in either field, is found at home and in two requests."""
    chance = random.Random(1)  # noqa: S311 - it repeats; nothing is secret
    for form, plan in itertools.product(range(len(FORMS)), (*LANDLINES, *MOBILES)):
        line, field = plan.pick(chance), chance.choice(("phone", "mobile"))
        contact = services.add("Found", **{field: type_number(line, form)})
        services.searches()
        await services.contact_lookup.forget(PORTAL, number=line.e164)
        found = await services.contact_lookup.look_up(
            PORTAL, line.e164, country=COUNTRIES[plan.country], live=True
        )
        assert contact.id in [one.id for one in found.contacts], contact
        assert services.searches() == 2


async def test_every_seeded_contact(services: Services) -> None:
    """Each of the sandbox's own people who has a number is found by it."""
    asked = 0
    for person in services.people():
        for typed in filter(None, (person.phone, person.mobile)):
            e164, country = _line_of(typed)
            found = await services.contact_lookup.look_up(PORTAL, e164, country=country, live=True)
            assert person.id in [one.id for one in found.contacts], typed
            asked += 1
    assert asked > 200


def _line_of(typed: str) -> tuple[str, str]:
    """Tell by the ranges that the sandbox invents numbers from, and by nothing of ours, what was typed."""
    digits = re.sub(r"\D", "", re.sub(r"( ext\. 12| x7)$", "", typed))
    for plan in (*LANDLINES, *MOBILES):
        own = digits[-len(plan.first) :]
        if digits[: -len(plan.first)].endswith(plan.area) and plan.first <= own <= plan.last:
            return f"+{plan.country}{plan.area}{own}", COUNTRIES[plan.country]
    raise AssertionError(typed)


async def test_what_cannot_be_found(services: Services) -> None:
    """Letters, stray gaps and several marks within the last five digits are beyond Desk's search."""
    for typed in ("+44 20 7946 0CALL", "+44 20 7946 0 9 1 2", "+44 20 794-6 0.912"):
        services.add("Lost", phone=typed)
    found = await services.contact_lookup.look_up(PORTAL, "+442079460912", country="GB", live=True)
    assert "Lost" not in {one.name for one in found.contacts}
