"""Pages of rows that keep their versions: none of somebody else's changes is overwritten unseen, and each can be looked up.

A form says which version it was opened with. Where that is no longer the newest when it is sent, it is refused with what has
changed since: what was typed stays, what was left alone follows the row. What was erased since is not saved back.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Max, Model, QuerySet
from django.http import HttpRequest
from simple_history.models import HistoricalChanges
from unfold.widgets import UnfoldAdminTextInputWidget

from . import masking
from .admin_pages import CONTACTS, AnyPages, Pages, sees_contacts

if TYPE_CHECKING:
    AnyForm = forms.ModelForm[Any]
    VersionedRows = AnyPages
else:
    AnyForm = forms.ModelForm
    VersionedRows = Pages

MOST_ENTRIES = 100
SOMEBODY = "somebody"
ERASED = "What this page shows was erased after you opened it. Nothing is saved: open the page again to see what is left."
DEEDS = {"+": "Added", "~": "Changed", "-": "Deleted"}


class VersionedForm(AnyForm):
    opened_version = forms.CharField(required=False, widget=forms.HiddenInput)
    change_reason = forms.CharField(
        required=False, max_length=200, label="Why you change it", widget=UnfoldAdminTextInputWidget, help_text="For the history."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            del self.fields["opened_version"], self.fields["change_reason"]
        else:
            self.fields["opened_version"].initial = self.newest_version()

    def histories(self) -> Sequence[QuerySet[Any]]:
        """The versions of the row, and of whatever else its page changes."""
        return [self.instance.history.all()]

    def newest_version(self) -> str:
        return ".".join(str(versions.aggregate(newest=Max("history_id"))["newest"] or 0) for versions in self.histories())

    def clean(self) -> Any:
        cleaned = super().clean()
        if "opened_version" in self.fields and self.data.get(self.add_prefix("opened_version")) != self.newest_version():
            self.refuse_what_was_overtaken()
        return cleaned

    def refuse_what_was_overtaken(self) -> None:
        opened = zip(self.histories(), self.versions_opened(), strict=True)
        if any(version and not versions.filter(history_id=version).exists() for versions, version in opened):
            # However often it is sent: what was typed would bring back what the page still shows.
            raise ValidationError(ERASED, code="erased")
        sentences = [words for words in map(self.overtaken, self.histories(), self.versions_opened()) if words]
        self.retype({self.add_prefix("opened_version"): self.newest_version()})
        if sentences:
            told = " ".join(sentences)
            raise ValidationError(f"{told} What you typed is kept: look it over, and save again.", code="overtaken")

    def versions_opened(self) -> list[int]:
        said = str(self.data.get(self.add_prefix("opened_version"), "")).split(".")
        opened = [int(one) if one.isdecimal() and len(one) < 19 else 0 for one in said]
        return opened if len(opened) == len(self.histories()) else [0] * len(self.histories())

    def overtaken(self, versions: QuerySet[Any], opened: int) -> str:
        """What was changed since then and by whom, as a sentence; "" for nothing."""
        since = list(versions.filter(history_id__gt=opened).order_by("history_id"))
        if not since:
            return ""
        who = " and ".join(sorted({version.by or SOMEBODY for version in since}))
        who = who[:1].upper() + who[1:]
        if since[-1].id != self.instance.pk or not isinstance(self.instance, since[-1].instance_type):
            return f"{who} changed the {since[-1].instance_type._meta.verbose_name_plural} since you opened this page."
        before = versions.filter(history_id=opened).first()
        if before is None:
            return f"{who} may have changed this since you opened this page."
        changes = list(changed(before, since[-1]))
        for name, _, _, _ in changes:
            self.follow(name, before)
        told = [f"{label} from “{old}” to “{new}”" if name not in CONTACTS else label for name, label, old, new in changes]
        return f"{who} changed {', '.join(told)} since you opened this page." if told else ""

    def follow(self, name: str, before: Any) -> None:
        """What was changed by others and left alone here is shown as it is now."""
        if name not in self.fields or name not in self.cleaned_data:
            return
        typed = self.cleaned_data[name]
        if (typed.pk if isinstance(typed, Model) else typed) != before.__dict__.get(before._meta.get_field(name).attname):
            return
        # The form has already put what was typed into the row it holds: the newest is in the database.
        now = type(self.instance)._default_manager.values_list(name, flat=True).get(pk=self.instance.pk)
        field, shown = self.fields[name], self.add_prefix(name)
        widget: Any = field.widget
        value = field.prepare_value(now)
        if parts := getattr(widget, "widgets_names", None):
            self.retype({shown + part: one for part, one in zip(parts, widget.decompress(value), strict=True)})
        else:
            self.retype({shown: value})

    def retype(self, values: dict[str, Any]) -> None:
        data: Any = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict cannot be written to, its copy can
        for name, value in values.items():
            data[name] = value
        self.data = data


def changed(before: HistoricalChanges, after: HistoricalChanges) -> Iterator[tuple[str, str, str, str]]:
    """The fields in which two versions differ: name, label, and both values as people read them."""
    for change in after.diff_against(before, foreign_keys_are_objs=True).changes:
        field = after._meta.get_field(change.field)
        yield change.field, str(field.verbose_name), in_words(field, change.old), in_words(field, change.new)


def in_words(field: Any, value: Any) -> str:
    if value in (None, ""):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(dict(field.flatchoices).get(value, value))


class Versioned(VersionedRows):
    form = VersionedForm
    change_form_after_template = "staff/versioned.html"

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Hold a row from before it is read until it is saved: a form writes every field back.

        A page that saves does so in a transaction; one without, such as a row's history, has nothing to hold the row for.
        """
        if request.method == "POST" and connection.in_atomic_block:
            named(self.model._default_manager.select_for_update(), object_id).first()
        return super().get_object(request, object_id, from_field)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The row's own: where the form's two fields stand is for the template to say."""
        return [name for name in super().get_fields(request, obj) if name not in VersionedForm.declared_fields]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj._change_reason = form.cleaned_data.get("change_reason") or None
        super().save_model(request, obj, form, change)

    def histories(self, row: Any) -> Sequence[QuerySet[Any]]:
        """The versions that a row's history shows."""
        return [row.history.all()]

    def history_of(self, request: HttpRequest, row: Any) -> list[dict[str, Any]]:
        sees = sees_contacts(request)
        entries: list[dict[str, Any]] = []
        for versions in self.histories(row):
            before: dict[Any, Any] = {}
            newest_first: list[dict[str, Any]] = []
            for version in reversed(versions.order_by("-history_id")[:MOST_ENTRIES]):
                changes = list(changed(before[version.id], version)) if version.id in before else []
                if changes or version.history_type != "~" or version.history_change_reason:
                    newest_first.insert(0, self._entry(row, version, changes, sees))
                before[version.id] = version
            entries += newest_first
        return sorted(entries, key=lambda entry: entry["at"], reverse=True)[:MOST_ENTRIES]

    def _entry(self, row: Any, version: Any, changes: Sequence[tuple[str, str, str, str]], sees: bool) -> dict[str, Any]:
        of_another = not isinstance(row, version.instance_type)
        return {
            "at": version.history_date,
            "who": version.by,
            "deed": DEEDS[version.history_type],
            "kind": f"{version.instance_type._meta.verbose_name} {version.instance}" if of_another else "",
            "reason": version.history_change_reason,
            "changes": changes if sees else [(name, label, *map(self._mask(name), values)) for name, label, *values in changes],
        }

    def _mask(self, name: str) -> Any:
        return self.contacts.get(name, masking.whole if name in CONTACTS else masking.words)


def named(rows: QuerySet[Any], row_id: object) -> QuerySet[Any]:
    """The row of these that an address names, or none."""
    try:
        return rows.filter(pk=rows.model._meta.pk.to_python(row_id))
    except ValidationError:
        return rows.none()
