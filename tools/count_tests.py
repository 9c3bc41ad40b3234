"""Print one closing line for all the test reports in a folder: N passed, N failed, N skipped."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main() -> int:
    """Add up the reports; a missing report counts as a failure of its step."""
    folder, *expected = sys.argv[1:]
    passed = failed = skipped = 0
    for name in expected:
        report = Path(folder) / f"{name}.xml"
        if not report.is_file():
            print(f"no report: {name}")
            failed += 1
            continue
        for suite in ET.parse(report).getroot().iter("testsuite"):
            total, skip = (int(suite.get("tests", 0)), int(suite.get("skipped", 0)))
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            print(
                f"{name:10} {total - bad - skip} passed, {bad} failed, {skip} skipped"
            )
            passed, failed, skipped = (
                passed + total - bad - skip,
                failed + bad,
                skipped + skip,
            )
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return int(failed > 0 or passed == 0)


if __name__ == "__main__":
    sys.exit(main())
