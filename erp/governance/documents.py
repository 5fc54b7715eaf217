"""What the owners of documents tell governance about them: calls go down, so they register it.

Filled while the apps load (in their `handlers`), read-only afterwards.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from django.urls import reverse

Fingerprints = Callable[[Collection[int]], Mapping[int, str]]
Names = Callable[[Collection[int]], Mapping[int, str]]


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


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """One kind of document that policies decide about.

    `names` answers, by id, what people call those documents ("SO-10017"); one that is gone is left
    out. `page` is the url name of a document's page, which takes its name.
    """

    names: Names
    page: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """What people call a document, and where its page is, if it has one."""

    name: str
    url: str = ""


_kinds: dict[str, DocumentKind] = {}
_subjects: dict[str, SubjectKind] = {}


def register_document(kind: str, document: DocumentKind) -> None:
    """Tell what `kind` ("procurement.order") is. Telling it again replaces it."""
    _kinds[kind] = document


def register_subject(kind: str, subject: SubjectKind) -> None:
    """Tell what documents of `kind` ("orders.order") are called. Telling it again replaces it."""
    _subjects[kind] = subject


def named(subjects: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Named]:
    """Return what these documents are called; of a kind without an owner's word, kind and id.

    One question to each kind's owner.
    """
    by_kind: dict[str, set[int]] = {}
    for kind, document_id in subjects:
        by_kind.setdefault(kind, set()).add(document_id)
    found: dict[tuple[str, int], Named] = {}
    for kind, ids in by_kind.items():
        owner = _subjects.get(kind)
        names = owner.names(ids) if owner else {}
        for document_id in ids:
            name = names.get(document_id, "")
            url = reverse(owner.page, args=[name]) if owner and owner.page and name else ""
            found[kind, document_id] = Named(name or f"{kind} {document_id}", url)
    return found


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
