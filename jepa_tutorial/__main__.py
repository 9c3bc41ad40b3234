"""Run the command line with ``python -m jepa_tutorial``."""

from jepa_tutorial.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
