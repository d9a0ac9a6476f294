"""What a stranger finds closed, and how the carrier gets in. Deny by default: what nobody has thought of is closed."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from types import ModuleType
from typing import Any

import pytest
from channels.routing import URLRouter
from django.conf import settings as django_settings
from django.http import HttpResponse, QueryDict
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, clear_url_caches, get_resolver, path
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator

from callcenter import asgi
from calllogs.models import CallLog
from voiceagent import gate
from voiceagent.gate import Gate, SocketGate
from voiceagent.models import MediaStream
from voiceagent.tally import Tally

FORM = {
    "AccountSid": django_settings.TWILIO_ACCOUNT_SID,
    "CallSid": "CA" + "0" * 32,
    "From": "+14155550142",
    "To": "+14155550100",
    "CallStatus": "ringing",
}
WEBHOOKS = {"incoming-call", "after-stream", "transfer-finished", "message-taken", "call-status", "call-recording-complete"}


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What was logged since the test began, with nothing told before."""
    monkeypatch.setattr(gate, "refusals", Tally(gate.logger))
    return lambda: caplog.messages


def patterns(inside: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address there is, with something in place of what varies, and what answers there."""
    for one in (inside or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            yield from patterns(one, prefix + str(one.pattern))
        else:
            yield prefix + str(one.pattern), one


def is_the_carriers(address: str) -> bool:
    return not gate.is_open(f"/{address}")


def signature(url: str, form: Any = FORM, secret: str = "", algorithm: str = HMAC_SHA1) -> str:
    return str(RequestValidator(secret or django_settings.TWILIO_AUTH_TOKEN).compute_signature(url, form, algorithm))


def post(path: str = "/incoming-call", *, form: Any = FORM, signed: str | None = None, **headers: str) -> HttpResponse:
    if signed is not None:
        headers["X-Twilio-Signature"] = signed
    return Client(enforce_csrf_checks=True).post(path, form, headers=headers)


def url_of(path: str) -> str:
    return f"{django_settings.PUBLIC_BASE_URL}{path}"


# HTTP


def test_the_carriers_addresses_are_these_and_no_others() -> None:
    """An address that is added is the carrier's, and closed, until somebody says in the settings that it is staff's."""
    assert {address for address, _ in patterns() if is_the_carriers(address)} == WEBHOOKS


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "NONSENSE"])
@pytest.mark.parametrize("address", sorted(WEBHOOKS))
def test_no_method_opens_an_address_of_the_carriers_unsigned(address: str, method: str) -> None:
    response = Client().generic(method, f"/{address}", b"CallSid=CA1", "application/x-www-form-urlencoded")
    assert (response.status_code, response.content) == (403, b"")
    assert not CallLog.objects.exists() and not MediaStream.objects.exists()


def test_forgery_is_asked_of_everybody_but_the_carrier() -> None:
    exempt = {address for address, pattern in patterns() if getattr(pattern.callback, "csrf_exempt", False)}
    assert exempt == WEBHOOKS


def forgotten(request: Any) -> HttpResponse:
    return HttpResponse("open to all")


@pytest.fixture
def with_a_forgotten_address(settings: Any) -> Iterator[None]:
    """Somebody adds an address, and thinks of nothing else."""
    module = ModuleType("urls_of_somebody")
    module.urlpatterns = [path("forgotten", forgotten, name="forgotten"), path("also/<int:number>", forgotten)]  # type: ignore[attr-defined]
    settings.ROOT_URLCONF = module
    clear_url_caches()
    yield
    clear_url_caches()


@pytest.mark.usefixtures("with_a_forgotten_address")
@pytest.mark.parametrize("path", ["/forgotten", "/also/1"])
def test_an_address_that_is_added_without_a_word_is_closed(path: str, told: Callable[[], list[str]]) -> None:
    assert (post(path).status_code, post(path).content) == (403, b"")
    assert Client().get(path).status_code == 403
    assert told() == [told()[0]] and "also/1" not in told()[0], "an address is not a thing to log"
    response = post(path, signed=signature(url_of(path)))
    assert response.status_code == 403 and b"CSRF" in response.content, "the carrier is let in, and then asked for what staff are"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing-here",
        "/incoming-call/",
        "/INCOMING-CALL",
        "/x//incoming-call",
        "/adminx/",
        "/healthz/",
        "/healthz/jobs/x",
        "/media/recording.wav",
        "/media-stream/1-abc",
        "/.env",
        "/static/../.env",
        "/%00",
        "/\n[error] forged",
        "/accounts/",
    ],
)
def test_an_address_there_is_none_of_is_refused_like_one_there_is(path: str, told: Callable[[], list[str]]) -> None:
    there, nowhere = post(), post(path)
    assert (nowhere.status_code, nowhere.content, dict(nowhere.headers)) == (403, b"", dict(there.headers))
    assert told()[1:] == ["a webhook was refused at an address there is none of: not signed by the carrier"]


def test_the_carrier_is_told_that_there_is_no_such_address() -> None:
    assert post("/incoming-call/", signed=signature(url_of("/incoming-call/"))).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/admin", "/admin/", "/admin/calllogs/calllog/", "/healthz", "/static/admin/css/base.css"])
def test_what_is_staffs_or_nobodys_asks_for_no_signature(path: str) -> None:
    with closing(Client().get(path)) as response:
        assert response.status_code in (200, 301, 302)


@pytest.mark.django_db
class TestASignature:
    def test_lets_in(self) -> None:
        assert post(signed=signature(url_of("/incoming-call"))).status_code == 200

    def test_is_asked_of_us_and_not_of_the_address_a_request_brings(self) -> None:
        evil = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "81"}
        assert post(signed=signature(url_of("/incoming-call")), **evil).status_code == 200
        assert post(signed=signature("http://evil.example/incoming-call"), **evil).status_code == 403

    @pytest.mark.parametrize(
        "url",
        [
            "https://calls.example.com/incoming-call/",
            "https://calls.example.com/incoming-call?",
            "https://calls.example.com/incoming-call?a=1",
            "https://calls.example.com/after-stream",
            "http://calls.example.com/incoming-call",
            "wss://calls.example.com/incoming-call",
            "https://calls.example.com:8443/incoming-call",
            "https://CALLS.example.com.evil.example/incoming-call",
            "/incoming-call",
        ],
    )
    def test_over_any_other_address_is_none(self, url: str) -> None:
        assert post(signed=signature(url)).status_code == 403

    @pytest.mark.parametrize("url", ["https://calls.example.com/incoming-call", "https://calls.example.com:443/incoming-call"])
    def test_may_name_the_port_that_everybody_knows(self, url: str) -> None:
        assert post(signed=signature(url)).status_code == 200

    def test_covers_what_the_carrier_will_add_one_day(self) -> None:
        form = {**FORM, "SomethingNew": "x"}
        assert post(form=form, signed=signature(url_of("/incoming-call"), form)).status_code == 200
        assert post(form={**form, "SomethingNew": "y"}, signed=signature(url_of("/incoming-call"), form)).status_code == 403

    @pytest.mark.parametrize("wrong", ["", " ", "x", "é" * 28, "=" * 28, "0" * 100_000])
    def test_that_is_none_is_refused(self, wrong: str) -> None:
        assert post(signed=wrong).status_code == 403

    def test_of_a_get_is_told_that_it_should_be_a_post(self) -> None:
        signed = signature(url_of("/incoming-call"), {})
        assert Client().get("/incoming-call", headers={"X-Twilio-Signature": signed}).status_code == 405

    def test_for_another_account_is_none(self, told: Callable[[], list[str]]) -> None:
        form = {**FORM, "AccountSid": "AC" + "9" * 32}
        assert post(form=form, signed=signature(url_of("/incoming-call"), form)).status_code == 403
        assert told() == ["a webhook was refused at incoming-call: another account"]


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "9" * 5000])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    client = Client(headers={"X-Twilio-Signature": "x"})
    assert client.generic("POST", "/incoming-call", b"a=b", "text/plain", CONTENT_LENGTH=length).status_code == 403


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"&".join(b"%d=" % number for number in range(5000))),
        ("application/x-www-form-urlencoded; charset=utf-7", b"+AGE-=b"),
        ("application/x-www-form-urlencoded; charset=\xff", b"a=b"),
        ("application/x-www-form-urlencoded", b"%ff=%fe&\xff=\xfe"),
        ("multipart/form-data", b"a"),
        ("multipart/form-data; boundary=", b"--\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Length: -9\r\n\r\nb'),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n" * 3000),
        ("application/json", b'{"a":'),
        ("", b"\x00"),
    ],
)
def test_a_body_that_is_no_form_is_refused_and_is_no_error(content_type: str, body: bytes, told: Callable[[], list[str]]) -> None:
    client = Client(headers={"X-Twilio-Signature": "x"})
    response = client.generic("POST", "/incoming-call", body, content_type)
    assert (response.status_code, response.content) == (403, b"")
    assert all(line.startswith("a webhook was refused at incoming-call: ") for line in told())


NAMES = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=60)
CONTENT_TYPES = st.one_of(
    NAMES,
    st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]),
    st.builds("application/x-www-form-urlencoded; {}={}".format, st.sampled_from(["charset", "boundary", ""]), NAMES),
    st.builds("multipart/form-data; boundary={}".format, NAMES),
)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.builds(
        b"--x\r\nContent-Disposition: form-data; name=%b\r\n%b\r\n\r\n%b--x--".__mod__, st.tuples(*[st.binary(max_size=40)] * 3)
    ),
)


@given(
    path=st.text(max_size=40),
    method=st.sampled_from(["GET", "POST", "HEAD", "X"]),
    content_type=CONTENT_TYPES,
    body=BODIES,
    signed=NAMES,
    length=st.one_of(st.none(), NAMES),
)
def test_whatever_a_stranger_sends_is_refused_and_is_no_error(
    path: str, method: str, content_type: str, body: bytes, signed: str, length: str | None
) -> None:
    request = RequestFactory().generic(
        method, "/incoming-call", body, content_type, headers={"X-Twilio-Signature": signed}, QUERY_STRING=path
    )
    request.path_info = request.path = f"/closed/{path}"
    if length is not None:
        request.META["CONTENT_LENGTH"] = length
    refused = Gate(forgotten).process_request(request)
    assert refused is not None and (refused.status_code, refused.content) == (403, b"")


def test_a_body_that_is_too_long_is_not_read_as_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QueryDict, "__init__", lambda *arguments, **more: pytest.fail("it was read"))
    client = Client(headers={"X-Twilio-Signature": "x"})
    body = b"a=" + b"b" * gate.LARGEST_FORM
    assert client.generic("POST", "/incoming-call", body, "application/x-www-form-urlencoded").status_code == 413


@pytest.mark.django_db
class TestSecrets:
    def test_without_one_everybody_is_refused(self, settings: Any) -> None:
        settings.TWILIO_AUTH_TOKEN = ""
        for secret in ("x", django_settings.SECRET_KEY):
            assert post(signed=signature(url_of("/incoming-call"), secret=secret)).status_code == 403

    def test_while_they_are_rotated_either_will_do(self, settings: Any) -> None:
        settings.TWILIO_AUTH_TOKEN_NEXT = "the next one"
        for secret, status in (("", 200), ("the next one", 200), ("the last one", 403)):
            assert post(signed=signature(url_of("/incoming-call"), secret=secret)).status_code == status

    def test_a_shared_key_signs_by_another_algorithm_and_nothing_else_is_taken(self, settings: Any) -> None:
        settings.TWILIO_SIGNED_WITH = "signing_key"
        settings.TWILIO_SIGNING_KEY, settings.TWILIO_SIGNING_KEY_NEXT = "shared", "shared next"
        url = url_of("/incoming-call")
        named = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA1"}
        for secret in ("shared", "shared next"):
            assert post(signed=signature(url, secret=secret, algorithm=HMAC_SHA256)).status_code == 200
            assert post(signed=signature(url, secret=secret, algorithm=HMAC_SHA1), **named).status_code == 403
        for algorithm in (HMAC_SHA1, HMAC_SHA256):
            assert post(signed=signature(url, algorithm=algorithm)).status_code == 403, "an auth token signs nothing any more"

    def test_a_request_does_not_choose_the_algorithm(self) -> None:
        named = {"X-Twilio-Webhooks-Signature-Settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"}
        assert post(signed=signature(url_of("/incoming-call"), algorithm=HMAC_SHA256), **named).status_code == 403


# Sockets


async def knock(app: Any, path: str, *headers: tuple[bytes, bytes]) -> list[dict[str, Any]]:
    """What is said to somebody who opens a socket, and leaves at once."""
    said: list[dict[str, Any]] = []
    received = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}])

    async def receive() -> Any:
        return next(received)

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": list(headers), "subprotocols": []}
    async with asyncio.timeout(10):
        await app(scope, receive, send)
    return said


def header(url: str, secret: str = "", algorithm: str = HMAC_SHA1) -> tuple[bytes, bytes]:
    return b"x-twilio-signature", signature(url, {}, secret, algorithm).encode()


REFUSED = [{"type": "websocket.close"}]
ACCEPTED = {"type": "websocket.accept"}
TICKET = "/media-stream/1-abc"


async def accepts(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send(ACCEPTED)


@pytest.mark.parametrize("path", [TICKET, "/", "/nothing-here", "/media-stream/", "/admin/", "/healthz", "/\udcff"])
async def test_no_socket_is_accepted_unsigned(path: str) -> None:
    """By the product itself, at any address."""
    assert await knock(asgi.application, path) == REFUSED


async def test_a_socket_that_is_added_without_a_word_is_closed() -> None:
    app = SocketGate(URLRouter([path("forgotten", accepts)]))  # type: ignore[arg-type]
    assert await knock(app, "/forgotten") == REFUSED
    assert await knock(app, "/forgotten", header("wss://calls.example.com/forgotten")) == [ACCEPTED]


@pytest.mark.parametrize(
    "url",
    [
        "https://calls.example.com/media-stream/1-abc",
        "ws://calls.example.com/media-stream/1-abc",
        "wss://calls.example.com/media-stream/1-abd",
        "wss://calls.example.com/media-stream/1-abc/",
        "wss://evil.example/media-stream/1-abc",
    ],
)
async def test_a_signature_over_any_other_address_opens_no_socket(url: str, told: Callable[[], list[str]]) -> None:
    assert await knock(SocketGate(accepts), TICKET, header(url)) == REFUSED
    assert told() == ["a media stream was refused: it is not signed"]


async def test_a_browser_opens_no_socket(told: Callable[[], list[str]]) -> None:
    signed = header(f"wss://calls.example.com{TICKET}")
    assert await knock(SocketGate(accepts), TICKET, signed, (b"origin", b"https://calls.example.com")) == REFUSED
    assert await knock(SocketGate(accepts), TICKET, signed, (b"Origin", b"")) == REFUSED
    assert told() == ["a media stream was refused: it has an origin"]


async def test_sockets_are_signed_with_the_same_secrets_as_webhooks(settings: Any) -> None:
    url = f"wss://calls.example.com{TICKET}"
    settings.TWILIO_AUTH_TOKEN_NEXT = "the next one"
    assert await knock(SocketGate(accepts), TICKET, header(url, "the next one")) == [ACCEPTED]
    settings.TWILIO_SIGNED_WITH, settings.TWILIO_SIGNING_KEY = "signing_key", "shared"
    assert await knock(SocketGate(accepts), TICKET, header(url, "shared", HMAC_SHA256)) == [ACCEPTED]
    assert await knock(SocketGate(accepts), TICKET, header(url, "the next one")) == REFUSED
    settings.TWILIO_AUTH_TOKEN = settings.TWILIO_AUTH_TOKEN_NEXT = settings.TWILIO_SIGNING_KEY = ""
    assert await knock(SocketGate(accepts), TICKET, header(url, "x")) == REFUSED
