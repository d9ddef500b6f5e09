"""What each layer of a BERT knows, and what fine-tuning makes it forget."""

__version__ = "0.1.0"
