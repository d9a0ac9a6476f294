"""The languages a call can be held in: the ones every line of `templates/spoken/agent/` is written in. No Django."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """`code` is ISO 639-1; `name` is English, for a model; `carrier_tag` is what carriers ask for (BCP 47), to read words aloud."""

    code: str
    name: str
    carrier_tag: str


LANGUAGES: dict[str, Language] = {
    language.code: language
    for language in (
        Language("en", "English", "en-US"),
        Language("de", "German", "de-DE"),
        Language("es", "Spanish", "es-US"),
        Language("fr", "French", "fr-FR"),
        Language("it", "Italian", "it-IT"),
        Language("pt", "Portuguese", "pt-BR"),
    )
}
