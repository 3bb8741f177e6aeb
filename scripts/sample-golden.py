#!/usr/bin/env python3
"""Asks a real HAProxy what sample expressions evaluate to.

usage: sample-golden.py HAPROXY FILE

FILE (crates/sample/testdata/expressions.txt) holds requests and expressions:

    @ METHOD TARGET VERSION     a new request follows
    > Name: value               one of its fields
    < text                      its body
    expression<TAB>result       evaluated for that request
    ? condition<TAB>result      the same for what follows "if"

Results are rewritten in place: "=VALUE" with \\xNN for what cannot be printed, "NONE" when nothing is found,
"ERR TEXT" when the expression is refused. Lines that begin with "#" are kept.
"""
import base64
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

CONFIG = """global
  setenv FOO bar
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
userlist ul
  group g1 users u1
  user u1 insecure-password p1
  user u2 insecure-password p2 groups g2
  group g2
frontend f
  bind unix@{sock}
  option http-buffer-request
  default_backend b
  acl named path -m found
{rules}
  http-request return status 200 content-type text/plain lf-string "%[var(txn.v,none),concat(),base64] %[var(txn.found)]"
backend b
  server s 127.0.0.1:1 weight 5
"""


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def rule(text, i, guard=""):
    """Rules that put the value of an expression, or Y or N for a condition, into a variable."""
    if not text.startswith("? "):
        return [f"  http-request set-var(txn.v) {quote(text)}{guard}"]
    held = f"  http-request set-var(txn.c{i}) str(Y) if {text[2:]}"
    return [held, f"  http-request set-var(txn.v) var(txn.c{i},N){guard}"]


class Haproxy:
    def __init__(self, binary, directory):
        self.binary, self.dir = binary, directory
        self.sock = os.path.join(directory, "sock")
        self.conf = os.path.join(directory, "cfg")

    def write(self, rules):
        with open(self.conf, "w") as f:
            f.write(CONFIG.format(sock=self.sock, rules="\n".join(rules)))

    def refused(self, expr):
        """What HAProxy says about an expression that it refuses."""
        self.write(rule(expr, 0))
        r = subprocess.run([self.binary, "-c", "-f", self.conf], capture_output=True)
        if r.returncode == 0:
            return None
        alerts = [line for line in r.stderr.decode("latin1").splitlines() if line.startswith("[ALERT]")]
        text = re.sub(r"^\[ALERT\]\s+\(\d+\) : (config : )?(parsing \[[^]]*\] ?: )?", "", alerts[0])
        text = re.sub(r"^error detected in frontend 'f' while parsing '[^']*' rule : ", "", text)
        return re.sub(r"^error detected while parsing an '[^']*' condition : ", "", text).removesuffix(".")

    def ask(self, request):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.sock)
            s.sendall(request)
            data = b""
            while chunk := s.recv(65536):
                data += chunk
        return data

    def evaluate(self, exprs, head, body):
        results, rules = {}, []
        for i, e in enumerate(exprs):
            if (why := self.refused(e)) is not None:
                results[i] = "ERR " + why
            else:
                rules += rule(e, i, f" if {{ req.hdr(x-n) -m str {i} }}")
        rules.append("  http-request set-var(txn.found) bool(1) if { var(txn.v) -m found }")
        self.write(rules)
        process = subprocess.Popen([self.binary, "-f", self.conf], stderr=subprocess.DEVNULL)
        try:
            for _ in range(100):
                try:
                    socket.socket(socket.AF_UNIX).connect(self.sock)
                    break
                except OSError:
                    time.sleep(0.05)
            for i in range(len(exprs)):
                if i in results:
                    continue
                lines = head + [f"x-n: {i}", "connection: close"]
                if body:
                    lines.append(f"content-length: {len(body)}")
                answer = self.ask("\r\n".join(lines).encode("latin1") + b"\r\n\r\n" + body)
                start, _, text = answer.partition(b"\r\n\r\n")
                value, _, found = text.partition(b" ")
                if not start.startswith(b"HTTP/1.1 200"):
                    results[i] = "REFUSED"
                elif found != b"1":
                    results[i] = "NONE"
                else:
                    results[i] = "=" + show(base64.b64decode(value))
        finally:
            process.terminate()
            process.wait()
        return [results[i] for i in range(len(exprs))]


def show(data):
    return "".join(chr(c) if 32 <= c < 127 and c != 92 else f"\\x{c:02x}" for c in data)


def main():
    binary, path = sys.argv[1:]
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    out, block, head, body = [], [], ["GET /p HTTP/1.1", "Host: h"], b""
    with tempfile.TemporaryDirectory() as directory:
        haproxy = Haproxy(binary, directory)

        def flush():
            exprs = [e for e in block if e]
            out.extend(f"{e}\t{r}" for e, r in zip(exprs, haproxy.evaluate(exprs, head, body)))
            block.clear()

        for line in lines:
            if line[:1] in ("@", ">", "<", "#") or not line:
                flush()
                out.append(line)
                if line.startswith("@"):
                    head, body = [line[2:]], b""
                elif line.startswith(">"):
                    head.append(line[2:])
                elif line.startswith("<"):
                    body = line[2:].encode("latin1")
            else:
                block.append(line.split("\t")[0])
        flush()
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
