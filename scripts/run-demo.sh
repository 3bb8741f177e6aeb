#!/bin/sh
# Starts Hawser on the sample configuration, whose two demo servers are part of it.
set -eu
here=$(dirname "$0")/..
cat <<'TXT'
Hawser listens on http://127.0.0.1:8080/ and balances two built-in demo servers. In another terminal:

    curl http://127.0.0.1:8080/     # demo1, demo2, demo1, ...

Ctrl-C stops it.
TXT
exec "$1" -db -f "$here/haproxy-cfg-samples/demo.cfg"
