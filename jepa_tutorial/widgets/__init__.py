"""Figures that a reader moves, in a notebook and on the page, with a kernel or without."""
