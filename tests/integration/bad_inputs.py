"""Requests that are wrong, or look it, as the bytes that a client sends, with the answer that each has to get."""

import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from questlog.settings import Settings

JSON, NDJSON, FORM = "application/json", "application/x-ndjson", "application/x-www-form-urlencoded"
SECRET = "swordfish"
SWORD = {"item": "iron", "price": 120}
SQL = "Robert'); DROP TABLE events; --"
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Case:
    """`words` are in the answer's body; an answer `by_server`, of what is not HTTP, has no body.

    A client that is `cut` off closes its side once it has sent the bytes; the others wait for the answer.
    """

    name: str
    request: bytes
    status: int
    words: tuple[str, ...] = ()
    by_server: bool = False
    cut: bool = False


def most(setting: str) -> int:
    """The limit that holds unless a setting says another one."""
    default: int = Settings.model_fields[setting].default
    return default


def head(line: str, headers: Iterable[str] = ()) -> bytes:
    """A request line and headers; no more requests come on the connection."""
    lines = [f"{line} HTTP/1.1", "Host: game", "Connection: close", *headers]
    return "".join(f"{each}\r\n" for each in lines).encode() + b"\r\n"


def get(target: str, *headers: str) -> bytes:
    """A GET."""
    return head(f"GET {target}", headers)


def post(path: str, body: bytes | str, content_type: str | None = JSON, *headers: str, length: object = None) -> bytes:
    """A POST; `length` is what Content-Length claims, if it is not the truth."""
    data = body.encode() if isinstance(body, str) else body
    kind = [f"Content-Type: {content_type}"] if content_type else []
    claimed = len(data) if length is None else length
    return head(f"POST {path}", [*kind, f"Content-Length: {claimed}", *headers]) + data


def sword(**changed: object) -> bytes:
    """A purchase in which some fields are not as they should be."""
    return post("/purchase_sword", json.dumps({**SWORD, **changed}))


def guild(name: str) -> bytes:
    """Somebody joins a guild of any name."""
    return post("/join_guild", json.dumps({"guild": name}))


def lines(*events: Mapping[str, Any]) -> bytes:
    """A batch."""
    return post("/events", "".join(json.dumps(event) + "\n" for event in events), NDJSON)


def chunked(body: bytes, *headers: str) -> bytes:
    """A POST in chunks."""
    kind = (f"Content-Type: {JSON}", "Transfer-Encoding: chunked", *headers)
    return head("POST /purchase_sword", kind) + body


def many(count: int, each: str = "f{}={}", between: str = "&") -> str:
    """So many parameters, or what `each` makes."""
    return between.join(each.format(number, number) for number in range(count))


SIZES = (
    Case("a body one byte too large", post("/events", b" " * (most("max_body_bytes") + 1)), 413, ("max_body_bytes",)),
    Case(
        "a body eight times too large", post("/events", b"x" * (most("max_body_bytes") * 8), NDJSON), 413, ("1048576",)
    ),
    Case(
        "a batch of one event too many", lines(*[{"event_type": "page_view"}] * 1001), 413, ("1001", "max_batch_events")
    ),
    Case("a batch without an event", post("/events", "\n\n", NDJSON), 400, ("no event",)),
    Case("a guild of 65 characters", guild("x" * 65), 400, ("guild", "64 characters")),
    Case("a page of 257 characters", get("/page_view?page=/" + "x" * 256), 400, ("page", "256 characters")),
    Case("a player of 65 characters", sword(user_id="x" * 65), 400, ("user_id",)),
    Case("a field of half a megabyte", guild("x" * 500_000), 400, ("64 characters",)),
    Case("a query one byte too long", get("/page_view?page=" + "x" * 8188), 414, ("8193", "max_query_bytes")),
    Case("an address of 70,000 bytes", get("/" + "x" * 70_000), 414, by_server=True),
    Case("101 parameters in a query", get(f"/purchase_sword?{many(101)}"), 400, ("101", "max_fields")),
    Case("101 parameters in a form", post("/purchase_sword", many(101), FORM), 400, ("101", "max_fields")),
    Case("100,000 parameters in a form", post("/purchase_sword", many(60_000), FORM), 400, ("max_fields",)),
    Case("101 fields in an object", sword(**{f"f{n}": n for n in range(99)}), 400, ("101", "max_fields")),
    Case("65 headers", get("/page_view", *(f"X-{n}: 1" for n in range(65))), 431, ("max_header_count",)),
    Case("500 headers", get("/page_view", *(f"X-{n}: 1" for n in range(500))), 431, by_server=True),
    Case("a header of 17,000 bytes", get("/page_view", "X-Long: " + "x" * 17_000), 431, ("max_header_bytes",)),
    Case("a header of a megabyte", get("/page_view", "X-Long: " + "x" * 1_000_000), 431, by_server=True),
    Case("a kept header of 10,000 bytes", get("/page_view", "User-Agent: " + "x" * 10_000), 201, ("event_id",)),
)

NOT_JSON = {
    "nothing but a brace": "{",
    "an object that is cut": '{"item": "iron", "pri',
    "a comma too many": '{"item": "iron", "price": 1,}',
    "single quotes": "{'item': 'iron', 'price': 1}",
    "a comment": '{"item": "iron", "price": 1} // cheap',
    "two objects": json.dumps(SWORD) * 2,
    "a name without quotes": '{item: "iron", "price": 1}',
    "a number with a leading zero": '{"item": "iron", "price": 012}',
    "a number in hexadecimal": '{"item": "iron", "price": 0x7f}',
    "NaN": '{"item": "iron", "price": NaN}',
    "Infinity": '{"item": "iron", "price": Infinity}',
    "minus Infinity": '{"item": "iron", "price": -Infinity}',
    "a number of 5,000 digits": '{"item": "iron", "price": ' + "9" * 5000 + "}",
    "a raw control character in a text": '{"item": "ir\x01on", "price": 1}',
    "an escape that does not exist": r'{"item": "\x41", "price": 1}',
    "spaces alone": "   ",
    "XML": "<event><item>iron</item></event>",
}
UNREADABLE = (
    *(Case(f"JSON: {name}", post("/purchase_sword", body), 400, ("is not JSON",)) for name, body in NOT_JSON.items()),
    Case(
        "JSON: a byte-order mark", post("/purchase_sword", b"\xef\xbb\xbf" + json.dumps(SWORD).encode()), 400, ("JSON",)
    ),
    Case("JSON: UTF-16", post("/purchase_sword", json.dumps(SWORD).encode("utf-16")), 400, ("is not JSON",)),
    Case("JSON: a byte that is not UTF-8", post("/purchase_sword", b'{"item": "\xff"}'), 400, ("is not JSON",)),
    Case("JSON: a list", post("/purchase_sword", json.dumps([SWORD])), 400, ("of type list",)),
    Case("JSON: a number", post("/purchase_sword", "7"), 400, ("of type int",)),
    Case("JSON: null", post("/purchase_sword", "null"), 400, ("of type NoneType",)),
    Case(
        "JSON: a name twice", post("/purchase_sword", '{"item": "iron", "item": "steel", "price": 1}'), 400, ("'item'",)
    ),
    Case(
        "JSON: a name twice, inside",
        post("/purchase_sword", '{"item": {"a": 1, "a": 2}}'),
        400,
        ("'a' more than once",),
    ),
    Case("JSON: nested 9 deep", sword(item=json.loads("[" * 8 + "]" * 8)), 400, ("nested 9 deep", "max_json_depth")),
    Case("JSON: nested 100,000 deep", post("/purchase_sword", '{"item": ' + "[" * 100_000), 400, ("max_json_depth",)),
    Case("JSON: objects nested 50,000 deep", post("/events", '{"a":' * 50_000), 400, ("max_json_depth",)),
    Case("a query that is not UTF-8", get("/join_guild?guild=%FF"), 400, ("query cannot be read",)),
    Case("a query that gives a field twice", get("/join_guild?guild=a&guild=b"), 400, ("'guild' more than once",)),
    Case("a query without a value", get("/join_guild?guild"), 400, ("query cannot be read",)),
    Case("a form that is not UTF-8", post("/join_guild", "guild=%C3%28", FORM), 400, ("form cannot be read",)),
    Case("a query beside a batch", post("/events?user_id=ada", "{}", NDJSON), 400, ("no query is taken here",)),
)

VALUES = (
    Case("a price in words", sword(price="many"), 400, ("price", "from 0 to")),
    Case("a price of true", sword(price=True), 400, ("price", "integer")),
    Case("a price with a fraction", sword(price=1.5), 400, ("price", "integer")),
    Case("a price in a list", sword(price=[120]), 400, ("price", "integer")),
    Case("a price in an object", sword(price={"gold": 120}), 400, ("price", "integer")),
    Case("a price of null", sword(price=None), 400, ("price", "missing")),
    Case("a price below nought", sword(price=-1), 400, ("price", "-1", "from 0 to")),
    Case("a price above the most", sword(price=1_000_001), 400, ("price", "from 0 to 1000000")),
    Case("a price of 401 digits", sword(price=10**400), 400, ("price",)),
    Case("a price of 4,001 digits", sword(price=10**4000), 400, ("price",)),
    Case("a price of 1e999", post("/purchase_sword", '{"item": "iron", "price": 1e999}'), 400, ("price",)),
    Case("a price of 2**63 in a query", get(f"/purchase_sword?item=iron&price={2**63}"), 400, ("price",)),
    Case("a price in Arabic digits", sword(price="\u0661\u0662"), 400, ("price",)),
    Case(
        "a quantity of nought", get("/purchase_potion?item=mana&price=1&quantity=0"), 400, ("quantity", "from 1 to 99")
    ),
    Case("an item that is a number", sword(item=7), 400, ("item", "mithril")),
    Case("an item that nobody sells", sword(item="spoon"), 400, ("item", "spoon", "mithril")),
    Case("an item with a space before it", sword(item=" iron"), 400, ("item", "mithril")),
    Case("a player that is a list", sword(user_id=["ada"]), 400, ("user_id",)),
    Case("a player that is empty", sword(user_id=""), 400, ("user_id",)),
    Case("a country of one letter in lower case", post("/create_player", '{"character": "mage", "country": "n"}'), 400),
    Case("a text with NUL", guild("Night\0Watch"), 400, ("guild",)),
    Case("NUL in a query", get("/join_guild?guild=Night%00Watch"), 400, ("guild",)),
    Case("a line break in a text", guild("Night\r\nWatch: x"), 400, ("guild",)),
    Case("a lone surrogate", post("/join_guild", r'{"guild": "\ud800"}'), 400, ("guild",)),
    Case("a lone surrogate in a field's name", post("/join_guild", r'{"guild": "a", "\udc00": 1}'), 400, ("problem",)),
    Case("a lone surrogate in a batch", post("/events", r'{"event_type": "\ud800"}', NDJSON), 400, ("event_type",)),
    Case("no field at all", get("/purchase_sword"), 400, ("item", "price", "missing")),
    Case("a field that nobody knows", sword(colour="red"), 400, ("colour", "unknown field")),
    Case("a field with an empty name", sword(**{"": 1}), 400, ("unknown field",)),
    Case("a field that the server writes", sword(received_at="2026-01-05T10:00:00Z"), 400, ("received_at", "unknown")),
    Case("a version that there never was", sword(schema_version=999), 400, ("schema_version",)),
    Case("headers in the body", sword(headers={"authorization": "me"}), 400, ("headers", "unknown field")),
    Case("a field that Python has", sword(__class__="x"), 400, ("__class__", "unknown field")),
    Case("an event type that is not this page's", sword(event_type="join_guild"), 400, ("event_type",)),
    Case("an event type that nobody knows, in a batch", lines({"event_type": "slay_dragon"}), 400, ("event_type",)),
    Case("an event type that is missing, in a batch", lines(SWORD), 400, ("event_type", "missing")),
    Case(
        "one bad line among good ones", lines({"event_type": "page_view"}, {}, {"event_type": "page_view"}), 400, ("2",)
    ),
)

TIMES = {
    "before 2020": "2019-12-31T23:59:59.999Z",
    "after 2099": "2100-01-01T00:00:00Z",
    "in the year 9999": "9999-12-31T23:59:59Z",
    "without a zone": "2026-01-05T10:00:00",
    "a day alone": "2026-01-05",
    "seconds since 1970": 1_767_607_200,
    "seconds since 1970, as text": "1767607200",
    "the 30th of February": "2026-02-30T10:00:00Z",
    "25 o'clock": "2026-01-05T25:00:00Z",
    "a zone of 99 hours": "2026-01-05T10:00:00+99:00",
    "a name of a day": "yesterday",
    "empty": "",
    "a list": ["2026-01-05T10:00:00Z"],
}
OUT_OF_TIME = tuple(
    Case(f"time: {name}", sword(event_time=value), 400, ("event_time", "with its zone"))
    for name, value in TIMES.items()
)

DATA = {
    "SQL": SQL,
    "SQL with a comment": "x' UNION SELECT * FROM batches /*",
    "a path": "../../etc/passwd",
    "a partition": "event_type=page_view/event_date=2026-01-05",
    "a partition's name": "a=b/c",
    "Hive's name for null": HIVE_NULL,
    "a shell's command": "$(rm -rf ~); `id` | cat",
    "a template": "{{7*7}} ${7*7} #{7*7} %s%n",
    "a look-up of log4j": "${jndi:ldap://game/a}",
    "markup": "<script>alert(1)</script>",
    "a formula": "=cmd|' /C calc'!A0",
    "an emoji and a right-to-left mark": "\u202e\U0001f600",
    "a percent sign without digits": "100%ZZ",
    "a topic's name": "__consumer_offsets",
}
NAMES = {
    "SQL": SQL,
    "a path": "../etc/passwd",
    "a partition": "a=b/c",
    "Hive's name for null": HIVE_NULL,
    "a wildcard": "*",
    "a line break at the end": "ada\n",
}
PATHS = ("/a=b/c", f"/{HIVE_NULL}", "/events/../../etc/passwd", "/%2e%2e%2fetc%2fpasswd", "/purchase_sword%00", "/.env")
OTHER_PATHS = ("//etc/passwd", "/purchase_sword/", "/purchase_sword;x", "/PURCHASE_SWORD", "/slay_dragon", "/%FF")
INJECTION = (
    *(Case(f"data: {name}", guild(text), 201, ("event_id",)) for name, text in DATA.items()),
    *(Case(f"data in a query: {n}", get(f"/join_guild?guild={quote(t)}"), 201, ("event_id",)) for n, t in DATA.items()),
    *(Case(f"player: {name}", sword(user_id=text), 400, ("user_id",)) for name, text in NAMES.items()),
    *(Case(f"event id: {name}", sword(event_id=text), 400, ("event_id",)) for name, text in NAMES.items()),
    *(Case(f"event type: {n}", lines({"event_type": t}), 400, ("event_type",)) for n, t in NAMES.items()),
    *(Case(f"item: {name}", sword(item=text), 400, ("item",)) for name, text in NAMES.items()),
    *(Case(f"path: {path}", get(path), 404, ("no such event type",)) for path in (*PATHS, *OTHER_PATHS)),
    Case("SQL in headers that are kept", get("/page_view", f"User-Agent: {SQL}", f"X-Client-Version: {SQL}"), 201),
    Case("a request id that is SQL", get("/page_view", f"X-Request-Id: {SQL}"), 201, ("event_id",)),
    Case("a header that is not UTF-8", get("/page_view").replace(b"game", b"game\r\nUser-Agent: \xff\xfe"), 201),
    Case("a host that is a path", get("/page_view").replace(b"game", b"../../etc"), 201, ("event_id",)),
    Case("secrets in headers", get("/page_view", f"Authorization: Bearer {SECRET}", f"Cookie: a={SECRET}"), 201),
    Case("a key where none is asked for", get("/page_view", f"X-API-Key: {SECRET}"), 201, ("event_id",)),
)

WHOLE = json.dumps(SWORD).encode()
CHUNK = b"%x\r\n%s\r\n" % (len(WHOLE), WHOLE)
HTTP = (
    Case("a length below nought", post("/purchase_sword", WHOLE, length=-1), 400, by_server=True),
    Case("a length in words", post("/purchase_sword", WHOLE, length="all"), 400, by_server=True),
    Case("a length with a sign", post("/purchase_sword", WHOLE, length=f"+{len(WHOLE)}"), 400, by_server=True),
    Case("a length of 30 digits", post("/purchase_sword", WHOLE, length="9" * 30), 400, by_server=True),
    Case("two lengths", post("/purchase_sword", WHOLE, JSON, "Content-Length: 4"), 400, by_server=True),
    Case("a length that is too short", post("/purchase_sword", WHOLE, length=9), 400, ("is not JSON",)),
    Case(
        "a length that is too long",
        post("/purchase_sword", WHOLE, length=len(WHOLE) + 1),
        400,
        ("the body ended",),
        cut=True,
    ),
    Case(
        "a length without a body", post("/purchase_sword", "", length=10), 400, ("ended after 0 of 10 bytes",), cut=True
    ),
    Case("chunks", chunked(CHUNK + b"0\r\n\r\n"), 411, ("Content-Length",)),
    Case("chunks without an end", chunked(CHUNK), 411, ("Content-Length",), cut=True),
    Case("chunks that are none", chunked(b"zz\r\nabc\r\n0\r\n\r\n"), 411, ("Content-Length",)),
    Case("chunks and a length", chunked(CHUNK + b"0\r\n\r\n", f"Content-Length: {len(CHUNK)}"), 411, ("in chunks",)),
    Case(
        "a transfer coding that is not known",
        post("/events", "x", JSON, "Transfer-Encoding: gzip"),
        400,
        by_server=True,
    ),
    Case(
        "a gzip bomb",
        post("/events", gzip.compress(b" " * 50_000_000), NDJSON, "Content-Encoding: gzip"),
        415,
        ("gzip",),
    ),
    Case(
        "a body in gzip", post("/purchase_sword", gzip.compress(WHOLE), JSON, "Content-Encoding: gzip"), 415, ("gzip",)
    ),
    Case("a body in gzip that says nothing", post("/purchase_sword", gzip.compress(WHOLE)), 400, ("is not JSON",)),
    Case("a body in brotli", post("/purchase_sword", WHOLE, JSON, "Content-Encoding: br"), 415, ("br",)),
    Case("a body of plain text", post("/purchase_sword", WHOLE, "text/plain"), 415, (JSON,)),
    Case("a body of no type", post("/purchase_sword", WHOLE, None), 415, (JSON,)),
    Case("a body with parts", post("/purchase_sword", WHOLE, "multipart/form-data; boundary=x"), 415, (JSON,)),
    Case("a type of content that is no type", post("/events", WHOLE, "\\;=;charset=\u00fc"), 415, (JSON,)),
    Case("a PUT", head("PUT /purchase_sword"), 405, ("PUT",)),
    Case("a DELETE", head("DELETE /page_view"), 405, ("DELETE",)),
    Case("a TRACE", head("TRACE /page_view"), 405, ("TRACE",)),
    Case("a GET of the batch's page", get("/events"), 405, ("only", "POST")),
    Case("a method that does not exist", head("SLAY /page_view"), 405, ("SLAY",)),
    Case("a method in lower case", head("get /page_view"), 201, ("event_id",)),
    Case("a method with a bracket", head("G(T /page_view"), 400, by_server=True),
    Case("HTTP 0.9", b"GET /\r\n\r\n", 400, by_server=True),
    Case("a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, by_server=True),
    Case("NUL in the address", get("/\0"), 400, by_server=True),
    Case("NUL in a header", get("/page_view", "User-Agent: a\0b"), 400, by_server=True),
    Case("a space in a header's name", get("/page_view", "User Agent: ab"), 400, by_server=True),
    Case("a header without a colon", get("/page_view", "User-Agent"), 400, by_server=True),
    Case("a header over two lines", get("/page_view", "User-Agent: a\r\n b"), 400, by_server=True),
)

CASES = (*SIZES, *UNREADABLE, *VALUES, *OUT_OF_TIME, *INJECTION, *HTTP)
