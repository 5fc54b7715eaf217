"""What the owners of documents tell governance about them: calls go down, so they register it.

Filled while the apps load (in their `handlers`), read-only afterwards.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

Fingerprints = Callable[[Collection[int]], Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """One kind of document that may need approval.

    `fingerprints` answers, by id, what those documents are now, in short; one that is gone is left
    out. `page` is the url name of a document's page; it takes what stands before the first space of
    the document's label. `name` is what people call such a document.
    """

    fingerprints: Fingerprints
    name: str
    page: str = ""


_kinds: dict[str, DocumentKind] = {}


def register_document(kind: str, document: DocumentKind) -> None:
    """Tell what `kind` ("procurement.order") is. Telling it again replaces it."""
    _kinds[kind] = document


def document_kind(kind: str) -> DocumentKind | None:
    """Return what its owner told of a kind of document, if anything."""
    return _kinds.get(kind)


def kind_name(kind: str) -> str:
    """Return what people call a kind of document; without an owner's word, its own name."""
    found = _kinds.get(kind)
    return found.name if found else kind.replace("_", " ").replace(".", ": ")


def present_fingerprint(kind: str, document_id: int) -> str | None:
    """Return what a document is now, empty when it is gone; None where nobody told of the kind."""
    found = _kinds.get(kind)
    return None if found is None else found.fingerprints([document_id]).get(document_id, "")
