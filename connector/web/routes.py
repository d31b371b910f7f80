"""List every address of the connector in one place."""

from pathlib import Path

from starlette.convertors import Convertor, register_url_convertor
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from connector.web import admin, calls, contacts, desk_hooks, health, hooks, linking, login, pages, stream


class IdConvertor(Convertor[int]):
    """Read an id of ours from a path: longer numbers than every database can hold have no page."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        """Read it."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Write it."""
        return str(value)


register_url_convertor("id", IdConvertor())


def routes(static: Path) -> list[BaseRoute]:
    """Answer all routes; `static` is the folder of the pages' assets."""
    return [
        Route("/", pages.home),
        Route("/banner", pages.banner),
        Route("/login", login.login),
        Route("/login/callback", login.login_callback),
        Route("/logout", login.logout, methods=["POST"]),
        Route("/connect", linking.connect, methods=["GET"]),
        Route("/connect", linking.start_linking, methods=["POST"]),
        Route("/oauth/callback", linking.linking_callback),
        Route("/portals/{portal_id:id}", linking.show_portal),
        Route("/hooks/{slug}", hooks.receive, methods=["POST"]),
        Route("/hooks/{slug}/{token}", hooks.receive, methods=["POST"]),
        Route("/webhooks/desk/{portal:id}", desk_hooks.probe, methods=["GET"]),
        Route("/webhooks/desk/{portal:id}", desk_hooks.receive, methods=["POST"]),
        Route("/api/banner/stream", stream.stream),
        Route("/api/calls/{id:id}/contact", calls.choose, methods=["POST"]),
        Route("/api/contacts/lookup", contacts.lookup),
        Route("/api/contacts/search", contacts.search),
        Route("/api/admin/deliveries", admin.list_deliveries),
        Route("/api/admin/deliveries/{id:id}", admin.show_delivery),
        Route("/api/admin/deliveries/{id:id}/retry", admin.retry_delivery, methods=["POST"]),
        Route("/api/admin/phones", admin.list_phones),
        Route("/api/admin/portals", admin.list_portals),
        Route("/api/admin/audit", admin.list_audit),
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", health.metrics),
        Mount("/static", StaticFiles(directory=static), name="static"),
    ]
