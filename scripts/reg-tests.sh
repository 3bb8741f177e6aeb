#!/bin/sh
# Runs HAProxy's own regression tests, from a checked-out tree of it, against a Hawser binary.
# usage: reg-tests.sh BIN HAPROXY_TREE VTEST [FILTER ...]; prints one line a test and the totals.
set -u
bin=$(realpath "$1"); tree=$2; vtest=$3; shift 3
[ -d "$tree/reg-tests" ] || { echo "set HAPROXY_SRC to a checked-out HAProxy tree (got '$tree')" >&2; exit 2; }
cd "$tree" || exit 2
pass=0; fail=0
for t in $(find reg-tests -name '*.vtc' | sort); do
    if [ $# -gt 0 ]; then
        hit=0; for f in "$@"; do case $t in *"$f"*) hit=1 ;; esac; done
        [ $hit = 1 ] || continue
    fi
    if HAPROXY_PROGRAM="$bin" HAPROXY_ARGS='-dM -dI -dW' timeout 40 "$vtest" -t 20 "$t" >/dev/null 2>&1; then
        pass=$((pass + 1)); echo "pass $t"
    else
        fail=$((fail + 1)); echo "FAIL $t"
    fi
done
echo "$pass passed, $fail failed"
[ "$fail" = 0 ]
