"""List every address of the connector in one place."""

from pathlib import Path

from starlette.convertors import Convertor, StringConvertor, register_url_convertor
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from connector.phone_systems.checks import SLUG_AT_MOST, SLUG_LETTERS
from connector.web import (
    admin,
    banner,
    cards,
    contacts,
    desk_hooks,
    health,
    hooks,
    linking,
    orders,
    recordings,
    sign_in,
)
from connector.web.api import audit as audit_api
from connector.web.api import calls as calls_api
from connector.web.api import check as check_api
from connector.web.api import crm as crm_api
from connector.web.api import deliveries as deliveries_api
from connector.web.api import keys as keys_api
from connector.web.api import methods as methods_api
from connector.web.api import openapi, recording_accesses
from connector.web.api import people as people_api
from connector.web.api import phone_parts as phone_parts_api
from connector.web.api import phone_systems as phone_systems_api
from connector.web.api import portals as portals_api
from connector.web.api import setup as setup_api
from connector.web.api import sign_in_connectors as connectors_api
from connector.web.api.operation import Operation
from connector.web.pages import (
    audit,
    check,
    crm,
    crm_preview,
    deliveries,
    home,
    keys,
    links,
    methods,
    people,
    people_import,
    phone_parts,
    phone_systems,
    portals,
    setup,
    sign_in_connectors,
)
from connector.web.pages import calls as call_pages
from connector.web.pages import recordings as recording_pages


class IdConvertor(Convertor[int]):
    """Read an id of ours from a path: longer numbers than every database can hold have no page."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        """Read it."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Write it."""
        return str(value)


class SlugConvertor(StringConvertor):
    """Read a slug from a path: other texts name nothing, and some no database would even be asked for."""

    regex = f"[{''.join(sorted(SLUG_LETTERS))}]{{1,{SLUG_AT_MOST}}}"


class OrderConvertor(StringConvertor):
    """Read an order's name from a path."""

    regex = "c[0-9a-f]{20}"


class NameConvertor(StringConvertor):
    """Read a call's key, or the name of a recording, from a path."""

    regex = "[0-9a-z]{1,40}"


register_url_convertor("id", IdConvertor())
register_url_convertor("order", OrderConvertor())
register_url_convertor("slug", SlugConvertor())
register_url_convertor("name", NameConvertor())


BOTH = ["GET", "POST"]
"""Of a page with a form."""

ADMIN = (
    Route("/api/admin/deliveries", admin.list_deliveries),
    Route("/api/admin/deliveries/{id:id}", admin.show_delivery),
    Route("/api/admin/deliveries/retry", admin.retry_deliveries, methods=["POST"]),
    Route("/api/admin/deliveries/{id:id}/retry", admin.retry_delivery, methods=["POST"]),
    Route("/api/admin/deliveries/{id:id}/drop", admin.drop_delivery, methods=["POST"]),
    Route("/api/admin/directory", admin.list_directories),
    Route("/api/admin/directory/{portal:id}/sync", admin.sync_directory, methods=["POST"]),
    Route("/api/admin/forget", admin.forget, methods=["POST"]),
    Route("/api/admin/phones", admin.list_phones),
    Route("/api/admin/phones/{slug:slug}", admin.show_phone),
    Route("/api/admin/phones/{slug:slug}", admin.change_phone, methods=["PATCH"]),
    Route("/api/admin/phones/{slug:slug}", admin.remove_phone, methods=["DELETE"]),
    Route("/api/admin/portals", admin.list_portals),
    Route("/api/admin/audit", admin.list_audit),
    Route("/api/admin/recordings", admin.list_accesses),
)
"""What administrators' programs ask for and change."""


OPERATIONS: tuple[Operation, ...] = (
    setup_api.show_setup,
    check_api.show_check,
    check_api.make_recording_field,
    *methods_api.OPERATIONS,
    *portals_api.OPERATIONS,
    *connectors_api.OPERATIONS,
    *crm_api.OPERATIONS,
    *people_api.OPERATIONS,
    *phone_systems_api.OPERATIONS,
    *phone_parts_api.OPERATIONS,
    *keys_api.OPERATIONS,
    *calls_api.OPERATIONS,
    *deliveries_api.OPERATIONS,
    *recording_accesses.OPERATIONS,
    audit_api.list_changes,
)
"""What programs call at /api/v1, in the order of the document."""


def routes(static: Path) -> list[BaseRoute]:
    """Return all routes; `static` is the folder of the pages' assets."""
    return [
        # First, because they are tried in this order and nothing is asked for more often.
        Route("/hooks/{slug:slug}", hooks.Hooks(), methods=["POST"]),
        Route("/hooks/{slug:slug}/{token}", hooks.Hooks(), methods=["POST"]),
        Route("/hooks/{slug:slug}/orders", orders.waiting, methods=["GET"]),
        Route("/hooks/{slug:slug}/orders/{id:order}", orders.report, methods=["POST"]),
        Route("/hooks/{slug:slug}/status", orders.report_program, methods=["PUT"]),
        *_pages(),
        *_programs(),
        *health_routes(),
        Mount("/static", StaticFiles(directory=static), name="static"),
    ]


def _pages() -> list[BaseRoute]:
    """Return what browsers go to."""
    return [
        Route("/", home.home),
        Route("/banner", home.banner),
        Route("/help", home.help_contents),
        Route("/help/{name:slug}", home.help_page),
        Route("/login", sign_in.login),
        Route("/login/callback", sign_in.login_callback),
        Route("/login/{reference:slug}", sign_in.login_by),
        Route("/login-link/{token}", links.login_link, methods=["GET", "POST"]),
        Route("/setup/first/{token}", links.first_administrator, methods=["GET", "POST"]),
        Route("/logout", sign_in.logout, methods=["POST"]),
        Route("/connect", linking.connect, methods=["GET"]),
        Route("/connect", linking.start_linking, methods=["POST"]),
        Route("/oauth/callback", linking.linking_callback),
        Route("/portals", portals.portals_page),
        Route("/portals/self-client", portals.self_client_page, methods=["GET", "POST"]),
        Route("/portals/{portal_id:id}", linking.show_portal),
        Route("/portals/{portal_id:id}/recording-field", check.make_recording_field, methods=["POST"]),
        Route("/check", check.check_page),
        Route("/portals/{portal_id:id}/settings", portals.settings_page, methods=["GET", "POST"]),
        Route("/portals/{portal_id:id}/revoke", portals.revoke_page, methods=["GET", "POST"]),
        Route("/portals/{portal_id:id}/unlink", portals.unlink_page, methods=["GET", "POST"]),
        Route("/webhooks/desk/{portal:id}", desk_hooks.probe, methods=["GET"]),
        Route("/webhooks/desk/{portal:id}", desk_hooks.receive, methods=["POST"]),
        Route("/calls", call_pages.calls_page),
        Route("/calls/{key:name}", call_pages.call_page),
        *_pages_of_people(),
        Route("/deliveries", deliveries.deliveries_page),
        Route("/deliveries/retry", deliveries.retry_all_page, methods=BOTH),
        Route("/deliveries/{id:id}", deliveries.delivery_page),
        Route("/deliveries/{id:id}/retry", deliveries.retry_page, methods=BOTH),
        Route("/deliveries/{id:id}/drop", deliveries.drop_page, methods=BOTH),
        Route("/recordings", recording_pages.recordings_page),
        Route("/recordings/{key:name}", recordings.page),
        Route("/audit", audit.audit_page),
        Route("/setup", setup.setup_page),
        Route("/setup/test-call", setup.ring_test_call, methods=["POST"]),
        Route("/setup/test-call/end", setup.end_test_call, methods=["POST"]),
        Route("/authentication-methods", methods.methods_page),
        Route("/authentication-methods/new", methods.new_method_page, methods=["GET", "POST"]),
        Route("/authentication-methods/{id:id}", methods.method_page, methods=["GET", "POST"]),
        Route("/authentication-methods/{id:id}/enable", methods.enable_page, methods=["GET", "POST"]),
        Route("/authentication-methods/{id:id}/disable", methods.disable_page, methods=["GET", "POST"]),
        Route("/authentication-methods/{id:id}/remove", methods.remove_page, methods=["GET", "POST"]),
        *_sign_in_connectors(),
        *_crm_pages(),
        Route("/keys", keys.keys_page),
        Route("/keys/new", keys.new_key_page, methods=["GET", "POST"]),
        Route("/keys/{id:id}/revoke", keys.revoke_key_page, methods=["GET", "POST"]),
        *_phone_system_pages(),
        Route("/recordings/{key:name}/{piece:name}", recordings.audio),
    ]


def _sign_in_connectors() -> list[BaseRoute]:
    both = ["GET", "POST"]
    one = "/sign-in-connectors/{reference:slug}"
    return [
        Route("/sign-in-connectors", sign_in_connectors.sign_in_connectors_page),
        Route("/sign-in-connectors/new", sign_in_connectors.new_sign_in_connector_page, methods=both),
        Route("/sign-in-connectors/user-names", sign_in_connectors.user_names_page, methods=both),
        Route(one, sign_in_connectors.sign_in_connector_page, methods=both),
        Route(f"{one}/remove", sign_in_connectors.remove_sign_in_connector_page, methods=both),
    ]


def _crm_pages() -> list[BaseRoute]:
    one = "/crm/{portal:id}"
    return [
        Route("/crm", crm.crms_page),
        Route(one, crm.crm_page),
        Route(f"{one}/values", crm.values_page),
        Route(f"{one}/preview", crm_preview.preview_page),
        Route(f"{one}/reset", crm.reset_page, methods=BOTH),
        Route(f"{one}/{{part:slug}}", crm.part_page, methods=BOTH),
    ]


def _pages_of_people() -> list[BaseRoute]:
    return [
        Route("/people", people.people_page),
        Route("/people/new", people.new_person_page, methods=BOTH),
        Route("/people/import", people_import.import_page, methods=BOTH),
        Route("/people/people.csv", people_import.export_people),
        Route("/people/template.csv", people_import.template_file),
        Route("/people/desk", people_import.desk_page, methods=BOTH),
        Route("/people/desk/all", people_import.desk_all_page, methods=BOTH),
        Route("/people/{id:id}", people.person_page, methods=BOTH),
        Route("/people/{id:id}/deactivate", people.deactivate_page, methods=BOTH),
        Route("/people/{id:id}/reactivate", people.reactivate_page, methods=BOTH),
        Route("/people/{id:id}/release", people.release_page, methods=BOTH),
        Route("/people/{id:id}/rights", people.rights_page, methods=BOTH),
    ]


def _phone_system_pages() -> list[BaseRoute]:
    both, one = ["GET", "POST"], "/phone-systems/{slug:slug}"
    return [
        Route("/phone-systems", phone_systems.phone_systems_page),
        Route("/phone-systems/new", phone_systems.new_phone_system, methods=both),
        Route(one, phone_parts.phone_system_page),
        Route(f"{one}/set-up", phone_systems.set_up_page),
        Route(f"{one}/template", phone_systems.template_file),
        Route(f"{one}/rotate", phone_systems.rotate_page, methods=both),
        Route(f"{one}/remove", phone_systems.remove_page, methods=both),
        Route(f"{one}/{{part:slug}}", phone_parts.phone_system_page, methods=both),
    ]


def health_routes() -> list[BaseRoute]:
    """Return what machines watch, in every process that listens."""
    return [
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", health.metrics),
    ]


def _programs() -> list[BaseRoute]:
    """Return what the banner and other programs ask."""
    return [
        Route("/api/banner/stream", banner.stream),
        Route("/api/openapi.json", openapi.document),
        Route("/api/docs", openapi.docs),
        *(each.route for each in OPERATIONS),
        Route("/api/calls", orders.dial, methods=["POST"]),
        Route("/api/calls/{id:id}/contact", banner.choose, methods=["POST"]),
        Route("/api/calls/{id:id}/card", cards.show, methods=["GET"]),
        Route("/api/calls/{id:id}/card", cards.edit, methods=["PATCH"]),
        Route("/api/calls/{id:id}/card", cards.make, methods=["POST"]),
        Route("/api/calls/{id:id}/ticket", cards.assign, methods=["PUT"]),
        Route("/api/calls/{id:id}/tickets", cards.make_ticket, methods=["POST"]),
        Route("/api/calls/{id:id}/tickets/{ticket:name}/comments", cards.comment, methods=["POST"]),
        Route("/api/calls/{id:id}/hangup", orders.hang_up, methods=["POST"]),
        Route("/api/calls/{id:id}/transfer", orders.transfer, methods=["POST"]),
        Route("/api/calls/{id:id}/colleagues", orders.colleagues),
        Route("/api/orders/{id:order}", orders.show),
        Route("/api/contacts/lookup", contacts.lookup),
        Route("/api/contacts/search", contacts.search),
        *ADMIN,
    ]
