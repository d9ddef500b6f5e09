"""The exceptions that users are meant to read."""


class BertnesiaError(Exception):
    """Bad input or a broken file, told in one sentence: what is wrong and what to do.

    The command line prints the sentence and exits with code 2; the dashboard shows it in place of the figure.
    """
