"""Maintenance of the catalogues: collects the messages of pages and mail, merges them into the .po files, compiles the .mo files.

`python -m tests.pages.catalogues`, with packages/doorward/src on PYTHONPATH; only this needs Babel.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from doorward.web.pages import language

WEB = Path(language.__file__).resolve().parent.parent
FOLDER = WEB / "pages" / "locale"
# English is the language of the sources.
TRANSLATED = tuple(tag for tag in language.LOCALES if tag != "en")
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
OF_FEATURES = [
    ("**/activity.py", "python"),
    ("**/messages.py", "python"),
    ("**/views.py", "python"),
    ("**/templates/**.html", "jinja2"),
]
KEYWORDS = {
    "_": None,
    "N_": None,
    "plain": None,
    "text": None,
    "html": None,
    "counted": (1, 2),
    "counted_html": (1, 2),
    "ngettext": (1, 2),
}


def collected() -> Catalog:
    """Every message in the sources of pages and mail, and in the features' own messages."""
    catalog = Catalog(charset="utf-8")
    folders = [(WEB / name, METHODS) for name in ("pages", "mail")] + [(WEB.parent / "features", OF_FEATURES)]
    for folder, methods in folders:
        for file, _, message, _, _ in extract_from_dir(folder, methods, keywords=KEYWORDS):
            catalog.add(message, None, [(f"{folder.name}/{file}", 0)])
    return catalog


def path_of(locale: str, ending: str) -> Path:
    return FOLDER / locale / "LC_MESSAGES" / f"doorward.{ending}"


def read(locale: str) -> Catalog:
    with path_of(locale, "po").open("rb") as file:
        return read_po(file, locale=locale)


def _headers(catalog: Catalog) -> list[tuple[str, str]]:
    return [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Transfer-Encoding", "8bit"),
        ("Plural-Forms", catalog.plural_forms),
        ("Language", str(catalog.locale)),
    ]


class _Undated(Catalog):
    mime_headers = property(_headers)


def compiled(catalog: Catalog) -> bytes:
    """The bytes of the .mo file. The header omits dates, so that equal messages give equal bytes."""
    plain = _Undated(locale=catalog.locale, charset="utf-8")
    for message in catalog:
        if message.id and not message.fuzzy:
            plain.add(message.id, message.string)
    buffer = BytesIO()
    write_mo(buffer, plain)
    return buffer.getvalue()


def written(catalog: Catalog) -> bytes:
    """The bytes of the .po file, under a header that only changes when the language does."""
    headers = "".join(f'"{name}: {value}\\n"\n' for name, value in _headers(catalog))
    buffer = BytesIO()
    write_po(buffer, catalog, omit_header=True, sort_output=True, no_location=True, width=110)
    return f'msgid ""\nmsgstr ""\n{headers}\n'.encode() + buffer.getvalue()


def update() -> None:
    template = collected()
    for locale in TRANSLATED:
        path_of(locale, "po").parent.mkdir(parents=True, exist_ok=True)
        catalog = read(locale) if path_of(locale, "po").exists() else Catalog(locale=locale, charset="utf-8")
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        path_of(locale, "po").write_bytes(written(catalog))
        path_of(locale, "mo").write_bytes(compiled(catalog))
        missing = sum(1 for message in catalog if message.id and not message.string)
        print(f"{locale}: {len(catalog)} messages, {missing} without a translation")


if __name__ == "__main__":
    update()
