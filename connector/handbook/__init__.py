"""Show the handbook: its pages as HTML, and where words stand in it."""

from connector.handbook.pages import NAMES, Hit, Page, guide_at, page, pages, search

__all__ = ["NAMES", "Hit", "Page", "guide_at", "page", "pages", "search"]
