"""Read forms: their fields checked, their sender's session proven, what was wrong said beside the field."""

import hashlib
import hmac
from collections.abc import AsyncGenerator
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from wtforms import Form as WtForm
from wtforms import SelectMultipleField, ValidationError
from wtforms.csrf.core import CSRF
from wtforms.i18n import get_translations
from wtforms.meta import DefaultMeta
from wtforms.widgets import CheckboxInput, ListWidget

from connector.errors import InvalidRequest, InvalidValue
from connector.services import services_of
from connector.web.auth import session_of
from connector.web.bodies import NO_NUL, SMALL_BYTES, read_body
from connector.web.languages import gettext, lazy, present

FIELDS_AT_MOST = 1_000


class SessionToken(CSRF):
    """A token that only forms of this very session hold."""

    def setup_form(self, form: Any) -> Any:
        """Take along which request this is for."""
        self._request: Request = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: Any) -> str:  # noqa: ARG002 - WTForms' signature
        """Return the session's token."""
        key = services_of(self._request).encryptor.signing_keys[0]
        return hmac.new(key, b"form " + session_of(self._request).encode(), hashlib.sha256).hexdigest()

    def validate_csrf_token(self, form: Any, field: Any) -> None:  # noqa: ARG002 - WTForms' signature
        """Refuse a form that was made for another session."""
        if not hmac.compare_digest((field.data or "").encode(), field.current_token.encode()):
            raise ValidationError(
                gettext(
                    "This form was opened before you signed in again. Look it over and send it once more."
                )
            )


class Form(WtForm):
    """A form of a page: `await Form.of(request)` fills it in, `form.accepts()` checks it.

    What the rules behind it refuse is said by `form.refuse(problem)`, beside the field that it names.
    """

    class Meta(DefaultMeta):
        """What WTForms asks of us."""

        csrf = True
        csrf_class = SessionToken
        csrf_field_name = "token"

        def get_translations(self, form: Any) -> Any:  # noqa: ARG002 - WTForms' signature
            """Return WTForms' own texts in the reader's language."""
            return get_translations([present().replace("-", "_"), "en"])

    aliases: ClassVar[dict[str, str]] = {}
    """Names of fields that the rules call otherwise: {"/client_id": "client"}."""

    @classmethod
    async def of(cls, request: Request, **present_values: Any) -> Any:
        """Make the form of a request: filled in by its body where it is a POST, else by what is there now."""
        data = await read_form(request) if request.method == "POST" else None
        return cls(formdata=data, data=present_values, meta={"csrf_context": request})

    def accepts(self) -> bool:
        """Tell whether all fields hold; each that does not says why."""
        return bool(self.validate())

    def refuse(self, problem: InvalidValue) -> None:
        """Say beside its field what a rule refuses, or above the form where it names none of these."""
        name = self.aliases.get(problem.pointer, problem.pointer.strip("/").partition("/")[0])
        told = said(problem)
        if name in self._fields:
            field = self._fields[name]
            field.errors = [*field.errors, told]
        else:
            self.form_errors = [*self.form_errors, told]

    @property
    def is_refused(self) -> bool:
        """Tell whether something was wrong with it."""
        return bool(self.errors or self.form_errors)


async def read_form(request: Request) -> FormData:
    """Return a body of fields (application/x-www-form-urlencoded); InvalidRequest, TooLarge."""
    return _fields(await read_body(request, SMALL_BYTES))


def _fields(body: bytes) -> FormData:
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_AT_MOST)
    except ValueError as problem:
        raise InvalidRequest("The body must be the fields of a form, percent-encoded.") from problem
    if any("\x00" in name + value for name, value in fields):
        raise InvalidRequest(NO_NUL)
    return FormData(list[tuple[str, Any]](fields))


async def read_upload(request: Request, at_most: int) -> tuple[FormData, dict[str, bytes]]:
    """Return the fields and the files of a body (multipart/form-data, or the fields as above).

    Nothing is parsed before its end is known to be within `at_most`: InvalidRequest, TooLarge.
    """
    body = await read_body(request, at_most)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _fields(body), {}

    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        parser = MultiPartParser(
            request.headers, whole(), max_files=1, max_fields=FIELDS_AT_MOST, max_part_size=at_most
        )
        data = await parser.parse()
    except (MultiPartException, UnicodeDecodeError, KeyError) as problem:
        raise InvalidRequest("The body must be a form with a file, as browsers send it.") from problem
    files, fields = dict[str, bytes](), list[tuple[str, Any]]()
    for name, value in data.multi_items():
        if isinstance(value, UploadFile):
            files[name] = await value.read()
        else:
            fields.append((name, value))
    await data.close()
    if any("\x00" in name + value for name, value in fields):
        raise InvalidRequest(NO_NUL)
    return FormData(fields), files


def said(problem: InvalidValue) -> str:
    """Return what a rule refuses in the reader's language."""
    return gettext(problem.text).format(**problem.values) if problem.values else gettext(problem.text)


def required() -> Any:
    """Return WTForms' check that something was given, in our words."""
    from wtforms.validators import InputRequired

    return InputRequired(lazy("Fill this in."))


class CheckboxesField(SelectMultipleField):
    """Several of a list, each with a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def attributes(field: Any) -> dict[str, str]:
    """Return what tells a screen reader of a field's hint and of what was wrong with it."""
    hints = [f"{field.id}-hint"] if field.description else []
    wrong = [f"{field.id}-error-{number}" for number, _ in enumerate(field.errors, 1)]
    told = {"aria-describedby": " ".join(hints + wrong)} if hints or wrong else {}
    return told | ({"aria-invalid": "true"} if wrong else {})
