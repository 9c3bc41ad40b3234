"""Parts of a joint-embedding predictive architecture, one concept per module.

Each part of the taught modules is first written out in a chapter of the book; the module
then keeps the same text, so that later chapters can import it.
"""

from importlib.metadata import version

__version__ = version("jepa-tutorial")
