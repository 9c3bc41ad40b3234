# Render the book; warnings are errors. Usage: build_book.sh FOLDER_OF_THE_PROGRAMS
mkdir -p _build
rm -f _build/html/jepa-tutorial.pdf # of older pages
if ! "$1/jupyter-book" build . -W --keep-going --all >_build/build.log 2>&1; then
    grep -E 'WARNING|ERROR|Error|Exception' _build/build.log >&2 || tail -n 30 _build/build.log >&2
    echo "The book could not be rendered; the whole log is in _build/build.log." >&2
    exit 1
fi
echo "The book is ready. Open this page: $(pwd)/_build/html/index.html"
