"""What linking makes of what Desk says: which department is the default, and a name."""

from hypothesis import given
from hypothesis import strategies as st

from connector.portals.linking import NewGrant
from connector.zoho.data_centers import TABLE
from connector.zoho.models import Department, Id, Organization
from connector.zoho.oauth import Tokens


def bound(*departments: Department) -> NewGrant:
    """Make a grant with these departments."""
    organization = Organization(id=Id("1"))
    return NewGrant(TABLE["us"], Tokens(access_token="a", expires_at=0), organization, departments)


def department(number: int, *, enabled: bool | None = True, default: bool | None = False) -> Department:
    """Make a department."""
    return Department(id=Id(str(number)), is_enabled=enabled, is_default=default)


def test_the_wanted_department_comes_first() -> None:
    """Then the default one, then the first; never a disabled one."""
    some = bound(department(1, enabled=False), department(2), department(3, default=True))
    assert [some.department_id(wanted) for wanted in ("2", "1", "9", None)] == ["2", "3", "3", "3"]
    assert bound(department(1, enabled=None, default=None), department(2)).department_id(None) == "1"
    assert bound(department(1, enabled=False)).department_id("1") is None


@given(st.text(max_size=5), st.text(max_size=5))
def test_an_organisation_always_has_a_name(company: str, portal: str) -> None:
    """At the least its id."""
    organization = Organization(id=Id("1"), company_name=company, portal_name=portal)
    made = NewGrant(TABLE["us"], Tokens(access_token="a", expires_at=0), organization, ())
    assert made.name == (company or portal or "1")
