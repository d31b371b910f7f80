"""Show the front page, the banner and the handbook."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connector.errors import NotFound, NotSignedIn
from connector.web.auth import known_user, require_user
from connector.web.rendering import render
from connector.web.static_files import translated_texts

WORDS_AT_MOST = 100


async def home(request: Request) -> Response:
    """Return `GET /`: the banner for who is signed in, else the way to sign in.

    Administrators are led to the set-up until it is complete.
    """
    try:
        await require_user(request)
    except NotSignedIn:
        return render(request, "signed_out.html")
    progress = getattr(request.state, "progress", None)
    return RedirectResponse("/banner" if progress is None or progress.is_complete else "/setup", 303)


async def banner(request: Request) -> Response:
    """Return `GET /banner`: what an agent looks at all day."""
    try:
        user = await require_user(request)
    except NotSignedIn:
        return render(request, "signed_out.html", 401)
    agent = {"name": user.name, "email": user.email, "role": user.role}
    return render(request, "banner.html", agent=agent, texts=translated_texts())


async def help_contents(request: Request) -> Response:
    """Show all pages, or with `?words=` the sections that hold these words."""
    from connector import handbook

    await known_user(request)
    words = request.query_params.get("words", "").strip()[:WORDS_AT_MOST]
    hits = handbook.search(words)
    return render(request, "help.html", pages=handbook.pages(), page=None, words=words, hits=hits)


async def help_page(request: Request) -> Response:
    """Show one page; NotFound if there is none of that name."""
    from connector import handbook

    await known_user(request)
    found = handbook.page(request.path_params["name"])
    if found is None:
        raise NotFound("The handbook has no such page; /help shows which there are.")
    return render(request, "help.html", pages=handbook.pages(), page=found, words="", hits=[])
