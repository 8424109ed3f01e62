#!/bin/sh
# Run where the workspace's Node does not start: on a minimal Debian, a library is missing that newer Nodes need.
set -eu
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing the Debian package libatomic1, which Node needs"
  # Where apt-get fails, what follows says what to do.
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install --yes -qq --no-install-recommends libatomic1 >/dev/null || true
fi
node --eval "" || {
  echo "The workspace's Node does not start. On Debian: sudo apt-get install libatomic1" >&2
  exit 1
}
