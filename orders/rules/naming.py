"""What a name says once spelling, accents, company forms and the order of words are put aside."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

# What decomposing leaves as it is.
LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"}
)
COMPANY_FORMS = frozenset((
    "ab", "ag", "and", "aps", "as", "asa", "bhd", "bv", "co", "company", "corp", "corporation",
    "cv", "dba", "doo", "ek", "fzc", "fzco", "fze", "gmbh", "group", "holding", "holdings",
    "inc", "incorporated", "jsc", "kft", "kg", "kk", "limited", "llc", "llp", "lp", "ltd",
    "ltda", "mbh", "nv", "oao", "ohg", "ojsc", "ooo", "oy", "oyj", "pao", "pjsc", "plc", "pte",
    "pty", "pvt", "sa", "sarl", "sas", "sdn", "se", "spa", "spzoo", "srl", "sro", "the", "und",
    "zao",
))  # fmt: skip
DOTTED = re.compile(r"\b((?:\w\.){2,}\w?)")
GAPS = re.compile(r"[\W_]+")


def plain(text: str) -> str:
    """Return the words in small letters without accents and marks, one blank between them."""
    folded = unicodedata.normalize("NFKD", text.casefold().translate(LETTERS))
    bare = "".join(mark for mark in folded if not unicodedata.combining(mark))
    joined = DOTTED.sub(lambda found: found.group(1).replace(".", ""), bare.replace("'", ""))
    return GAPS.sub(" ", joined).strip()


@dataclass(frozen=True)
class Name:
    """One name, ready to be compared: its words sorted, without company forms.

    A name of nothing but company forms keeps them.
    """

    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Name":
        words = plain(text).split()
        telling = [word for word in words if word not in COMPANY_FORMS]
        return cls(tuple(sorted(telling or words)))

    @cached_property
    def text(self) -> str:
        return " ".join(self.words)

    @cached_property
    def grams(self) -> Counter[str]:
        """How often each run of three letters occurs in a word; blanks stand at its ends."""
        return Counter(
            padded[at : at + 3]
            for padded in (f"  {word} " for word in self.words)
            for at in range(len(padded) - 2)
        )


def digest(*texts: str) -> str:
    """Return what is equal for texts of the same words: 32 characters."""
    said = "\n".join(" ".join(sorted(plain(text).split())) for text in texts)
    return blake2b(said.encode(), digest_size=16).hexdigest()
