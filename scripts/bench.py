#!/usr/bin/env python3
"""Whole-process comparison of Hawser with any HAProxy: what a unit of work costs the proxy process.

    scripts/bench.py --hawser target/release/hawser [--haproxy haproxy] [--only NAME,NAME] [--rounds 3] [--secs 3]

Both run the same configuration with one thread. They are loaded in turn (A B A B ...), and the CPU time of the
process (user + system, /proc/PID/stat) is divided by the units of work done, because load generator, origin and
proxy share the machine. The ratio is the median over the rounds; below 1.00 Hawser is cheaper. Absolute figures
depend on the machine: quote ratios. Needs wrk, nginx and, for HTTP/2, h2load of nghttp2-client (Debian packages);
the reverse HTTP tunnel needs a HAProxy of 2.9 or newer. Everything stays on 127.0.0.1.
"""
import argparse
import contextlib
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ORIGIN_PORT, PORT_A, PORT_B = 19100, 18101, 18102
TICK_US = 1e6 / os.sysconf('SC_CLK_TCK')

ORIGIN = '''daemon off; worker_processes 1; pid {d}/pid; error_log /dev/null;
events {{ worker_connections 8000; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
client_body_temp_path {d}/b; proxy_temp_path {d}/p; fastcgi_temp_path {d}/f; uwsgi_temp_path {d}/u; scgi_temp_path {d}/s;
server {{ listen 127.0.0.1:{port} backlog=4096;
location / {{ default_type text/plain; return 200 "hello from the origin\\n"; }}
location /files/ {{ root {d}; }} }} }}
'''

CONFIG = '''global
    nbthread 1
    maxconn 4000
defaults
    mode {mode}
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen l
    bind 127.0.0.1:{port}
    {extra}
    server s1 127.0.0.1:{origin}
'''

EDGE = '''global
    nbthread 1
    maxconn 4000
    expose-experimental-directives
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend pub
    bind 127.0.0.1:{port}
    default_backend rev
frontend priv
    bind 127.0.0.1:{link} proto h2
    tcp-request session attach-srv rev/dev
backend rev
    server dev rhttp@
'''

DEVICE = '''global
    nbthread 1
    maxconn 4000
    expose-experimental-directives
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend fe
    bind rhttp@dial/edge nbconn 4
    default_backend origin
backend dial
    server edge 127.0.0.1:{link} proto h2
backend origin
    server s1 127.0.0.1:{origin}
'''

# name: (mode, extra line, path, connections, wrk arguments, unit)
LOADS = {
    'h1-keepalive': ('http', '', '/', 64, [], 'request'),
    'h1-close': ('http', '', '/', 32, ['-H', 'Connection: close'], 'connection'),
    'h1-1MiB': ('http', '', '/files/1m', 16, [], 'MiB'),
    'tcp-small': ('tcp', '', '/', 64, [], 'request'),
    'tcp-1MiB': ('tcp', 'option splice-auto', '/files/1m', 16, [], 'MiB'),
}


def cpu_us(pid):
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_US


def rss_kib(pid):
    return int(re.search(r'VmRSS:\s+(\d+)', pathlib.Path(f'/proc/{pid}/status').read_text()).group(1))


def wait_for(port, proc):
    for _ in range(300):
        if proc.poll() is not None:
            sys.exit(f'bench: exited with {proc.returncode} before listening on {port}')
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f'bench: nothing listens on {port}')


class Proxy:
    def __init__(self, binary, text, port, d, listens=True):
        cfg = d / f'{port}{"" if listens else ".dial"}.cfg'
        cfg.write_text(text)
        self.proc = subprocess.Popen([binary, '-db', '-f', cfg], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if listens:
            wait_for(port, self.proc)
        self.port = port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.kill()
        self.proc.wait()


def wrk(port, path, conns, secs, extra):
    out = subprocess.run(['wrk', '-t1', f'-c{conns}', f'-d{secs}s', *extra, f'http://127.0.0.1:{port}{path}'],
                         capture_output=True, text=True).stdout
    bad = re.search(r'Non-2xx or 3xx responses: (\d+)', out)
    return int(re.search(r'(\d+) requests in', out).group(1)) - (int(bad.group(1)) if bad else 0)


def h2load(port, path, conns, secs):
    out = subprocess.run(['h2load', '-t1', f'-c{conns}', '-m10', f'-D{secs}', f'http://127.0.0.1:{port}{path}'],
                         capture_output=True, text=True).stdout
    done = re.search(r'(\d+) succeeded', out)
    return int(done.group(1)) if done else 0


def compare(sides, rounds, run):
    """Loads the two sides in turn. A side is a port and the processes whose CPU time its work costs."""
    costs = ([], [])
    for _ in range(rounds):
        for i, (port, pids) in enumerate(sides):
            before = sum(map(cpu_us, pids))
            done = run(port)
            costs[i].append((sum(map(cpu_us, pids)) - before) / max(done, 1))
    return costs


def h2_to_h1(binaries, d, rounds, secs):
    text = lambda port: CONFIG.format(mode='http', port=f'{port} proto h2', extra='', origin=ORIGIN_PORT)
    with Proxy(binaries[0], text(PORT_A), PORT_A, d) as a, Proxy(binaries[1], text(PORT_B), PORT_B, d) as b:
        sides = [(p.port, [p.proc.pid]) for p in (a, b)]
        for port, _ in sides:
            h2load(port, '/', 16, 1)
        return compare(sides, rounds, lambda port: h2load(port, '/', 16, secs)), 'us/request'


def tunnel(binaries, d, rounds, secs):
    """client -> edge -> connection that the device dialled -> device -> origin; edge and device are counted."""
    with contextlib.ExitStack() as stack:
        sides = []
        for port, binary in ((PORT_A, binaries[0]), (PORT_B, binaries[1])):
            link = port + 30
            edge = stack.enter_context(Proxy(binary, EDGE.format(port=port, link=link), port, d))
            device = DEVICE.format(link=link, origin=ORIGIN_PORT)
            device = stack.enter_context(Proxy(binary, device, port, d, listens=False))
            sides.append((port, [edge.proc.pid, device.proc.pid]))
        time.sleep(3)
        for port, _ in sides:
            if not wrk(port, '/', 8, 1, []):
                sys.exit(f'bench: no tunnel behind {port}')
        return compare(sides, rounds, lambda port: wrk(port, '/', 32, secs, [])), 'us/request'


def load(name, binaries, d, rounds, secs):
    mode, extra, path, conns, args, unit = LOADS[name]
    text = lambda port: CONFIG.format(mode=mode, port=port, extra=extra, origin=ORIGIN_PORT)
    with Proxy(binaries[0], text(PORT_A), PORT_A, d) as a, Proxy(binaries[1], text(PORT_B), PORT_B, d) as b:
        for p in (a, b):
            wrk(p.port, path, conns, 1, args)
        sides = [(p.port, [p.proc.pid]) for p in (a, b)]
        return compare(sides, rounds, lambda port: wrk(port, path, conns, secs, args)), f'us/{unit}'


def idle(binaries, d, conns=2000):
    costs = ([], [])
    for i, binary in enumerate(binaries):
        port = PORT_A + 10 + i
        with Proxy(binary, CONFIG.format(mode='http', port=port, extra='', origin=ORIGIN_PORT), port, d) as p:
            before, held = rss_kib(p.proc.pid), []
            for _ in range(conns):
                s = socket.create_connection(('127.0.0.1', port))
                s.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
                s.recv(4096)
                held.append(s)
            time.sleep(1)
            costs[i].append((rss_kib(p.proc.pid) - before) / conns)
            for s in held:
                s.close()
    return costs, 'KiB/idle'


def big_config():
    yield 'defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\nfrontend fe\n bind 127.0.0.1:18131\n'
    for i in range(4000):
        yield f' acl host{i} hdr(host) -i site{i}.example\n use_backend be{i} if host{i}\n'
    for i in range(4000):
        yield f'backend be{i}\n balance leastconn\n option httpchk GET /health\n'
        for j in range(4):
            yield f' server s{j} 10.{i >> 8 & 255}.{i & 255}.{j + 1}:8080 check inter 30s weight {j + 1} maxconn 50\n'


def check(binaries, d, rounds):
    cfg = d / 'big.cfg'
    cfg.write_text(''.join(big_config()))
    costs = ([], [])
    for _ in range(rounds):
        for i, binary in enumerate(binaries):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([binary, '-c', '-f', cfg], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            costs[i].append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3)
    return costs, 'ms/check'


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--hawser', required=True)
    ap.add_argument('--haproxy', default='haproxy')
    ap.add_argument('--only', default='')
    ap.add_argument('--rounds', type=int, default=3)
    ap.add_argument('--secs', type=int, default=3)
    args = ap.parse_args()
    haproxy = shutil.which(args.haproxy) or shutil.which(args.haproxy, path='/usr/sbin:/usr/local/sbin')
    if not haproxy:
        print(f'bench: no {args.haproxy} found; install one, or give --haproxy')
        return 0
    missing = [t for t in ('wrk', 'nginx') if not shutil.which(t, path=os.environ['PATH'] + ':/usr/sbin')]
    if missing:
        sys.exit(f'bench: not installed: {" ".join(missing)}')
    binaries = [str(pathlib.Path(args.hawser).resolve()), haproxy]
    print(subprocess.run([haproxy, '-v'], capture_output=True, text=True).stdout.splitlines()[0])
    only = set(filter(None, args.only.split(',')))
    d = pathlib.Path(tempfile.mkdtemp(prefix='hawser-bench.'))
    d.chmod(0o755)
    (d / 'files').mkdir()
    (d / 'files/1m').write_bytes(os.urandom(1 << 20))
    (d / 'nginx.conf').write_text(ORIGIN.format(d=d, port=ORIGIN_PORT))
    nginx = shutil.which('nginx', path=os.environ['PATH'] + ':/usr/sbin')
    origin = subprocess.Popen([nginx, '-c', d / 'nginx.conf'], stderr=subprocess.DEVNULL)
    try:
        wait_for(ORIGIN_PORT, origin)
        jobs = {n: (lambda n=n: load(n, binaries, d, args.rounds, args.secs)) for n in LOADS}
        if shutil.which('h2load'):
            jobs['h2-to-h1'] = lambda: h2_to_h1(binaries, d, args.rounds, args.secs)
        jobs['rhttp-tunnel'] = lambda: tunnel(binaries, d, args.rounds, args.secs)
        jobs['idle-conn'] = lambda: idle(binaries, d)
        jobs['config-16k-servers'] = lambda: check(binaries, d, args.rounds)
        print(f'{"scenario":22}{"unit":>15}{"Hawser":>10}{"HAProxy":>10}{"ratio":>8}')
        for name, job in jobs.items():
            if only and name not in only:
                continue
            (a, b), unit = job()
            ratio = statistics.median(x / y for x, y in zip(a, b))
            print(f'{name:22}{unit:>15}{statistics.median(a):10.2f}{statistics.median(b):10.2f}{ratio:8.2f}', flush=True)
    finally:
        origin.terminate()
        origin.wait()
        shutil.rmtree(d, ignore_errors=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
