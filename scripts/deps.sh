#!/bin/sh
# Installs what the integration tests run: real origins, real clients, the scenario runner.
set -eu
need=""
for pair in nginx:nginx curl:curl openssl:openssl varnishtest:varnish python3:python3 cc:gcc make:make haproxy:haproxy; do
    cmd=${pair%%:*}
    pkg=${pair##*:}
    command -v "$cmd" >/dev/null 2>&1 || [ -x "/usr/sbin/$cmd" ] || need="$need $pkg"
done
[ -z "$need" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "deps: not installed:$need (tests that need them say that they skip)" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# The daemons of these packages must not start on this machine.
made=""
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    made=1
fi
trap '[ -z "$made" ] || rm -f /usr/sbin/policy-rc.d' EXIT
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $need >/dev/null
