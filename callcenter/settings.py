"""Every setting: typed, from the environment, with a default that runs on a fresh checkout.

`Environment` is the whole list; README's table is checked against it. A value that cannot be is refused at start, all of
them in one list. Django's own names follow below it. Nothing here is read anywhere else through `os.environ`.
"""

import json
import secrets
import sys
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import dj_database_url
import phonenumbers
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from voiceagent.dialable import country_of, why_not

BASE_DIR = Path(__file__).resolve().parent.parent


class Environment(BaseSettings):
    """What the environment (or a `.env` file beside manage.py) may say. Addresses default to the real services."""

    model_config = SettingsConfigDict(env_file=BASE_DIR / ".env", extra="ignore", env_ignore_empty=True)

    PUBLIC_BASE_URL: str = Field(
        "http://127.0.0.1:8000", description="Where the carrier reaches this server; every webhook address is built from it"
    )
    PORT: int = Field(8000, ge=1, le=65535, description="Port the web server listens on, on loopback unless BIND says otherwise")
    BIND: str = Field("127.0.0.1", description="Address the web server listens on")
    WEB_PROCESSES: int = Field(2, ge=1, le=16, description="How many web processes make run and make demo start on that port")
    DRAIN_LIMIT_S: int = Field(
        600,
        ge=0,
        description="How long calls go on in a web process that is asked to end, in seconds; then another takes them over",
    )

    TWILIO_ACCOUNT_SID: str = Field("", pattern=r"^(AC[0-9a-f]{32})?$", description="The Twilio account that owns the number")
    TWILIO_AUTH_TOKEN: str = Field("", description="Signs and checks webhooks; without it every webhook is refused")
    TWILIO_AUTH_TOKEN_NEXT: str = Field(
        "",
        description="The auth token that is to take its place: while tokens are rotated, webhooks signed with either are accepted",
    )
    TWILIO_SIGNED_WITH: Literal["auth_token", "signing_key"] = Field(
        "auth_token",
        description="What signs webhooks: auth_token (HMAC-SHA1), or signing_key (HMAC-SHA256); the other is refused",
    )
    TWILIO_SIGNING_KEY: str = Field("", description="The shared key that signs webhooks, if one does")
    TWILIO_SIGNING_KEY_NEXT: str = Field("", description="The shared key that is to take its place")
    TWILIO_ASKED_WITH: Literal["auth_token", "api_key"] = Field(
        "auth_token",
        description="What opens Twilio's REST API: auth_token, or api_key, so that the token is used for signatures alone",
    )
    TWILIO_API_KEY_SID: str = Field("", pattern=r"^(SK[0-9a-f]{32})?$", description="That API key, SK...")
    TWILIO_API_KEY_SECRET: str = Field("", description="That API key's secret")
    TWILIO_API_URL: str = Field("https://api.twilio.com", description="Twilio's REST API")
    HOME_COUNTRIES: list[str] = Field(
        [],
        description='Countries whose numbers may be rung, as a JSON list such as ["US", "CA"]; empty: that of the line that was '
        "called and that of HUMAN_AGENT_PHONE",
    )
    HUMAN_AGENT_PHONE: str = Field(
        "",
        description="Where callers are put through, E.164; without it they can leave a message",
    )

    HUMAN_AGENT_HOURS: Literal["opening_hours", "always"] = Field(
        "opening_hours", description="When HUMAN_AGENT_PHONE is rung: opening_hours (the shop's), or always"
    )
    LONGEST_TRANSFER_S: int = Field(
        1800, ge=60, le=4 * 60 * 60, description="How long a caller may talk with a person they were put through to, in seconds"
    )
    MOST_CALLS: int = Field(40, ge=0, description="Calls the agent takes at once; callers beyond are put to a person or a message")
    MOST_CALLS_PER_PROCESS: int = Field(20, ge=0, description="Calls one web process takes at once")
    MOST_CALLS_PER_NUMBER: int = Field(2, ge=0, description="Calls of one caller's number the agent takes at once")
    MOST_CALLS_PER_NUMBER_AND_DAY: int = Field(10, ge=0, description="Calls of one caller's number the agent takes in a day")
    MOST_CALLS_WITHHELD: int = Field(5, ge=0, description="Calls the agent takes at once of all callers who withhold their number")
    MOST_CALLS_WITHHELD_AND_DAY: int = Field(50, ge=0, description="The same in a day")
    MOST_COST_PER_CALL_CENTS: int = Field(
        300, ge=0, description="What one call may cost, in US cents; then a person goes on with it"
    )
    MOST_COST_PER_NUMBER_AND_DAY_CENTS: int = Field(
        1000, ge=0, description="What the calls of one caller's number may cost in a day"
    )
    MOST_COST_WITHHELD_AND_DAY_CENTS: int = Field(2000, ge=0, description="The same of all callers who withhold their number")
    MOST_COST_PER_DAY_CENTS: int = Field(10_000, ge=0, description="What all calls together may cost in a day")

    OPENAI_API_KEY: str = Field("", description="Opens the speech engine and, unless TRANSCRIBER is local, Whisper")
    OPENAI_BASE_URL: str = Field("https://api.openai.com/v1", description="OpenAI's HTTP API, for transcription")
    OPENAI_REALTIME_URL: str = Field("wss://api.openai.com/v1/realtime", description="OpenAI's Realtime WebSocket")
    OPENAI_REALTIME_MODEL: str = Field("gpt-realtime-2.1", description="The speech engine's model")
    OPENAI_LIVE_TRANSCRIPTION_MODEL: str = Field("gpt-transcribe", description="Writes down the caller's words during the call")

    TRANSCRIBER: Literal["auto", "openai", "local"] = Field(
        "auto", description="Who transcribes recordings: openai, local (faster-whisper), or auto: openai where there is a key"
    )
    TRANSCRIPTION_MODEL: str = Field("whisper-1", description="OpenAI's model for recordings; it must offer word times")
    LOCAL_TRANSCRIPTION_MODEL: str = Field("base", description="The local Whisper: base, tiny.en, or a folder")

    DATABASE_URL: str = Field("", description="PostgreSQL; empty: the one that make run or make demo starts")
    DATABASE_OWNER_URL: str = Field(
        "",
        description="The same PostgreSQL as the owner of its tables, for manage.py migrate alone, which then makes DATABASE_URL's "
        "user one that cannot touch more than rows; empty: DATABASE_URL",
    )
    REDIS_URL: str = Field("", description="Redis or Valkey; empty: the one that make run or make demo starts")
    MEDIA_ROOT: Path = Field(BASE_DIR / "var" / "media", description="Where recordings are kept")
    SPOOL_ROOT: Path = Field(
        BASE_DIR / "var" / "spool", description="Where each machine keeps what happens while the database is away; on its own disk"
    )

    MEDIA_LEAST_FREE_PERCENT: int = Field(
        10,
        ge=0,
        le=90,
        description="How much of that disk stays free, in percent; below it no recording is fetched or deleted at the carrier",
    )
    RECORDINGS_DELETE_AT_CARRIER: bool = Field(
        False, description="Whether the carrier's copy of a recording is deleted once ours is verified"
    )

    KEEP_AUDIO_DAYS: int = Field(
        90, ge=0, description="How long recordings are kept after a call, here and at the carrier, in days; 0: for good"
    )
    KEEP_WORDS_DAYS: int = Field(
        180,
        ge=0,
        description="How long what was said is kept, and what Whisper heard, and staff's notes, in days; 0: for good",
    )
    KEEP_TOOLS_DAYS: int = Field(180, ge=0, description="How long what tools were asked and told is kept, in days; 0: for good")
    KEEP_CALLS_DAYS: int = Field(730, ge=0, description="How long a call is kept at all, with its number, in days; 0: for good")
    KEEP_TRACES_DAYS: int = Field(
        30, ge=0, description="How long what the agent itself must remember of a call is kept, in days; 0: for good"
    )
    KEEP_CUSTOMERS_DAYS: int = Field(
        0, ge=0, description="How long customers without orders and appointments are kept, in days; 0: for good"
    )

    SHOP_NAME: str = Field("Northwind Outfitters", description="The shop's name, as the agent says it")
    SHOP_TIME_ZONE: str = Field("America/New_York", description="The shop's time zone, for hours and appointments")

    STAFF_SECOND_FACTOR: Literal["required", "optional"] = Field(
        "required", description="Whether staff need a second factor to sign in: required, or optional, which is for practice"
    )
    STAFF_SESSION_LIMIT_S: int = Field(
        8 * 3600, ge=600, description="How long after signing in staff have to sign in again, in seconds, whatever they do"
    )
    STAFF_IDLE_LIMIT_S: int = Field(3600, ge=120, description="After how many seconds without a request they have to as well")

    PROXIES: int = Field(
        0,
        ge=0,
        le=8,
        description="How many proxies of yours stand before this server; what they say of the client's address and of https counts",
    )
    SECRET_KEY: str = Field("", description="Django's secret; empty: one is made and kept in var/secret_key")
    SECRETS_DIR: str = Field(
        "/run/secrets", description="A folder with files named as settings, each of which holds a value, as Docker's secrets do"
    )
    DEBUG: bool = Field(False, description="Django's debug pages; never with a public address")
    ALLOWED_HOSTS: list[str] = Field(
        [], description="Host names this server answers to, as a JSON list; empty: that of PUBLIC_BASE_URL, and this machine's own"
    )
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="How much is logged")

    @field_validator("SHOP_TIME_ZONE")
    @classmethod
    def is_a_time_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except Exception:
            raise ValueError("This is not a time zone; try one like Europe/Berlin") from None
        return name

    @field_validator("HOME_COUNTRIES")
    @classmethod
    def are_countries(cls, codes: list[str]) -> list[str]:
        if unknown := [code for code in codes if code not in phonenumbers.SUPPORTED_REGIONS]:
            raise ValueError(f"{unknown[0][:2]!r} is no country; use two letters, such as GB")
        return codes

    @field_validator("HUMAN_AGENT_PHONE")
    @classmethod
    def can_be_rung(cls, number: str, info: ValidationInfo) -> str:
        """Its country is at home unless HOME_COUNTRIES says which are."""
        countries = info.data.get("HOME_COUNTRIES")
        if number and (reason := why_not(number, abroad=True)):
            raise ValueError(reason)
        if number and countries and country_of(number) not in countries:
            raise ValueError("This number is in none of HOME_COUNTRIES")
        return number

    @field_validator("PUBLIC_BASE_URL")
    @classmethod
    def is_an_origin(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or url.count("/") != 2:
            raise ValueError("This is not of the form https://calls.example.com, without a path or a slash at its end")
        return url


def read_environment() -> Environment:
    """The environment, and what only the files in SECRETS_DIR say, checked. Raises `ImproperlyConfigured` with every name whose
    value is wrong in one list, and why; not with the values, of which one may be a secret in the wrong place.
    """
    try:
        folder = Path(Environment().SECRETS_DIR)
        return Environment(_secrets_dir=folder) if folder.is_dir() else Environment()
    except ValidationError as errors:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in errors.errors()]
        raise ImproperlyConfigured("These settings cannot be; README lists them all:\n" + "\n".join(lines)) from None


def embedded_services() -> dict[str, str]:
    """Addresses of the database and broker that `make run` or `make demo` started here, if they are up."""
    try:
        return dict(json.loads((BASE_DIR / "var" / "services.json").read_text()))
    except (OSError, ValueError):
        return {}


def secret_key() -> str:
    """The secret this machine made for itself, so that all its processes share one."""
    path = BASE_DIR / "var" / "secret_key"
    try:
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48))
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{path} cannot be kept ({error.strerror}). Clone the repository into a folder of yours, or set SECRET_KEY."
        ) from None


def hosts(settings: Environment) -> list[str]:
    """The names this server answers to. By those of this machine it is asked whether it is well."""
    return settings.ALLOWED_HOSTS or [urlsplit(settings.PUBLIC_BASE_URL).hostname or "", "127.0.0.1", "localhost", "[::1]"]


def our_secrets(environment: Environment) -> list[str]:
    """Every value that opens something, as it may stand in a log line."""
    named = [
        getattr(environment, name) for name in Environment.model_fields if name.endswith(("_KEY", "_TOKEN", "_NEXT", "_SECRET"))
    ]
    addresses = [environment.DATABASE_URL, environment.DATABASE_OWNER_URL, environment.REDIS_URL, *_services.values()]
    passwords = [unquote(urlsplit(address).password or "") for address in addresses if isinstance(address, str)]
    return [*filter(None, [*named, *passwords]), SECRET_KEY]


ENVIRONMENT = read_environment()
_services = embedded_services()

PUBLIC_BASE_URL = ENVIRONMENT.PUBLIC_BASE_URL
PORT = ENVIRONMENT.PORT
BIND = ENVIRONMENT.BIND
DRAIN_LIMIT_S = ENVIRONMENT.DRAIN_LIMIT_S
TWILIO_ACCOUNT_SID = ENVIRONMENT.TWILIO_ACCOUNT_SID
TWILIO_AUTH_TOKEN = ENVIRONMENT.TWILIO_AUTH_TOKEN
TWILIO_AUTH_TOKEN_NEXT = ENVIRONMENT.TWILIO_AUTH_TOKEN_NEXT
TWILIO_SIGNED_WITH = ENVIRONMENT.TWILIO_SIGNED_WITH
TWILIO_SIGNING_KEY = ENVIRONMENT.TWILIO_SIGNING_KEY
TWILIO_SIGNING_KEY_NEXT = ENVIRONMENT.TWILIO_SIGNING_KEY_NEXT
TWILIO_ASKED_WITH = ENVIRONMENT.TWILIO_ASKED_WITH
TWILIO_API_KEY_SID = ENVIRONMENT.TWILIO_API_KEY_SID
TWILIO_API_KEY_SECRET = ENVIRONMENT.TWILIO_API_KEY_SECRET
TWILIO_API_URL = ENVIRONMENT.TWILIO_API_URL.rstrip("/")
HUMAN_AGENT_PHONE = ENVIRONMENT.HUMAN_AGENT_PHONE
HOME_COUNTRIES = ENVIRONMENT.HOME_COUNTRIES
LONGEST_TRANSFER_S = ENVIRONMENT.LONGEST_TRANSFER_S
HUMAN_AGENT_HOURS = ENVIRONMENT.HUMAN_AGENT_HOURS
MOST_CALLS = ENVIRONMENT.MOST_CALLS
MOST_CALLS_PER_PROCESS = ENVIRONMENT.MOST_CALLS_PER_PROCESS
MOST_CALLS_PER_NUMBER = ENVIRONMENT.MOST_CALLS_PER_NUMBER
MOST_CALLS_PER_NUMBER_AND_DAY = ENVIRONMENT.MOST_CALLS_PER_NUMBER_AND_DAY
MOST_CALLS_WITHHELD = ENVIRONMENT.MOST_CALLS_WITHHELD
MOST_CALLS_WITHHELD_AND_DAY = ENVIRONMENT.MOST_CALLS_WITHHELD_AND_DAY
MOST_COST_PER_CALL_CENTS = ENVIRONMENT.MOST_COST_PER_CALL_CENTS
MOST_COST_PER_NUMBER_AND_DAY_CENTS = ENVIRONMENT.MOST_COST_PER_NUMBER_AND_DAY_CENTS
MOST_COST_WITHHELD_AND_DAY_CENTS = ENVIRONMENT.MOST_COST_WITHHELD_AND_DAY_CENTS
MOST_COST_PER_DAY_CENTS = ENVIRONMENT.MOST_COST_PER_DAY_CENTS
OPENAI_API_KEY = ENVIRONMENT.OPENAI_API_KEY
OPENAI_BASE_URL = ENVIRONMENT.OPENAI_BASE_URL.rstrip("/")
OPENAI_REALTIME_URL = ENVIRONMENT.OPENAI_REALTIME_URL
OPENAI_REALTIME_MODEL = ENVIRONMENT.OPENAI_REALTIME_MODEL
OPENAI_LIVE_TRANSCRIPTION_MODEL = ENVIRONMENT.OPENAI_LIVE_TRANSCRIPTION_MODEL
TRANSCRIBER = ENVIRONMENT.TRANSCRIBER
TRANSCRIPTION_MODEL = ENVIRONMENT.TRANSCRIPTION_MODEL
LOCAL_TRANSCRIPTION_MODEL = ENVIRONMENT.LOCAL_TRANSCRIPTION_MODEL
MEDIA_LEAST_FREE_PERCENT = ENVIRONMENT.MEDIA_LEAST_FREE_PERCENT
RECORDINGS_DELETE_AT_CARRIER = ENVIRONMENT.RECORDINGS_DELETE_AT_CARRIER
KEEP_AUDIO_DAYS = ENVIRONMENT.KEEP_AUDIO_DAYS
KEEP_WORDS_DAYS = ENVIRONMENT.KEEP_WORDS_DAYS
KEEP_TOOLS_DAYS = ENVIRONMENT.KEEP_TOOLS_DAYS
KEEP_CALLS_DAYS = ENVIRONMENT.KEEP_CALLS_DAYS
KEEP_TRACES_DAYS = ENVIRONMENT.KEEP_TRACES_DAYS
KEEP_CUSTOMERS_DAYS = ENVIRONMENT.KEEP_CUSTOMERS_DAYS
SHOP_NAME = ENVIRONMENT.SHOP_NAME
SHOP_TIME_ZONE = ENVIRONMENT.SHOP_TIME_ZONE

REDIS_URL = ENVIRONMENT.REDIS_URL or _services.get("REDIS_URL", "redis://127.0.0.1:6379/0")
SECRET_KEY = ENVIRONMENT.SECRET_KEY or secret_key()
DEBUG = ENVIRONMENT.DEBUG
ALLOWED_HOSTS = hosts(ENVIRONMENT)
PROXIES = ENVIRONMENT.PROXIES
STAFF_SECOND_FACTOR = ENVIRONMENT.STAFF_SECOND_FACTOR
STAFF_SESSION_LIMIT_S = ENVIRONMENT.STAFF_SESSION_LIMIT_S
STAFF_IDLE_LIMIT_S = ENVIRONMENT.STAFF_IDLE_LIMIT_S

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "channels",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "callcenter",
    "voiceagent",
    "orders",
    "calllogs",
    # The last one: the permissions of all others exist when it makes the roles.
    "staff",
]
MIDDLEWARE = [
    "callcenter.proxies.client_address",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "voiceagent.gate.Gate",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "staff.door.Door",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Tells the rows' versions whose request changed them.
    "simple_history.middleware.HistoryRequestMiddleware",
]
ROOT_URLCONF = "callcenter.urls"
# What is open without a carrier's signature; every other path is closed, and so is one that is added. Under the first, staff have a
# log-in of their own; the others tell nothing.
STAFF_PATHS = ("/admin/",)
OPEN_PATHS = frozenset({"/", "/healthz", "/healthz/jobs", "/readyz"})
ASGI_APPLICATION = "callcenter.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

_product_url = ENVIRONMENT.DATABASE_URL or _services.get("DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/callcenter")
_owner_url = ENVIRONMENT.DATABASE_OWNER_URL or ("" if ENVIRONMENT.DATABASE_URL else _services.get("DATABASE_OWNER_URL", ""))
_migrates = bool(_owner_url) and sys.argv[1:2] == ["migrate"]
_product = urlsplit(_product_url)
# Whom `migrate` lets work with the rows, if they are another than the owner: see staff.database_role.
DATABASE_ROLE = (
    {"name": unquote(_product.username or ""), "password": unquote(_product.password or "")}
    if _migrates and _product.username != urlsplit(_owner_url).username
    else None
)
DATABASES = {
    "default": dj_database_url.parse(
        _owner_url if _migrates else _product_url,
        # Under ASGI a connection belongs to a thread; kept ones pile up.
        conn_max_age=0,
    )
}
# A database that hangs must be one that is gone, while there is time to tell the caller: nothing waits long for a connection
# or for a lock.
DATABASES["default"].setdefault("OPTIONS", {}).update(connect_timeout=2, options="-c lock_timeout=4000", tcp_user_timeout=8000)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}

# A webhook must never wait for a broker that accepts a connection and then says nothing.
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 1.0,
    "socket_connect_timeout": 1.0,
    "retry_policy": {"max_retries": 0},
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_TIME_LIMIT = 660
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# However long the broker is away, it is looked for every half minute.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A process that has grown is replaced once its task is done; in KB.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1_500_000
CELERY_WORKER_MAX_TASKS_PER_CHILD = 100
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Fetching waits for the carrier, for minutes; transcribing takes every core it gets. Each has a queue and a worker of its own, so
# that nothing waits behind them: what looks for missed work takes the default one.
CELERY_TASK_ROUTES = {
    "calllogs.tasks.fetch_recording": {"queue": "fetch"},
    "calllogs.tasks.delete_at_carrier": {"queue": "fetch"},
    "calllogs.erasure.finish_erasures": {"queue": "fetch"},
    "calllogs.tasks.forget_recording": {"queue": "fetch"},
    "calllogs.tasks.transcribe_recording": {"queue": "speech"},
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = SHOP_TIME_ZONE
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static" / "assets"]
# Files are served from the apps themselves: there is no STATIC_ROOT and nothing to collect.
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = ENVIRONMENT.MEDIA_ROOT
SPOOL_ROOT = ENVIRONMENT.SPOOL_ROOT

HTTPS = PUBLIC_BASE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None
# A carrier is never sent elsewhere: a webhook that is answered by a redirect is a call that fails.
SECURE_SSL_REDIRECT = HTTPS and PROXIES > 0
SECURE_REDIRECT_EXEMPT = [r"^(?!admin/)"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = STAFF_SESSION_LIMIT_S
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SILENCED_SYSTEM_CHECKS = [
    # Whether other hosts below ours have https, and whether browsers are to know it beforehand, is for the domain's owner to say.
    "security.W005",
    "security.W021",
]
# What remains open is what the admin's pages need: Alpine compiles what stands in their attributes, they have style elements, and
# the bars their lists are scrolled with are styled by attribute.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'", "'unsafe-eval'"],
        "script-src-attr": ["'none'"],
        "style-src-elem": ["'self'", "'unsafe-inline'"],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "media-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

CACHES = {"default": {"BACKEND": "callcenter.cache.SharedCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "callcenter"}}

# How staff get in: see the package `staff`. Users are made in the admin, by people; nobody signs up, and no mail is sent.
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "staff.sign_in.StaffAccounts"
ACCOUNT_FORMS = {"change_password": "staff.sign_in.NewPassword"}
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
# Of tries: from one address, and at one account or its second factor.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key", "reauthenticate": "10/m/user"}
MFA_ADAPTER = "staff.sign_in.SecondFactors"
MFA_TOTP_ISSUER = SHOP_NAME
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
# Who was asked for the password or a code a moment ago is not asked again at once, in seconds.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "callcenter.logs.WithoutTexts", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "filters": {"masked": {"()": "callcenter.logs.Masked", "secrets": our_secrets(ENVIRONMENT)}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["masked"]}},
    "root": {"handlers": ["console"], "level": ENVIRONMENT.LOG_LEVEL},
    "loggers": {
        # The HTTP clients log whole addresses at INFO, and an address may carry a number.
        **{name: {"level": "WARNING"} for name in ("twilio", "httpx2", "httpcore2", "openai", "urllib3")},
        # Django gives these handlers of their own, which know of no filter.
        **{name: {"handlers": [], "propagate": True} for name in ("django", "django.server")},
        # It quotes whatever a stranger has put into a header.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}


def _page(title: str, icon: str, model: str) -> dict[str, Any]:
    """An entry of the admin's navigation, for those who may see the model."""
    app_label, _, model_name = model.partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app_label}_{model_name}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app_label}.view_{model_name}"),
    }


def _told_on_every_page(request: HttpRequest) -> list[str] | None:
    """What staff must not overlook."""
    # Settings come before models.
    from voiceagent.models import AgentSwitch

    return ["The agent is off", "danger"] if request.user.is_authenticated and AgentSwitch.off() else None


UNFOLD = {
    "ENVIRONMENT": _told_on_every_page,
    "SITE_TITLE": SHOP_NAME,
    "SITE_HEADER": SHOP_NAME,
    "SITE_SUBHEADER": "Call centre",
    "SITE_SYMBOL": "support_agent",
    "SHOW_HISTORY": True,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("staff/icon.svg")}],
    "ACCOUNT": {
        "navigation": [
            {"title": "Second factor", "link": reverse_lazy("mfa_index")},
            {"title": "Change password", "link": reverse_lazy("account_change_password")},
        ]
    },
    "SIDEBAR": {
        "navigation": [
            {"items": [_page("Calls", "call", "calllogs.calllog")]},
            {
                "title": "Shop",
                "separator": True,
                "items": [
                    _page("Orders", "package_2", "orders.order"),
                    _page("Customers", "group", "orders.customer"),
                    _page("Appointments", "event", "orders.appointment"),
                    _page("Opening hours", "schedule", "orders.openinghours"),
                    _page("Closures", "event_busy", "orders.closure"),
                    _page("Help articles", "help", "orders.helparticle"),
                ],
            },
            {
                "title": "Agent",
                "separator": True,
                "items": [
                    _page("Settings", "tune", "voiceagent.agentsettings"),
                    _page("Transfer destinations", "phone_forwarded", "voiceagent.transferdestination"),
                    _page("On or off", "power_settings_new", "voiceagent.agentswitch"),
                    _page("Blocked numbers", "block", "voiceagent.blockednumber"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    _page("Erasures", "delete_history", "calllogs.erasure"),
                    _page("Users", "person", "auth.user"),
                    _page("Roles", "badge", "auth.group"),
                    _page("What staff did", "fact_check", "staff.auditevent"),
                ],
            },
        ],
    },
}
