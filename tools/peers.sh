#!/bin/sh
# Install the programs of other makers that some tests speak with. Where that cannot be done, those tests
# are skipped by name (or fail, when REQUIRE_PEERS=1).
set -u
missing=""
command -v storescu >/dev/null 2>&1 || missing="$missing dcmtk"
command -v dciodvfy >/dev/null 2>&1 || missing="$missing dicom3tools"
command -v Orthanc >/dev/null 2>&1 || missing="$missing orthanc"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
[ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || missing="$missing orthanc-dicomweb"

# From npm, at the versions that the lock holds by hash: an identity provider, the accessibility judge, the type checker.
npm="$(dirname "$0")/../tests/npm"
if [ ! "$npm/node_modules/.package-lock.json" -nt "$npm/package-lock.json" ]; then
    if ! command -v npm >/dev/null 2>&1; then
        echo "npm is not found: the tests that need the packages of tests/npm are skipped; with Debian's packages: apt-get install npm" >&2
    elif (cd "$npm" && npm ci --ignore-scripts --silent >/dev/null 2>&1); then
        touch "$npm/node_modules/.package-lock.json"
    else
        echo "npm ci in tests/npm did not succeed: the tests that need its packages are skipped" >&2
    fi
fi
[ -n "$missing" ] || exit 0

wanted="apt-get install --no-install-recommends$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Test peers not found:$missing. Tests that speak with them are skipped; with Debian's packages: $wanted" >&2
    exit 0
fi
if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else
    echo "Test peers not found:$missing. Tests that speak with them are skipped; to bring them: sudo $wanted" >&2
    exit 0
fi
echo "Installing the test peers:$missing ..." >&2
# A service that a package would start is not wanted: the tests start their own on loopback.
# shellcheck disable=SC2086 # a list of words is meant
if $as_root apt-get update -qq >/dev/null 2>&1 && $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1; then
    exit 0
fi
echo "Installing$missing did not succeed. Tests that speak with them are skipped; to bring them: $wanted" >&2
exit 0
