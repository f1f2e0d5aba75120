"""Texts: lengths, patterns and formats."""

from __future__ import annotations

from tests.torture.cases._case import TEXT, Case, case, field, obj


def _format(name: str) -> dict[str, str]:
    return {**TEXT, "format": name}


CASES: tuple[Case, ...] = (
    field(
        "any text", TEXT, ["", "x", "é日🎉", "a\u0000b", "\u2028", '"\\\n'], [1, None, [], {}, True]
    ),
    field("a shortest length", {**TEXT, "minLength": 2}, ["ab", "abc"], ["", "a"]),
    field("a longest length", {**TEXT, "maxLength": 2}, ["", "ab"], ["abc"]),
    field(
        "lengths are of characters",
        {**TEXT, "minLength": 2, "maxLength": 2},
        ["🎉🎉", "é日"],
        ["🎉", "e\u0301\u0301"],
    ),
    field(
        "lengths written as fractions",
        {**TEXT, "minLength": 1.0, "maxLength": 2.0},
        ["a"],
        ["", "abc"],
    ),
    field("a pattern", {**TEXT, "pattern": "^[a-z]+$"}, ["abc"], ["", "Abc", "a1"]),
    field("a pattern is searched for", {**TEXT, "pattern": "b"}, ["abc", "b"], ["ac", ""]),
    field("a pattern with digits", {**TEXT, "pattern": r"^\d{3}$"}, ["123"], ["12", "١٢٣", "1234"]),
    field(
        "a pattern with a class of words", {**TEXT, "pattern": r"^\w+$"}, ["a_1"], ["é", "a b", ""]
    ),
    field(
        "a pattern with look-ahead",
        {**TEXT, "pattern": "^(?!test)[a-z]+$"},
        ["prod"],
        ["testing", "1"],
    ),
    field("a pattern with look-behind", {**TEXT, "pattern": "(?<=a)b"}, ["ab"], ["b", "cb"]),
    field(
        "a pattern that repeats a group", {**TEXT, "pattern": r"^(a|b)\1$"}, ["aa", "bb"], ["ab"]
    ),
    field(
        "a pattern of a property of characters",
        {**TEXT, "pattern": r"^\p{Lu}"},
        ["Éa", "A"],
        ["a", "1"],
    ),
    field("a pattern with quotes", {**TEXT, "pattern": "^[\"'\\\\]+$"}, ["\"'\\"], ["x"]),
    field("a pattern that negates", {**TEXT, "pattern": "^[^0-9]*$"}, ["abc", "", "\n"], ["a1"]),
    field(
        "a pattern with slashes",
        {**TEXT, "pattern": r"^\/api\/v[0-9]+$"},
        ["/api/v1"],
        ["/api/", "api/v1"],
    ),
    field("a pattern that ends a line", {**TEXT, "pattern": "^a$"}, ["a"], ["a\n", "b"]),
    field(
        "a pattern and a length", {**TEXT, "pattern": "^a", "maxLength": 2}, ["ab"], ["abc", "b"]
    ),
    field("a pattern without a type", {"pattern": "^a"}, ["ab", 1, None, {}], ["b"]),
    field("a length without a type", {"minLength": 2}, ["ab", 1, None, []], ["a"]),
    field(
        "a nullable pattern", {"type": ["string", "null"], "pattern": "^a"}, ["a", None], ["b", 1]
    ),
    field(
        "uuid",
        _format("uuid"),
        ["12345678-1234-1234-1234-123456789abc", "ABCDEFAB-1234-1234-1234-123456789ABC"],
        ["x", "12345678123412341234123456789abc", "{12345678-1234-1234-1234-123456789abc}", 1],
    ),
    field(
        "date-time",
        _format("date-time"),
        ["2024-02-29T12:00:00Z", "2024-01-01T00:00:00+05:30", "2024-01-01T00:00:00.123456-08:00"],
        [
            "2024-01-01",
            "2023-02-29T00:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01 00:00",
            1704067200,
            "x",
        ],
    ),
    field(
        "date",
        _format("date"),
        ["2024-02-29"],
        ["2023-02-29", "2024-1-1", "2024-01-01T00:00:00Z", 20240101],
    ),
    field(
        "time", _format("time"), ["12:00:00Z", "23:59:59.5+01:00"], ["12:00:00", "25:00:00Z", "x"]
    ),
    field(
        "duration",
        _format("duration"),
        ["P1D", "PT36H", "P1Y2M3DT4H5M6S", "P4W"],
        ["1 day", "P", "PT", 60],
    ),
    field("ipv4", _format("ipv4"), ["192.0.2.1"], ["192.0.2", "192.0.2.256", "192.0.2.01", 1]),
    field("ipv6", _format("ipv6"), ["2001:db8::1", "::1"], ["12345::", "192.0.2.1", "::1%eth0"]),
    field("email", _format("email"), ["a@example.org"], ["a", "a@", "@b"]),
    field("hostname", _format("hostname"), ["a.example", "x-1"], ["-a", "a_b", "a..b"]),
    field(
        "uri",
        _format("uri"),
        ["https://a.example/b?c#d", "urn:isbn:1", "HTTP://A.example"],
        ["/a", "a b", "//x"],
    ),
    field(
        "uri-reference", _format("uri-reference"), ["/a", "https://a.example", "../b"], ["\\\\a\\b"]
    ),
    field("json-pointer", _format("json-pointer"), ["", "/a/b~0~1"], ["a", "/a~"]),
    field("regex", _format("regex"), ["^a+$"], ["^(a", "[z-a]"]),
    field("password is sent as it is", _format("password"), ["s3cret", ""], [1, None]),
    field("binary is any text", _format("binary"), ["x", "\u0000"], [1]),
    field("an unknown format asserts nothing", _format("weird"), ["x", ""], [1]),
    field(
        "formats keep how they are written",
        _format("date-time"),
        ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z"],
        ["2024-01-01T24:00:00Z"],
    ),
    field("a format without a type", {"format": "date"}, ["2024-01-01", 1, None], ["x"]),
    field(
        "a nullable format",
        {"type": ["string", "null"], "format": "uuid"},
        [None, "12345678-1234-1234-1234-123456789abc"],
        ["x", 1],
    ),
    field(
        "a list of dates",
        {"type": "array", "items": _format("date")},
        [[], ["2024-01-01"]],
        [["x"], [None]],
    ),
    field(
        "a map of uuids",
        {"type": "object", "additionalProperties": _format("uuid")},
        [{}, {"a": "12345678-1234-1234-1234-123456789abc"}],
        [{"a": "x"}],
    ),
    field(
        "a format and a length",
        {**_format("date-time"), "maxLength": 20},
        ["2024-01-01T00:00:00Z"],
        ["2024-01-01T00:00:00.123Z"],
    ),
    field(
        "a format and a pattern",
        {**_format("uuid"), "pattern": "^0"},
        ["02345678-1234-1234-1234-123456789abc"],
        ["12345678-1234-1234-1234-123456789abc"],
    ),
    field("a limit of numbers counts for nothing", {**TEXT, "maximum": 1}, ["x", "22"], [0]),
    case("a payload that is a text", {**TEXT, "minLength": 1}, ["x"], ["", 1, None]),
    case("a payload that is a date", _format("date"), ["2024-01-01"], ["x", 1]),
    case(
        "fields named like their types",
        obj(
            date=_format("date"),
            datetime=_format("date-time"),
            time=_format("time"),
            UUID=_format("uuid"),
            int={"type": "integer"},
            str=TEXT,
        ),
        [{}, {"date": "2024-01-01", "int": 1, "str": "x"}],
        [{"date": "x"}, {"int": "x"}],
    ),
)
