# Print the first Python from 3.11 to 3.13 that works and can make virtual environments.
# PYTHON=... overrides the search.
for python in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
        echo "$python"
        exit 0
    fi
done
echo "No Python 3.11, 3.12 or 3.13 with the venv module was found: install one (on Debian or Ubuntu: apt-get install python3 python3-venv) or name it with PYTHON=/path/to/python." >&2
exit 1
