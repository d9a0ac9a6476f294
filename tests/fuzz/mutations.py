"""Inputs that grow out of seeds, for hypothesis: bytes changed here and there, two seeds crossed, other values."""

import json
from urllib.parse import parse_qsl, urlencode

from hypothesis import strategies as st

# What has broken parsers before.
NASTY = st.sampled_from(
    [
        "",
        "\0",
        "\ud800",
        "\\ud800",
        "</Say>",
        "]]>",
        "&#0;",
        "\r\n",
        "\u2028",
        "٣",
        "9" * 30,
        "-1",
        "1e999",
        "NaN",
        "//8=",
        "*",
        "CA" + "0" * 32,
    ]
)
SCALARS = st.one_of(NASTY, st.text(max_size=40), st.integers(), st.floats(), st.booleans(), st.none())
VALUES = st.recursive(
    SCALARS, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3), max_leaves=6
)


@st.composite
def changed(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    data = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 3)):
            case 0:
                data[at:at] = draw(st.binary(max_size=8))
            case 1:
                del data[at : at + draw(st.integers(1, 20))]
            case 2:
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 3:
                data[at:] = draw(st.sampled_from(seeds))[at:]
    return bytes(data)


@st.composite
def revalued(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """The same message or form with other values in some places."""
    seed = draw(st.sampled_from(seeds))
    try:
        return json.dumps(_revalued(draw, json.loads(seed))).encode("utf-8", "surrogatepass")
    except ValueError:
        pairs = parse_qsl(seed.decode(errors="replace"), keep_blank_values=True)
        texts = [(name, draw(NASTY | st.text(max_size=30)) if draw(st.integers(0, 2)) == 0 else value) for name, value in pairs]
        return urlencode(texts, errors="surrogatepass").encode() or seed


def _revalued(draw: st.DrawFn, value: object) -> object:
    if isinstance(value, dict) and draw(st.integers(0, 5)):
        return {name: _revalued(draw, inside) for name, inside in value.items()}
    return draw(VALUES) if draw(st.integers(0, 4)) == 0 else value


def inputs(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    return st.one_of(changed(seeds), revalued(seeds), st.binary(max_size=200))
