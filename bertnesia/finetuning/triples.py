"""Questions with a right passage and wrong ones: MS MARCO's triples, or SQuAD's articles."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertnesia.errors import BertnesiaError
from bertnesia.finetuning.squad import Question

csv.field_size_limit(10_000_000)


@dataclass(frozen=True, slots=True)
class Ranking:
    """A question, the passage that it is about, and others that it is not about; `article` is never split."""

    question: str
    article: str
    right: str
    others: tuple[str, ...]


def read_triples(paths: Iterable[Path]) -> list[Ranking]:
    """Read tab-separated lines of question, right passage, wrong passage, as MS MARCO's `triples.train` has them.

    Lines of the same question are one ranking for each of its right passages, with all of its wrong passages.

    Raises:
        BertnesiaError: naming the line that has not three columns, or the file that has none.
    """
    right: defaultdict[str, dict[str, None]] = defaultdict(dict)
    wrong: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for path in paths:
        found = list(_lines(path))
        for question, positive, negative in found:
            right[question][positive] = None
            wrong[question][negative] = None
        if not found:
            raise BertnesiaError(f"{path} holds no line of question, right passage and wrong passage.")
    return [
        Ranking(question, question, positive, tuple(text for text in wrong[question] if text not in passages))
        for question, passages in right.items()
        for positive in passages
    ]


def _lines(path: Path) -> Iterator[tuple[str, str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
                if not row:
                    continue
                cells = [" ".join(cell.split()) for cell in row]
                if len(cells) != 3 or not all(cells):
                    raise BertnesiaError(
                        f"{path}, line {number}: expected question, right passage and wrong passage "
                        f"with tabs between them, found {len(cells)} columns."
                    )
                yield cells[0], cells[1], cells[2]
    except OSError as error:
        raise BertnesiaError(f"Cannot read {path}: {error.strerror or error}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BertnesiaError(f"{path} is not a tab-separated UTF-8 file: {error}.") from error


def rank_paragraphs(questions: Sequence[Question]) -> list[Ranking]:
    """Each question against its own paragraph and the others of its article that questions are asked about.

    Where an article has one paragraph only, the others are those of all articles.
    """
    articles: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for question in questions:
        articles[question.article][question.context] = None
    everywhere = list(dict.fromkeys(question.context for question in questions))
    rankings = []
    for question in questions:
        pool = articles[question.article] if len(articles[question.article]) > 1 else everywhere
        others = tuple(text for text in pool if text != question.context)
        rankings.append(Ranking(question.text, question.article, question.context, others))
    return rankings
