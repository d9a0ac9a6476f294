import logging

from celery import Celery
from celery.app.trace import build_tracer
from django.conf import settings

from callcenter.logs import WithoutTexts


def logged(error: BaseException) -> str:
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "it broke", (), (type(error), error, error.__traceback__))
    return WithoutTexts("%(message)s").format(record)


def broken() -> Exception:
    try:
        try:
            int("the canary's number is 4155550142")
        except ValueError as error:
            raise RuntimeError("the canary sings") from error
    except RuntimeError as error:
        return error


def test_an_exception_is_logged_by_kind_and_place_and_without_its_text():
    text = logged(broken())
    assert "RuntimeError" in text and "ValueError" in text and "in broken" in text
    assert "canary" not in text and "4155550142" not in text


def test_every_handler_of_the_product_formats_so():
    formatters = {handler["formatter"] for handler in settings.LOGGING["handlers"].values()}
    assert {settings.LOGGING["formatters"][name]["()"] for name in formatters} == {"callcenter.logs.WithoutTexts"}


def canary() -> None:
    raise RuntimeError("the canary's number is 4155550142")


def test_a_task_that_fails_is_logged_by_celery_without_the_exceptions_text():
    """Celery puts it into the line itself, besides the traceback."""
    told: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(self.format(record))

    handler = Kept()
    handler.setFormatter(WithoutTexts("%(levelname)s %(message)s"))
    logger = logging.getLogger("celery.app.trace")
    logger.addHandler(handler)
    app = Celery("canaries", set_as_current=False)
    try:
        # As a worker runs it, and not as `apply` does, which tells nothing.
        build_tracer("canary", app.task(canary, name="canary"), app=app)("1", (), {}, {})
    finally:
        logger.removeHandler(handler)
    (text,) = told
    assert text.startswith("ERROR Task canary[None] raised unexpected: RuntimeError\n")
    assert "in canary" in text and "4155550142" not in text


def test_a_line_that_names_an_exception_without_having_it_names_no_text():
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "it broke: %(exc)s", ({"exc": "4155550142"},), None)
    assert WithoutTexts("%(message)s").format(record) == "it broke: an exception"
