"""How much a party resembles an entry of a denied-party list: whole numbers from 0 to 100.

`name_score` is the definition. `Index` finds all pairs that reach a floor, many against many, and
leaves none out: the edit distance of all pairs is counted, and whoever reaches the floor otherwise
shares a run of letters or a word, by which they are looked up.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process

from orders.rules.geography import country_code
from orders.rules.naming import Name, plain

FLOOR = 75  # pairs of names below it are never asked about
CONTAINED = 90  # every word of the one is in the other
WORDS_MIN, LETTERS_MIN = 2, 8  # of the shorter name, to count as contained
CHUNK = 500
Positions = npt.NDArray[np.int32]


def name_score(one: Name, other: Name) -> int:
    """Return the best of three comparisons; equal words, in whatever order, are 100.

    By edit distance of the sorted words, by shared runs of three letters (a slip changes the order
    of words, but few runs), and by one name's words being part of the other's.
    """
    if not one.words or not other.words:
        return 0
    found = max(int(fuzz.ratio(one.text, other.text)), _by_grams(one, other))
    return max(found, CONTAINED) if _is_contained(one, other) else found


def address_score(one: str, other: str) -> int | None:
    """Return how much two addresses resemble each other; None where one is not known."""
    left, right = (" ".join(sorted(plain(each).split())) for each in (one, other))
    return int(fuzz.ratio(left, right)) if left and right else None


def overall(name: int, address: int | None) -> int:
    """Return name and address as one number, the name counting three times."""
    return name if address is None else (3 * name + address) // 4


def same_country(one: str, other: str) -> bool | None:
    """Test if both are in one country; None where one is not known."""
    left, right = country_code(one), country_code(other)
    return left == right if left and right else None


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a list, with its name and aliases as written."""

    id: int
    version: int
    names: tuple[str, ...]
    address: str
    country: str


class Index:
    """Entries, ready to be compared with many names."""

    def __init__(self, entries: Sequence[Listed]) -> None:
        self.entries = entries
        self.owner: list[int] = []
        self.names: list[Name] = []
        for position, entry in enumerate(entries):
            for written in dict.fromkeys(Name.of(text) for text in entry.names):
                if written.words:
                    self.owner.append(position)
                    self.names.append(written)
        self.texts = [name.text for name in self.names]
        self.sizes = np.array([name.grams.total() for name in self.names], dtype=np.int32)
        self.lengths = np.array([len(set(name.words)) for name in self.names], dtype=np.int32)
        self.by_gram = _postings([_counted(name) for name in self.names])
        self.by_word = _postings([set(name.words) for name in self.names])

    def alike(self, names: Sequence[Name], floor: int = FLOOR) -> Iterator[dict[Listed, int]]:
        """Yield for each name the entries whose best score reaches the floor, with the score."""
        for start in range(0, len(names), CHUNK):
            part = names[start : start + CHUNK]
            near = self._near(part, floor)
            for row, name in enumerate(part):
                yield self._scored(name, self._candidates(name, near[row], floor), floor)

    def _near(self, names: Sequence[Name], floor: int) -> npt.NDArray[np.uint8]:
        texts = [name.text for name in names]
        return process.cdist(
            texts, self.texts, scorer=fuzz.ratio, score_cutoff=floor, dtype=np.uint8
        )

    def _candidates(self, name: Name, near: npt.NDArray[np.uint8], floor: int) -> Positions:
        found = near > 0
        if not name.words:
            return np.zeros(0, dtype=np.int32)
        shared = _shared(self.by_gram, _counted(name), len(self.names))
        found |= 200 * shared >= floor * (self.sizes + name.grams.total())
        words = set(name.words)
        common = _shared(self.by_word, words, len(self.names))
        found |= (common >= WORDS_MIN) & (common == np.minimum(self.lengths, len(words)))
        return np.flatnonzero(found).astype(np.int32)

    def _scored(self, name: Name, candidates: Positions, floor: int) -> dict[Listed, int]:
        best: dict[Listed, int] = {}
        for position in candidates.tolist():
            score = name_score(name, self.names[position])
            entry = self.entries[self.owner[position]]
            if score >= max(floor, best.get(entry, 0)):
                best[entry] = score
        return best


def _by_grams(one: Name, other: Name) -> int:
    shared = (one.grams & other.grams).total()
    return 200 * shared // (one.grams.total() + other.grams.total())


def _is_contained(one: Name, other: Name) -> bool:
    fewer, more = sorted((set(one.words), set(other.words)), key=len)
    letters = sum(len(word) for word in fewer)
    return fewer <= more and len(fewer) >= WORDS_MIN and letters >= LETTERS_MIN


def _counted(name: Name) -> set[str]:
    """Return the runs of letters, the second of the same marked as such."""
    return {f"{gram}{number}" for gram, count in name.grams.items() for number in range(count)}


def _postings(keys: Sequence[set[str]]) -> dict[str, Positions]:
    lists: dict[str, list[int]] = defaultdict(list)
    for position, each in enumerate(keys):
        for key in each:
            lists[key].append(position)
    return {key: np.array(found, dtype=np.int32) for key, found in lists.items()}


def _shared(postings: dict[str, Positions], keys: set[str], size: int) -> Positions:
    """Return how many of the keys each position has."""
    found = [postings[key] for key in keys if key in postings]
    if not found:
        return np.zeros(size, dtype=np.int32)
    return np.bincount(np.concatenate(found), minlength=size).astype(np.int32)
