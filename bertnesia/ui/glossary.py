"""The words of the dashboard, explained once and shown as tooltips."""

GLOSSARY = {
    "probe set": "A named set of relations and their facts, each asked as a sentence with one masked word.",
    "model": "A masked language model of this study. Facts count only where every chosen model could be asked them.",
    "relation": "A kind of fact, such as *place of birth*, asked with one template.",
    "decoder": (
        "What turns a layer's hidden state into words. **trained**: trained for this layer of this model, from the "
        "base's own head. **stock**: the base's own head, unchanged, at every layer."
    ),
    "rank": "1 + the number of words in the whole vocabulary that score higher than the right answer: 1 is best.",
    "P@k": "Share of facts whose right answer is among the k words that score highest. MRR is the mean of 1/rank.",
    "average": "Over relations: every relation counts the same (macro). Over facts: every fact does (micro).",
    "filtered": "Leaves a subject's other right answers out of the ranking, so that they do not count as mistakes.",
    "prior": (
        "What always answering with the relation's commonest answers scores, without looking at the subject. "
        "Only what exceeds it is knowledge of single facts."
    ),
    "interval": "95 % interval: what other facts of the same kind could have given.",
    "layer": "Layers are counted from 1, next to the input. *Any layer*: right if some layer has it right.",
    "forgetting rate": (
        "Of the facts that the base has right, the share that the fine-tuned model has wrong, with its 95 % interval."
    ),
    "net change": (
        "The fine-tuned model's share of right facts minus the base's: learned minus forgotten, with its 95 % interval."
    ),
    "outcome": "Retained: right in both. Forgotten: right only in the base. Learned: right only after fine-tuning.",
    "words": "How many of its likeliest words to show for each layer.",
    "watched": "Words, separated by commas, to follow through the layers, for example the right answer.",
    "prompt": "A sentence with [MASK] in place of the word to predict.",
}
"""Term to explanation; Markdown, never data."""
