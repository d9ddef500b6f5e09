"""The service that answers cloze prompts: loaded models, one queue, limits."""

from collections.abc import Mapping, Sequence
from functools import cache, partial

from bertnesia.errors import BertnesiaError
from bertnesia.live.limits import MOST_MODELS_AT_ONCE, check_k, check_words
from bertnesia.live.predict import answer, prepare
from bertnesia.live.queue import Answers, WorkQueue
from bertnesia.live.results import Checkpoint, ClozeResult, Refusal, Reply, Request
from bertnesia.live.shelf import Shelf, stamp
from bertnesia.sentences import check_prompt
from bertnesia.store.study import Study


class Workshop:
    """What all visitors of a process share: one queue, the loaded models, and the answers that were just given."""

    def __init__(self, queue: WorkQueue | None = None, shelf: Shelf | None = None) -> None:
        self.queue = queue or WorkQueue()
        self.shelf = shelf or Shelf()
        """Only to be used by tasks of the queue."""
        self.answers: Answers[Reply] = Answers(self.queue)


@cache
def shared_workshop() -> Workshop:
    """The workshop of this process."""
    return Workshop()


class LiveModels:
    """Models that answer cloze prompts, loaded when they are first asked; safe to share between threads."""

    def __init__(self, checkpoints: Mapping[str, Checkpoint], workshop: Workshop | None = None) -> None:
        self.checkpoints = dict(checkpoints)
        self.workshop = workshop or shared_workshop()

    @property
    def names(self) -> tuple[str, ...]:
        """The models that can be asked."""
        return tuple(self.checkpoints)

    def predict(
        self, prompt: str, models: Sequence[str], kind: str = "trained", k: int = 5, watched: Sequence[str] = ()
    ) -> list[ClozeResult]:
        """Ask all layers of the models for the masked words of a prompt.

        Args:
            prompt: a sentence with one to four masks, written `[MASK]`, `<mask>` or `___`.
            models: names of models; the others are compared with the first.
            kind: decoder kind.
            k: how many predictions to return for each layer.
            watched: words whose rank and probability to return as well.

        Returns:
            A result for each model and mask.

        Raises:
            BertnesiaError: if the prompt, a name or `k` cannot be used, or one of the models cannot answer.
        """
        reply = self.ask(Request(prompt, tuple(models), kind, k, tuple(watched)))
        if reply.refusals:
            raise BertnesiaError(reply.refusals[0].sentence)
        return list(reply.results)

    def ask(self, request: Request) -> Reply:
        """Answer a request; models that cannot are named in the reply, with the reason.

        Identical requests that come at the same time are worked out once.

        Raises:
            BertnesiaError: if no model could answer this request, or too many requests are waiting.
        """
        self.check(request)
        checkpoints = {name: self.checkpoints[name] for name in dict.fromkeys(request.models)}
        question = request, tuple((name, one, stamp(one)) for name, one in checkpoints.items())
        return self.workshop.answers.get(question, partial(_reply, request, checkpoints, self.workshop.shelf))

    def check(self, request: Request) -> None:
        """Refuse what no model needs to be asked about.

        Raises:
            BertnesiaError: if the prompt, `k`, a name or a word of the request cannot be used.
        """
        check_prompt(request.prompt)
        check_k(request.k)
        self.check_models(request.models)
        check_words((*request.watched, *request.answers))

    def check_models(self, names: Sequence[str]) -> None:
        """Refuse a choice of models that cannot be asked.

        Raises:
            BertnesiaError: if it is empty, too large, or holds an unknown name.
        """
        if not names:
            raise BertnesiaError("Choose at least one model.")
        if unknown := [name for name in names if name not in self.checkpoints]:
            raise BertnesiaError(f"There is no model {unknown[0]!r}; there are: {', '.join(self.names)}.")
        if len(set(names)) > MOST_MODELS_AT_ONCE:
            raise BertnesiaError(f"{len(set(names))} models are chosen, but at most {MOST_MODELS_AT_ONCE} can be.")

    def with_models(self, more: Mapping[str, Checkpoint]) -> "LiveModels":
        """These models and some more, in the same workshop."""
        return LiveModels({**self.checkpoints, **more}, self.workshop)


def _reply(request: Request, checkpoints: Mapping[str, Checkpoint], shelf: Shelf) -> Reply:
    """Answer a request, model by model up to the output matrix, then all together."""
    prepared, refusals = [], []
    for name, checkpoint in checkpoints.items():
        try:
            prepared.append(prepare(name, shelf.get(checkpoint, request.kind), request))
        except BertnesiaError as error:
            refusals.append(Refusal(name, str(error)))
    return Reply(answer(prepared, request) if prepared else (), tuple(refusals))


def live_models(study: Study) -> LiveModels:
    """The models of a study; folders that it names are relative to the database's own, other names are the hub's."""
    root = study.path.parent
    table = study.models()
    rows = table[table["role"] == "model"].astype(object).where(lambda rows: rows.notna(), None).to_dict("records")
    folders = {row["model"]: study.place(row["folder"]) for row in rows}
    decoders = {row["model"]: root / row["decoder_folder"] for row in rows if row["decoder_folder"]}
    bases = {row["model"]: row["base"] for row in rows}
    return LiveModels(
        {
            name: Checkpoint(folder, folders.get(bases[name]), decoders.get(name), decoders.get(bases[name]))
            for name, folder in folders.items()
        }
    )
