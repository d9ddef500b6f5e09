"""Whether two tokenizers are one: facts can be compared between models only if both read them alike."""

from transformers import PreTrainedTokenizerBase

from bertnesia.errors import BertnesiaError

_SAMPLE = "Ångström-Straße IS in don't, 1,000."


def check_same_tokenizer(
    checkpoint: str, tokenizer: PreTrainedTokenizerBase, base: str, base_tokenizer: PreTrainedTokenizerBase
) -> None:
    """Make sure that a checkpoint has the vocabulary of its base, and treats case, accents and punctuation alike.

    Raises:
        BertnesiaError: saying which entries differ, or how the same text is read.
    """
    reason = _vocabularies(tokenizer, base_tokenizer) or _readings(tokenizer, base_tokenizer)
    if reason:
        raise BertnesiaError(
            f"{checkpoint} has another vocabulary or tokenizer than its base {base}, so they cannot be compared "
            f"fact by fact: {reason}."
        )


def _vocabularies(tokenizer: PreTrainedTokenizerBase, base_tokenizer: PreTrainedTokenizerBase) -> str:
    own, base = tokenizer.get_vocab(), base_tokenizer.get_vocab()
    if own == base:
        return ""
    found = []
    if added := own.keys() - base.keys():
        found.append(f"entries that the base lacks: {len(added):,} ({_some(added)})")
    if lacking := base.keys() - own.keys():
        found.append(f"entries that only the base has: {len(lacking):,} ({_some(lacking)})")
    if moved := {token for token in own.keys() & base.keys() if own[token] != base[token]}:
        first = min(moved)
        found.append(f"entries with another id: {len(moved):,} ({first!r} is {own[first]}, in the base {base[first]})")
    return "; ".join(found)


def _readings(tokenizer: PreTrainedTokenizerBase, base_tokenizer: PreTrainedTokenizerBase) -> str:
    own, base = ([*one.convert_ids_to_tokens(one(_SAMPLE)["input_ids"])] for one in (tokenizer, base_tokenizer))
    if own != base:
        return f"it reads {_SAMPLE!r} as {' '.join(own)}, the base as {' '.join(base)}"
    if tokenizer.mask_token_id != base_tokenizer.mask_token_id:
        return f"its mask token is {tokenizer.mask_token}, the base's {base_tokenizer.mask_token}"
    return ""


def _some(tokens: set[str], most: int = 3) -> str:
    shown = ", ".join(repr(token) for token in sorted(tokens)[:most])
    return f"{shown}, ..." if len(tokens) > most else shown
