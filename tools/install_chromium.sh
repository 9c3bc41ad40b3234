# Print the path of a Chromium or Chrome; as root on Debian or Ubuntu, install it if there is none.
for browser in "${CHROMIUM:-chromium}" chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    command -v "$browser" && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "==> Installing Chromium" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null && echo chromium && exit 0
    echo "Chromium could not be installed: run 'apt-get install chromium' and see what it says." >&2
    exit 1
fi
echo "No Chromium or Chrome was found for the page tests: run 'sudo apt-get install chromium fonts-dejavu-core', or install Chrome, or set CHROMIUM to its path." >&2
exit 1
