# See that .venv, if it is there, is whole: no command mends what a broken-off deletion has left.
# A stamp holds how many things there were after an installation; `check_venv.sh count` counts them.
count() {
    ls .venv/bin .venv/lib/python*/site-packages 2>/dev/null | wc -l
}
if [ "$1" = count ]; then
    count
    exit
fi
[ -d .venv ] || exit 0
before=$(cat .venv/installed-* 2>/dev/null | sort -n | tail -n 1)
if .venv/bin/python -c 'import pip' 2>/dev/null && [ $(count) -ge ${before:-0} ]; then
    exit 0
fi
echo "Parts of .venv are missing: run 'make clean', then this command again." >&2
exit 1
