"""List the countries in which one subscriber has several spellings that people still type; pure.

A rule turns one spelling into another, as digits behind the plus. Who reads asks the numbering plan
(phonenumberslite) whether the result is valid, and takes it only then.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Rule(NamedTuple):
    """How one spelling becomes another; `at_home` says that it is dialled without the country code too."""

    spelling: re.Pattern[str]
    becomes: str
    at_home: bool

    def apply(self, digits: str) -> str | None:
        """Return what the digits become; None where they are not this spelling."""
        found = self.spelling.fullmatch(digits)
        return None if found is None else found.expand(self.becomes)


class Plan(NamedTuple):
    """The spellings of one country code, and the `source` that says they are one subscriber's.

    `older` lead from what the plan no longer knows to what it knows. `equal` lead from one of two spellings
    that are both valid to the other, which is the subscriber's key. `back` lead from a valid number to what
    people still type for it.
    """

    source: str
    older: tuple[Rule, ...]
    back: tuple[Rule, ...]
    equal: tuple[Rule, ...] = ()


MIDDLE_IN_BRACKETS = frozenset({81})
"""Country codes where the middle of three groups stands in brackets: Japan's ministry prints 03(1234)5678."""


def _rule(spelling: str, becomes: str, *, at_home: bool = False) -> Rule:
    return Rule(re.compile(spelling), becomes, at_home)


_ITALIAN_AREAS = (
    "(?:1(?:[0-35]|4[1-3]|6[15]|7[1-5]|8[2-57]|9[0-8])|2\\d|4\\d|5\\d|6\\d|7[1-9]|8[1-35-8]|9\\d)"
)

_VIETNAM = {
    **{f"16{last}": f"3{last}" for last in "23456789"},
    "120": "70",
    "121": "79",
    "122": "77",
    "126": "76",
    "128": "78",
    "123": "83",
    "124": "84",
    "125": "85",
    "127": "81",
    "129": "82",
    "186": "56",
    "188": "58",
    "199": "59",
}
"""The beginnings of Vietnam's mobile numbers of eleven digits, and what they have become."""

_IVORY_COAST = {"[0-3]": "01", "[4-6]": "05", "[7-9]": "07"}
"""What an old mobile number of Ivory Coast gets in front, by its second digit, which named the operator."""


def _vietnamese() -> Iterator[tuple[Rule, Rule]]:
    for old, new in _VIETNAM.items():
        yield (
            _rule(rf"84{old}(\d{{7}})", rf"84{new}\1", at_home=True),
            _rule(rf"84{new}(\d{{7}})", rf"84{old}\1"),
        )


PLANS: Mapping[int, Plan] = {
    52: Plan(
        source="Mexico: IFT, Plan T\u00e9cnico Fundamental de Numeraci\u00f3n: since 3 August 2019 ten "
        "digits for every call; 01, 044, 045, and the 1 behind +52 are gone.",
        older=(
            _rule(r"521(\d{10})", r"52\1"),
            _rule(r"52(?:1?01|1?04[45])(\d{10})", r"52\1", at_home=True),
        ),
        back=(
            _rule(r"52(\d{10})", r"521\1"),
            _rule(r"52(\d{10})", r"52044\1"),
            _rule(r"52(\d{10})", r"52045\1"),
            _rule(r"52(\d{10})", r"5201\1"),
        ),
    ),
    54: Plan(
        source="Argentina: ENACOM, Plan Fundamental de Numeraci\u00f3n Nacional; ITU-T, national "
        "numbering plan of Argentina: ten digits name the subscriber, 9 from abroad and 15 at home say "
        "that it is a mobile. Only Buenos Aires (11) has eight digits behind 15.",
        older=(
            _rule(r"5415(\d{8})", r"54911\1", at_home=True),
            _rule(r"54(?:0?9|90)(\d{10})", r"549\1", at_home=True),
            _rule(r"549?0?(\d{2})15(\d{8})", r"549\1\2", at_home=True),
            _rule(r"549?0?(\d{3})15(\d{7})", r"549\1\2", at_home=True),
            _rule(r"549?0?(\d{4})15(\d{6})", r"549\1\2", at_home=True),
            _rule(r"54([1-8]\d{9})", r"549\1", at_home=True),
            _rule(r"549([1-8]\d{9})", r"54\1", at_home=True),
        ),
        back=(
            _rule(r"54([1-8]\d{9})", r"549\1"),
            _rule(r"54(11)(\d{8})", r"549\g<1>15\2"),
            _rule(r"5411(\d{8})", r"5415\1"),
        ),
        equal=(_rule(r"549([1-8]\d{9})", r"54\1"),),
    ),
    55: Plan(
        source="Brazil: Anatel, Resolu\u00e7\u00e3o 553/2010: mobile numbers, which began with 6 to 9, have "
        "a ninth digit 9 in front; landlines begin with 2 to 5 and keep eight.",
        older=(_rule(r"55(\d{2})([6-9]\d{7})", r"55\g<1>9\2", at_home=True),),
        back=(_rule(r"55(\d{2})9([6-9]\d{7})", r"55\1\2"),),
    ),
    39: Plan(
        source="Italy: AGCOM, Piano di numerazione nazionale: since 1998 the 0 of landlines is a part of the "
        "number and dialled from abroad, since 2001 mobiles have none. San Marino answers at +39 0549 and at "
        "+378 0549 (ITU-T E.164, country code 378).",
        older=(
            # Not 80, 84, 89, 70, 144, 163, 166 and 199: those are free, shared or premium, and never had a 0;
            # not 3, which begins mobiles.
            _rule(rf"39({_ITALIAN_AREAS}\d{{3,9}})", r"390\1"),
            _rule(r"390(3\d{8,9})", r"39\1", at_home=True),
        ),
        back=(
            _rule(rf"390({_ITALIAN_AREAS}\d{{3,9}})", r"39\1"),
            _rule(r"39(3\d{8,9})", r"390\1"),
        ),
        equal=(_rule(r"39(0549\d{6})", r"378\1"),),
    ),
    378: Plan(
        source="San Marino: see Italy.",
        older=(_rule(r"378549(\d{6})", r"3780549\1"),),
        back=(_rule(r"378(0549\d{6})", r"39\1"), _rule(r"3780549(\d{6})", r"378\1")),
    ),
    48: Plan(
        source="Poland: UKE, numbering plan of 2009: nine digits for every call, the 0 in front is gone.",
        older=(_rule(r"480(\d{9})", r"48\1", at_home=True),),
        back=(_rule(r"48(\d{9})", r"480\1"),),
    ),
    56: Plan(
        source="Chile: SUBTEL, nine digits for every call (landlines 2012 to 2014, mobiles 2016): landlines "
        "have a 2 behind the area code; mobiles are dialled without 0.",
        older=(
            _rule(r"562(\d{7})", r"5622\1"),
            _rule(r"56([3-7]\d)(\d{6})", r"56\g<1>2\2"),
            _rule(r"560(9\d{8})", r"56\1", at_home=True),
        ),
        back=(
            _rule(r"5622(\d{7})", r"562\1"),
            _rule(r"56([3-7]\d)2(\d{6})", r"56\1\2"),
            _rule(r"56(9\d{8})", r"560\1"),
        ),
    ),
    57: Plan(
        source="Colombia: CRC, Resoluci\u00f3n 5826 de 2019, in force since 1 September 2021: landlines have "
        "60 in front of the area's digit.",
        older=(_rule(r"57([1-8]\d{7})", r"5760\1", at_home=True),),
        back=(_rule(r"5760([1-8]\d{7})", r"57\1"),),
    ),
    84: Plan(
        source="Vietnam: Ministry of Information and Communications, plan of 2018: mobile numbers of eleven "
        "digits got ten, from 15 September 2018 on.",
        older=tuple(older for older, _ in _vietnamese()),
        back=tuple(back for _, back in _vietnamese()),
    ),
    225: Plan(
        source="Ivory Coast: ARTCI, ten digits since 31 January 2021: mobiles have 01, 05 or 07 in front, by "
        "the operator, which their second digit named; landlines of the first operator have 27.",
        older=(
            *(
                _rule(rf"225([04-9]{second}\d{{6}})", rf"225{front}\1", at_home=True)
                for second, front in _IVORY_COAST.items()
            ),
            _rule(r"225([23]\d{7})", r"22527\1", at_home=True),
        ),
        back=(
            *(
                _rule(rf"225{front}([04-9]{second}\d{{6}})", r"225\1")
                for second, front in _IVORY_COAST.items()
            ),
            _rule(r"22527([23]\d{7})", r"225\1"),
        ),
    ),
    229: Plan(
        source="Benin: ARCEP, ten digits since 30 November 2024: 01 in front of every number.",
        older=(_rule(r"229(\d{8})", r"22901\1", at_home=True),),
        back=(_rule(r"22901(\d{8})", r"229\1"),),
    ),
}
