"""List every address of the connector in one place."""

from pathlib import Path

from starlette.convertors import Convertor, StringConvertor, register_url_convertor
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from connector.phone_systems.checks import SLUG_AT_MOST, SLUG_LETTERS
from connector.web import (
    admin,
    banner,
    calls,
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
from connector.web.api import openapi
from connector.web.api import phone_parts as phone_parts_api
from connector.web.api import phone_systems as phone_systems_api
from connector.web.api.operation import Operation
from connector.web.pages import audit, home, phone_parts, phone_systems
from connector.web.pages import calls as call_pages


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
    audit_api.list_changes,
    *phone_systems_api.OPERATIONS,
    *phone_parts_api.OPERATIONS,
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
        Route("/logout", sign_in.logout, methods=["POST"]),
        Route("/connect", linking.connect, methods=["GET"]),
        Route("/connect", linking.start_linking, methods=["POST"]),
        Route("/oauth/callback", linking.linking_callback),
        Route("/portals/{portal_id:id}", linking.show_portal),
        Route("/webhooks/desk/{portal:id}", desk_hooks.probe, methods=["GET"]),
        Route("/webhooks/desk/{portal:id}", desk_hooks.receive, methods=["POST"]),
        Route("/calls", call_pages.calls_page),
        Route("/calls/{key:name}", call_pages.call_page),
        Route("/recordings/{key:name}", recordings.page),
        Route("/audit", audit.audit_page),
        *_phone_system_pages(),
        Route("/recordings/{key:name}/{piece:name}", recordings.audio),
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
        Route("/api/v1/calls", calls.list_calls),
        # Whatever stands there names a call or none: it may be another's word for it.
        Route("/api/v1/calls/{key:path}", calls.show_call),
        Route("/api/calls", orders.dial, methods=["POST"]),
        Route("/api/calls/{id:id}/contact", banner.choose, methods=["POST"]),
        Route("/api/calls/{id:id}/hangup", orders.hang_up, methods=["POST"]),
        Route("/api/calls/{id:id}/transfer", orders.transfer, methods=["POST"]),
        Route("/api/calls/{id:id}/colleagues", orders.colleagues),
        Route("/api/orders/{id:order}", orders.show),
        Route("/api/contacts/lookup", contacts.lookup),
        Route("/api/contacts/search", contacts.search),
        *ADMIN,
    ]
