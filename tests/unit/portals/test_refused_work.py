"""What Desk refuses a portal, in words."""

from typing import get_args

import pytest

from connector.errors import ClientRefused, Forbidden, LicenseLimited, OrgMismatch, ScopeMissing
from connector.portals.refused_work import describe_refusal
from connector.store.refusals import Refusal, Work
from connector.zoho.actions import CHANGES, NEW_CONTACTS, NEW_TICKETS, RECORDS

REASONS = [each.reason for each in (Forbidden, LicenseLimited, ScopeMissing, OrgMismatch, ClientRefused)]


@pytest.mark.parametrize("reason", [*REASONS, "blocked"])
@pytest.mark.parametrize("work", get_args(Work))
def test_each_kind_has_its_own_remedy(work: Work, reason: str) -> None:
    """No two reasons share their words, and none is left to guess."""
    said = describe_refusal(Refusal(portal_id=1, work=work, reason=reason, detail="", refused_at=0))
    others = {
        describe_refusal(Refusal(portal_id=1, work=work, reason=other, detail="", refused_at=0)).remedy
        for other in (*REASONS, "blocked")
        if other != reason
    }
    assert said.remedy not in others
    assert said.what.startswith("Desk refuses ")
    assert said.need in {feature.title for feature in (NEW_CONTACTS, RECORDS, CHANGES, NEW_TICKETS)}
    assert "{" not in said.remedy
