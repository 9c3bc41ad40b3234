"""Run the command line with ``python -m jepa_tutorial``."""

import sys


def main() -> int:
    """Load the command line, which takes some seconds, and run it."""
    try:
        from jepa_tutorial.publishing.cli import main
    except KeyboardInterrupt:
        print("jepa-tutorial: interrupted", file=sys.stderr)
        return 130
    return main()


if __name__ == "__main__":
    raise SystemExit(main())
