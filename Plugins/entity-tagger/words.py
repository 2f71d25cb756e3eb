"""Sentences whose words have labels: the annotated form, CoNLL files, and what the daemon is given.

    [Ana Ruiz|person] moved to [Lisbon|place] in [May|date].
"""

import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Sequence, Tuple

from hidra import InvalidDataError

# Letters and digits, with what joins them (Saint-Denis, O'Brien, 14:30, 2.5); every other sign is a word of its own. The encoder's
# tokenizer cuts there too, so that it sees the same with and without the spaces that this puts between.
_WORD = re.compile(r"\w+(?:[-'’.:/&]\w+)*|\S")
# In the annotated form a backslash takes the next sign as it is.
_SIGN = re.compile(r"\\(.)|([\[\]|])|([^\\\[\]|]+|\\)", re.S)


class Piece(NamedTuple):
    """``text[start:end]``, counted in Unicode scalars, and its label."""

    label: str
    start: int
    end: int


class Sentence(NamedTuple):
    """Words, and a label in the IOB2 scheme for each: ``O``, ``B-place``, ``I-place``."""

    words: Tuple[str, ...]
    tags: Tuple[str, ...]


def split(text: str) -> List[Tuple[int, int]]:
    """Where the words of a text begin and end."""
    return [match.span() for match in _WORD.finditer(text)]


def parse(line: str, place: str = "the sentence") -> Tuple[str, List[Piece]]:
    """The text of an annotated line, and its pieces. ``place`` names the line in errors."""
    text, pieces, start, middle = "", [], None, None
    for escaped, sign, plain in _SIGN.findall(line):
        if sign == "[":
            if start is not None:
                raise InvalidDataError(f"{place}: a piece begins inside another; pieces cannot be nested. A bracket itself is \\[.")
            start = len(text)
        elif sign == "|" and start is not None and middle is None:
            middle = len(text)
        elif sign == "]" and start is not None:
            if middle is None:
                raise InvalidDataError(f"{place}: [{text[start:]}] has no label; write [{text[start:]}|label].")
            label = text[middle:]
            if not re.fullmatch(r"[^\s|]+", label) or not text[start:middle].strip():
                raise InvalidDataError(f"{place}: [{text[start:middle]}|{label}] needs words, and a label without spaces.")
            text = text[:middle]
            pieces.append(Piece(label, start, middle))
            start = middle = None
        elif sign == "]":
            raise InvalidDataError(f"{place}: ] ends no piece. A bracket itself is \\].")
        else:
            text += escaped or sign or plain
    if start is not None:
        raise InvalidDataError(f"{place}: the piece [{text[start:]} is not ended by ].")
    return text, pieces


def labelled(text: str, pieces: Sequence[Piece], place: str = "the sentence") -> Sentence:
    """The words of a text, and the labels that its pieces give them."""
    spans = split(text)
    tags = ["O"] * len(spans)
    for label, start, end in pieces:
        inside = [number for number, (first, last) in enumerate(spans) if first < end and last > start]
        if not inside or spans[inside[0]][0] < start or spans[inside[-1]][1] > end:
            raise InvalidDataError(f"{place}: the piece '{text[start:end]}' begins or ends within a word.")
        for number in inside:
            tags[number] = f"{'B' if number == inside[0] else 'I'}-{label}"
    return Sentence(tuple(text[first:last] for first, last in spans), tuple(tags))


def read_annotated(path: Path) -> List[Sentence]:
    """One sentence a line; empty lines and those that begin with # are left out."""
    sentences = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            place = f"{path}, line {number}"
            sentences.append(labelled(*parse(line.strip(), place), place))
    return sentences


def read_conll(path: Path) -> List[Sentence]:
    """One word a line, the first of its columns, and its label, the last; a blank line ends a sentence.

    Labels are IOB2, or IOB1 (``I-x`` may begin a piece), which is turned into IOB2.
    """
    sentences: List[Sentence] = []
    words: List[str] = []
    tags: List[str] = []
    for number, line in enumerate([*_text(path).split("\n"), ""], 1):
        cells = line.split("\t") if "\t" in line.strip() else line.split()
        if not line.strip() or line.startswith("-DOCSTART-"):
            if words:
                sentences.append(Sentence(tuple(words), tuple(tags)))
            words, tags = [], []
            continue
        word, tag = cells[0].strip(), cells[-1].strip()
        if len(cells) < 2 or not word or not re.fullmatch(r"O|[BI]-\S+", tag):
            raise InvalidDataError(f"{path}, line {number}: needs a word and a label like O, B-person or I-person; it is {line!r}.")
        if tag.startswith("I-") and (not tags or tags[-1][1:] != tag[1:]):
            tag = "B" + tag[1:]
        # The daemon's words end at white space.
        words.append("_".join(word.split()))
        tags.append(tag)
    return sentences


def read(path: Path) -> List[Sentence]:
    """A file in either form: CoNLL when its name or its first line says so."""
    lines = (line for line in _text(path).splitlines() if line.strip())
    is_conll = path.suffix in (".conll", ".iob", ".iob2", ".bio") or re.fullmatch(r"\S+[\t ].*?(O|[BI]-\S+)\s*", next(lines, ""))
    sentences = read_conll(path) if is_conll else read_annotated(path)
    if not sentences:
        raise InvalidDataError(f"{path} has no sentences.")
    return sentences


def columns(sentences: Sequence[Sentence]) -> Dict[str, List[str]]:
    """As ``Client.train`` takes them: as many words in ``text`` as labels in ``tags``, with spaces between."""
    return {"text": [" ".join(s.words) for s in sentences], "tags": [" ".join(s.tags) for s in sentences]}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InvalidDataError(f"There is no file {path}.") from None
    except UnicodeDecodeError as error:
        raise InvalidDataError(f"{path} is not UTF-8: {error}") from error
