#!/bin/sh
# Makes configure from configure.ac. Needed once after a clone, and after
# configure.ac has changed.
set -eu
cd "$(dirname "$0")"
mkdir -p packaging/build-aux
command -v autoreconf >/dev/null || {
	echo "autogen.sh: autoreconf is missing: apt-get install autoconf automake" >&2
	exit 1
}
exec autoreconf --install --warnings=all
