"""Phone numbers that reach nobody, written in all the ways that people type them into a contact.

The ranges are those that regulators keep for fiction: Ofcom's drama numbers, 555-01xx of North America,
and their like in France, Germany and Sweden.
"""

import random

import msgspec


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A range of fictional numbers: country code, trunk prefix, area, first and last subscriber number.

    The subscriber number is written in groups of these lengths.
    """

    country: str
    trunk: str
    area: str
    first: str
    last: str
    groups: tuple[int, ...]

    def pick(self, chance: random.Random) -> "Line":
        """Choose a number of this range."""
        number = chance.randint(int(self.first), int(self.last))
        return Line(range=self, digits=str(number).zfill(len(self.first)))


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One phone number."""

    range: Range
    digits: str

    @property
    def e164(self) -> str:
        """The number as everybody's telephone understands it."""
        return f"+{self.range.country}{self.range.area}{self.digits}"

    def groups(self, space: str) -> str:
        """Write the subscriber number in groups."""
        parts, start = [], 0
        for length in self.range.groups:
            parts.append(self.digits[start : start + length])
            start += length
        return space.join(parts)


LANDLINES = (
    Range(country="44", trunk="0", area="20", first="79460000", last="79460999", groups=(4, 4)),
    Range(country="1", trunk="", area="212", first="5550100", last="5550199", groups=(3, 4)),
    Range(country="33", trunk="0", area="1", first="99000000", last="99009999", groups=(2, 2, 2, 2)),
    Range(country="49", trunk="0", area="30", first="23125000", last="23125999", groups=(5, 3)),
    Range(country="46", trunk="0", area="8", first="46500400", last="46500499", groups=(3, 3, 2)),
)
MOBILES = (
    Range(country="44", trunk="0", area="7700", first="900000", last="900999", groups=(3, 3)),
    Range(country="1", trunk="", area="415", first="5550100", last="5550199", groups=(3, 4)),
    Range(country="33", trunk="0", area="6", first="39980000", last="39989999", groups=(2, 2, 2, 2)),
    Range(country="49", trunk="0", area="171", first="3920000", last="3920099", groups=(7,)),
    Range(country="46", trunk="0", area="70", first="1740605", last="1740699", groups=(3, 2, 2)),
)

FORMS = (
    "+{country} {area} {spaced}",
    "+{country}{area}{digits}",
    "00{country} {area} {spaced}",
    "00{country}{area}{digits}",
    "{trunk}{area} {spaced}",
    "{trunk}{area}{digits}",
    "{area} {spaced}",
    "{trunk}{area}-{dashed}",
    "{trunk}{area}.{dotted}",
    "({trunk}{area}) {spaced}",
    "+{country} (0){area} {spaced}",
    "{country} {area} {spaced}",
    "+{country}-{area}-{dashed}",
    "{trunk}{area}/{digits}",
    "+{country} {area} {spaced} ext. 12",
    "{trunk}{area} {spaced} x7",
    "Tel. {trunk}{area} {spaced}",
)


def type_number(line: Line, form: int) -> str:
    """Write a number in one of the forms, counted round and round."""
    return FORMS[form % len(FORMS)].format(
        country=line.range.country,
        trunk=line.range.trunk,
        area=line.range.area,
        digits=line.digits,
        spaced=line.groups(" "),
        dashed=line.groups("-"),
        dotted=line.groups("."),
    )
