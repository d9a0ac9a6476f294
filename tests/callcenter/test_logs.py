import logging

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
