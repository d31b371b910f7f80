"""What stands in the way of a portal, as far as Zoho has told: nobody is asked."""

from collections.abc import Collection, Iterator

from connector.checks import Check
from connector.portals.check_layers import (
    grant_checks,
    licence_checks,
    profile_checks,
    scope_checks,
    sharing_checks,
)
from connector.portals.rights import rights_from_json
from connector.store.portals import Portal
from connector.zoho.actions import ALWAYS, Feature
from connector.zoho.layouts import DeskField

FIELDS_PLACE = "Setup > Customization > Layouts and Fields > Calls"


def obstacles_of(portal: Portal, features: Collection[Feature] = ALWAYS) -> list[Check]:
    """Return what stands, or may stand, in the way of a portal; [] where all is known to be there."""
    return [check for check in known_checks(portal, features) if check.state != "ok"]


def known_checks(portal: Portal, features: Collection[Feature]) -> list[Check]:
    """Return how each layer is by what Zoho has told, that which is well too."""
    grant = grant_checks(portal)
    if portal.state != "linked":
        return grant
    rights = rights_from_json(portal.rights)
    licence = list(licence_checks(portal, rights, features))
    # The profile of a light agent allows no writing either: the licence is what has to be mended.
    light = {check.what for check in licence if check.state == "refused"}
    return [
        *grant,
        *scope_checks(portal.scopes, features),
        *licence,
        *profile_checks(portal, rights, [each for each in features if each.title not in light]),
        *sharing_checks(portal, rights, features),
        *lacking_fields(portal, portal.refused_fields.split()),
        *_unsorted(portal),
    ]


def named_fields(portal: Portal) -> list[tuple[str, str]]:
    """Return the custom fields of calls that are set here, each with the option that sets it."""
    found = (("key-field", portal.key_field), ("recording-field", portal.recording_field))
    return [(option, name) for option, name in found if name]


def lacking_fields(portal: Portal, lacking: Collection[str]) -> Iterator[Check]:
    """Yield the custom fields that are set here and are among those that Desk lacks."""
    for option, name in named_fields(portal):
        if name in lacking:
            yield Check(
                layer="field",
                what=f"Filling the field {name}",
                state="refused",
                why=f"Zoho Desk has no text field {name} for calls and refuses it: records go without it.",
                needs="A custom field of calls that takes text",
                place=FIELDS_PLACE,
                remedy="An administrator of Zoho Desk makes it there, then say again: "
                f"`connector portals set {portal.id} --{option} {name}`",
            )


def field_checks(portal: Portal, fields: Collection[DeskField] | None) -> Iterator[Check]:
    """Yield whether the custom fields of calls that are set here are in Desk; None where that is unknown.

    Those that Desk has refused are told by `obstacles_of`. Where none is set for the recording, the one that
    could be is named.
    """
    refused = portal.refused_fields.split()
    wanted = [(option, name) for option, name in named_fields(portal) if name not in refused]
    if fields is None:
        for _option, name in wanted:
            why = "Zoho Desk does not list its fields: unknown until a record is written."
            yield Check(layer="field", what=f"Filling the field {name}", state="unknown", why=why)
        return
    usable = {field.api_name: field for field in fields if field.takes_text}
    yield from lacking_fields(portal, [name for _option, name in wanted if name not in usable])
    for _option, name in wanted:
        if name in usable:
            why = f"Zoho Desk has it: {usable[name].label or name}."
            yield Check(layer="field", what=f"Filling the field {name}", state="ok", why=why)
    if portal.recording_field is None:
        yield _no_recording_field(portal, list(usable.values()))


def _no_recording_field(portal: Portal, usable: Collection[DeskField]) -> Check:
    found = recording_field_in(usable)
    if found is None:
        how = f"`connector portals make-field {portal.id}` makes one in Zoho Desk."
    else:
        how = (
            f"Zoho Desk has {found.label or found.api_name}, which would do: "
            f"`connector portals set {portal.id} --recording-field {found.api_name}`"
        )
    return Check(
        layer="field",
        what="A field for the recording",
        state="ok",
        why="None is set: the recording's address goes into the record's own field, which the API does not "
        f"read back. A field of yours can be shown, searched and reported on. {how}",
        place=FIELDS_PLACE,
    )


def recording_field_in(fields: Collection[DeskField]) -> DeskField | None:
    """Return the custom field that is meant for recordings, by its name; None where there is none."""
    named = (field for field in fields if field.is_custom and "recording" in (field.api_name or ""))
    return next(named, None)


def _unsorted(portal: Portal) -> Iterator[Check]:
    """Yield the lists that Desk has refused to sort."""
    for name in portal.refused_sorts.split():
        yield Check(
            layer="field",
            what=f"Listing {name} newest first",
            state="warning",
            why=f"Zoho Desk has refused to sort {name} so: what is new among them is found later.",
            remedy=f"Nothing is lost. `connector portals show {portal.id} --live` has it tried again.",
        )
