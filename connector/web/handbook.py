"""Show the handbook at /help: a page of it, or where words stand in it."""

from starlette.requests import Request
from starlette.responses import Response

from connector import handbook
from connector.errors import NotFound
from connector.web.pages import render

WORDS_AT_MOST = 100


async def contents(request: Request) -> Response:
    """Show all pages, or with `?words=` the sections that hold these words."""
    words = request.query_params.get("words", "").strip()[:WORDS_AT_MOST]
    hits = handbook.search(words)
    return render(request, "help.html", pages=handbook.pages(), page=None, words=words, hits=hits)


async def page(request: Request) -> Response:
    """Show one page; NotFound if there is none of that name."""
    found = handbook.page(request.path_params["name"])
    if found is None:
        raise NotFound("The handbook has no such page; /help shows which there are.")
    return render(request, "help.html", pages=handbook.pages(), page=found, words="", hits=[])
