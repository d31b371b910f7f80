"""HTML of the sandbox: one look for all its pages, everything escaped, nothing loaded from elsewhere."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

_HERE = Path(__file__).parent

_environment = Environment(
    loader=FileSystemLoader([_HERE / "templates", _HERE / "desk" / "templates"]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def page(template: str, status: int = 200, /, **context: object) -> HTMLResponse:
    """Render a template of `templates/` or `desk/templates/`; templates extend `base.html`."""
    text = _environment.get_template(template).render(context)
    return HTMLResponse(text, status, headers=_HEADERS)
