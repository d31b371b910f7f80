"""Phone systems: each of their settings."""

from tests.integration.three_ways.ways import Row

ADD = ("phones", "add", "paris", "--country", "FR", "--line", "+33198765432", "--queue", "support")
PAGE, API = "/phone-systems/paris", "/api/v1/phone-systems/paris"
NEW = {"slug": "lyon", "called": "Lyon", "country": "France", "time_zone": "Paris", "portal_id": "1"}
LYON = ("phones", "add", "lyon", "--name", "Lyon", "--time-zone", "Europe/Paris", "--country")
NEW_BODY = {"slug": "lyon", "name": "Lyon", "country": "FR", "time_zone": "Europe/Paris", "portal_id": 1}


def row(name: str, command: str, fields: dict[str, str], call: tuple[str, str, object], refused: str = "",
        *more: tuple[str, ...]) -> Row:  # fmt: skip
    """Return a row of one setting of a phone system that is there; `call` begins with its own address.

    The first word of the name is the part of the page.
    """
    method, path, body = call
    part, words = name.partition(" ")[0], ("phones", *command.split(" "))
    return Row(name, words, (f"{PAGE}/{part}", fields), (method, API + path, body), (ADD, *more), refused)


ROWS = [
    Row("a new phone system", (*LYON, "FR"), ("/phone-systems/new", NEW),
        ("POST", "/api/v1/phone-systems", NEW_BODY)),
    Row("a new one elsewhere", (*LYON, "XX"), ("/phone-systems/new", NEW | {"country": "XX"}),
        ("POST", "/api/v1/phone-systems", NEW_BODY | {"country": "XX"}), refused="XX is no country"),
    Row("a new one twice", ("phones", "add", "paris", "--country", "FR"),
        ("/phone-systems/new", NEW | {"slug": "paris"}),
        ("POST", "/api/v1/phone-systems", NEW_BODY | {"slug": "paris"}), (ADD,),
        "There is a phone system paris already"),
    Row("a rotated secret", ("phones", "rotate", "paris", "--overlap-hours", "2"),
        (f"{PAGE}/rotate", {"overlap_hours": "2"}), ("POST", f"{API}/rotate", {"overlap_hours": 2}), (ADD,)),
    Row("a removed one", ("phones", "remove", "paris", "--yes"), (f"{PAGE}/remove", {}),
        ("DELETE", API, None), (ADD,)),
    row("general name", "change paris --name Seine", {"called": "Seine"}, ("PATCH", "", {"name": "Seine"})),
    row("general country", "change paris --country be", {"country": "Belgium"},
        ("PATCH", "", {"country": "be"})),
    row("general zone", "change paris --time-zone Mars/Base", {"time_zone": "Mars/Base"},
        ("PATCH", "", {"time_zone": "Mars/Base"}), "Mars/Base is no time zone"),
    row("general department", "change paris --department 402", {"department": "402"},
        ("PATCH", "", {"department": "402"})),
    row("general dialect", "change paris --dialect zammad", {"dialect": "zammad"},
        ("PATCH", "", {"dialect": "zammad"})),
    row("lines", "line paris +33198765433 --department 402 --name Desk",
        {"number": "+33198765433", "department": "402", "called": "Desk"},
        ("PUT", "/lines", {"number": "+33198765433", "department": "402", "name": "Desk"})),
    row("lines that are none", "line paris 0198765432", {"number": "0198765432"},
        ("PUT", "/lines", {"number": "0198765432"}), "0198765432 is no whole number"),
    row("lines taken away", "line paris +33198765432 --remove", {"number": "+33198765432", "do": "remove"},
        ("DELETE", "/lines?number=%2B33198765432", None)),
    row("lines that never were", "line paris +33198765439 --remove",
        {"number": "+33198765439", "do": "remove"}, ("DELETE", "/lines?number=%2B33198765439", None),
        "+33198765439 is none of the own numbers of paris"),
    row("queues", "queue paris nights --department 402 --name Nights",
        {"queue": "nights", "department": "402", "called": "Nights"},
        ("PUT", "/queues", {"queue": "nights", "department": "402", "name": "Nights"})),
    row("queues taken away", "queue paris support --remove", {"queue": "support", "do": "remove"},
        ("DELETE", "/queues?queue=support", None)),
    row("prefixes", "prefixes paris 9 *67", {"prefixes": "9\n*67"},
        ("PUT", "/prefixes", {"prefixes": ["9", "*67"]})),
    row("prefixes that are none", "prefixes paris +33", {"prefixes": "+33"},
        ("PUT", "/prefixes", {"prefixes": ["+33"]}), "+33 is no prefix"),
    row("number-form", "numbers paris without-plus", {"form": "without-plus"},
        ("PUT", "/number-form", {"form": "without-plus"})),
    row("senders", "allow paris 203.0.113.0/24", {"networks": "203.0.113.0/24"},
        ("PUT", "/senders", {"networks": ["203.0.113.0/24"]})),
    row("senders that are none", "allow paris office", {"networks": "office"},
        ("PUT", "/senders", {"networks": ["office"]}), "office is no network"),
    row("blocked", "block paris +331* --reason spam --everywhere",
        {"number": "+331*", "reason": "spam", "everywhere": "y"},
        ("PUT", "/blocked", {"number": "+331*", "reason": "spam", "everywhere": True})),
    row("blocked no more", "unblock paris +33123456789", {"number": "+33123456789", "do": "remove"},
        ("DELETE", "/blocked?number=%2B33123456789", None), "",
        ("phones", "block", "paris", "+33 1 23 45 67 89")),
    row("caller-ids", "caller-id paris +33198765432 --to +49*", {"number": "+33198765432", "to": "+49*"},
        ("PUT", "/caller-ids", {"number": "+33198765432", "to": "+49*"})),
    row("rules", "may-call paris +44* --role supervisor", {"number": "+44*", "role": "supervisor"},
        ("PUT", "/rules", {"number": "+44*", "role": "supervisor"})),
    row("rules for emergencies", "may-call paris 112 --role agent", {"number": "112", "role": "agent"},
        ("PUT", "/rules", {"number": "112", "role": "agent"}), "112 is an emergency number"),
    row("answers", "answers paris --names --no-owners", {"names": "y"},
        ("PUT", "/answers", {"names": True, "owners": False})),
    row("orders", "control paris on", {"takes_orders": "y"}, ("PUT", "/orders", {"on": True})),
    row("internal-calls", "internal paris on", {"logged": "y"}, ("PUT", "/internal-calls", {"on": True})),
    row("recordings", "recordings paris --host api.example.com --network 10.1.0.0/16",
        {"origins": "api.example.com", "networks": "10.1.0.0/16"},
        ("PATCH", "/recordings", {"origins": ["api.example.com"], "networks": ["10.1.0.0/16"]})),
    row("recordings by halves", "recordings paris --folder /srv/rec", {"folder": "/srv/rec"},
        ("PATCH", "/recordings", {"folder": "/srv/rec"}), "Give a folder and its address together"),
]  # fmt: skip
