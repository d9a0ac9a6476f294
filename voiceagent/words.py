"""Words from `templates/`: what the product says, and what it writes to a model. Plain text, on one line unless it is long."""

from typing import Any

from django.conf import settings
from django.template import Context
from django.template.loader import get_template


def spoken(name: str, /, **facts: Any) -> str:
    """A line that is said to a caller, `templates/spoken/<name>.txt`."""
    return " ".join(written(f"spoken/{name}.txt", **facts).split())


def written(name: str, /, **facts: Any) -> str:
    """A text for a model. Nothing is escaped: neither a voice nor a model reads HTML."""
    template = get_template(name).template  # type: ignore[attr-defined]
    return str(template.render(Context({"shop": settings.SHOP_NAME, **facts}, autoescape=False))).strip()
