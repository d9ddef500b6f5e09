"""The words of the dashboard, explained once and shown as tooltips."""

GLOSSARY = {
    "probe set": "A named set of relations and their facts, each asked as a sentence with one masked word.",
    "model": "A masked language model of this study. Facts count only where every chosen model could be asked them.",
    "relation": "A kind of fact, such as *place of birth*, asked with one template.",
    "decoder": (
        "What turns a layer's hidden state into words. **trained**: trained for this layer of this model, from the "
        "base's own head. **stock**: the base's own head, unchanged, at every layer. **base**: the base's trained "
        "decoder of that layer on a fine-tuned model: has it lost a fact, or only moved it? **own**: the model's own "
        "head. **full**: as trained, with its output matrix. **random**: trained from noise. **control**: trained on "
        "an encoder that never learned anything: what a decoder can do alone."
    ),
    "rank": "1 + the number of words in the whole vocabulary that score higher than the right answer: 1 is best.",
    "P@k": "Share of facts whose right answer is among the k words that score highest. MRR is the mean of 1/rank.",
    "average": "Over relations: every relation counts the same (macro). Over facts: every fact does (micro).",
    "filtered": "Leaves a subject's other right answers out of the ranking, so that they do not count as mistakes.",
    "prior": (
        "What always answering with the relation's commonest answers scores, without looking at the subject. "
        "Only what exceeds it is knowledge of single facts."
    ),
    "masked": (
        "What the same prompts score with the subject hidden, or with another subject in its place: what the prompt "
        "gives away by itself. Only what exceeds it was known of this subject."
    ),
    "interval": (
        "95 % interval: what other facts of the same kind could have given. Another training run would "
        "differ, too: that is left out."
    ),
    "layer": "Layers are counted from 1, next to the input. *Any layer*: right if some layer has it right.",
    "forgetting rate": (
        "Of the facts that the base has right, the share that the fine-tuned model has wrong, with its 95 % interval."
    ),
    "net change": (
        "The fine-tuned model's share of right facts minus the base's: learned minus forgotten, with its 95 % interval."
    ),
    "outcome": "Retained: right in both. Forgotten: right only in the base. Learned: right only after fine-tuning.",
    "total": "Right at *some* layer: the union over all layers. It grows with the number of layers, and with luck.",
    "best layer": "The one layer with most facts right, the same for all facts: another number than the total.",
    "chosen layer": "The layer chosen for each relation on one half of its facts, scored on the other half.",
    "reading": (
        "*The paper's* chooses the best layer and scores it on the same facts. *Held out* chooses it on one half, "
        "scores it on the other, and counts only relations with 50 facts or more that pass a corrected test."
    ),
    "settings": "With other decoders, another seed, other ranks, another average, other prompts. Takes some seconds.",
    "intermediate share": "Of all that some layer has right, the share that the last layer alone does not.",
    "left out": "Facts that some of the compared models could not be asked: they count for none.",
    "churn": (
        "The same counts between two decoders of *one* model, from different seeds: what looks forgotten though "
        "nothing was fine-tuned. Only what exceeds it is forgetting."
    ),
    "lost": (
        "Of the facts forgotten at the last layer. Lost: no layer of the fine-tuned model has them right. Buried: an "
        "earlier layer still has."
    ),
    "coverage": "Whether a training text names a fact's subject and its answer together in one passage.",
    "p": (
        "How often chance alone would change at least as many facts if fine-tuning did nothing: McNemar's test on "
        "the same facts. *Corrected*: for testing every relation (Holm)."
    ),
    "effect": "Cohen's h: the difference of the two shares on a scale where 0.2 is small, 0.5 middling, 0.8 large.",
    "bin": "1: by 1 to 9 places, 2: by 10 to 99, 3: by 100 or more; above 0 the rank became better, below 0 worse.",
    "words": "How many of its likeliest words to show for each layer.",
    "watched": "More words, separated by commas, to follow through the layers.",
    "answer": (
        "The word that should stand in the mask's place: its rank is followed through the layers. For several masks, "
        "one for each, separated by commas."
    ),
    "add mask": (
        "Puts [MASK] where the cursor stands in the prompt, or in place of what is selected there: a double-click "
        "selects a word. You can also type [MASK], <mask> or ___."
    ),
    "cloze models": "The others are compared with the first: the base, where it is chosen.",
    "cloze layer": "This layer is marked in the grids and looked at side by side below.",
    "cloze examples": (
        "Facts that the base answers rightly at its last layer. *Retained*: the model that forgot most does, too; "
        "*forgotten*: it does not."
    ),
    "history": "Choose one to have everything back as it was when you asked it.",
    "distance": (
        "Total variation: half the sum of the differences in probability over the whole vocabulary. KL divergence: "
        "how surprised the model would be by words drawn from the first model's prediction, in nats."
    ),
    "parting": (
        "The first layer from which on, up to the last, at least half of the probability lies on other words (total "
        "variation of 0.5 or more)."
    ),
    "add model": (
        "A model in Hugging Face's format, from a folder of this machine or from the hub. Without a head for masked "
        "words it is read with the head of this study's base, if their vocabularies are the same."
    ),
    "train decoders": (
        "Plain text, a sentence or paragraph a line. Sentences that name a fact of this study are left out. A few "
        "thousand lines will do."
    ),
    "falls": (
        "Shares of 1,000 resamples of the facts: in how many the layer loses anything, and in how many no other layer "
        "has lost half of its loss at an earlier step. Layers that fall together share."
    ),
    "steps": "How many batches of text to train on.",
    "many": (
        "A line each. Behind a tab may stand the right answer, as it does when you paste two columns of a spreadsheet."
    ),
    "csv": "With a column *prompt* and, if you like, *answer*; at most 10,000 rows and 20 MB.",
    "stored rank": "The rank in the study's database, from probing.",
    "search": "Letters that stand in the subject, the answer or the prompt, whatever their case.",
    "state": "Right or wrong at the last layer of one model. *Not asked*: the answer is no single word.",
    "last rank": "The rank of the right answer at the model's last layer: 1 is best.",
    "eligible": (
        "Only facts whose answer is a single token of the vocabulary are asked, so that one mask stands for all of it."
    ),
    "objective": "What the model was trained to do: *mlm* is guessing masked words, *qa* finding answers in a passage.",
    "hash": "A fingerprint of the weights: two models or decoders with the same one are the same.",
    "loss": "Minus the natural logarithm of the probability of the masked word, averaged: 0 is perfect.",
    "still improving": (
        "Whether the validation loss was still falling when training stopped: more steps would have made a better "
        "decoder."
    ),
    "ties": "Other words with exactly the same score as the right answer.",
    "prompt": "A sentence with [MASK] in place of the word to predict.",
}
"""Term to explanation; Markdown, never data."""

WORDS = {
    "Probe set": "probe set",
    "Relation": "relation",
    "Eligible": "eligible",
    "Layer": "layer",
    "Decoder": "decoder",
    "Rank": "rank",
    "Filtered rank": "filtered",
    "Ties": "ties",
    "P@k and MRR": "P@k",
    "Average over relations or facts": "average",
    "95 % interval": "interval",
    "Commonest answers (prior)": "prior",
    "Subject masked, subject swapped": "masked",
    "Any layer (total)": "total",
    "Best layer": "best layer",
    "Chosen layer": "chosen layer",
    "Earlier only (intermediate share)": "intermediate share",
    "Retained, forgotten, learned": "outcome",
    "Forgetting rate": "forgetting rate",
    "Net change": "net change",
    "Churn": "churn",
    "Lost, buried": "lost",
    "Falls first": "falls",
    "Mentioned in a training text": "coverage",
    "p and its correction": "p",
    "Effect (Cohen's h)": "effect",
    "Objective": "objective",
    "Loss": "loss",
    "Left out": "left out",
}
"""What the list of words calls each term of the glossary, what is needed first first."""
