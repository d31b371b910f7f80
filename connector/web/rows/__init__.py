"""The table of problems: what each reason of `connector.errors` means to the person who meets it."""

from collections.abc import Mapping
from types import MappingProxyType

from connector.web.rows import asking, recordings, signing_in, zoho
from connector.web.rows.row import Row

ROWS: Mapping[str, Row] = MappingProxyType({**asking.ROWS, **signing_in.ROWS, **zoho.ROWS, **recordings.ROWS})
"""By reason; a reason without a row is told as its parent."""

__all__ = ["ROWS", "Row"]
