//! From configuration lines to a script.

use super::{Action, Connect, Data, Expect, Match, Request, Script, Step, parse_expect, unhex};
use crate::protocol;
use crate::status::Status;
use hawser_cfg::diag::Diags;
use hawser_cfg::model::{CheckKind, Config, Proxy, RuleLine};
use hawser_cfg::pos::Word;
use hawser_sample::logformat::Flavor;
use hawser_sample::{Checkpoint, CompileCx, LogFormat};

/// What [`compile`] collects.
struct Building<'a, 'c> {
    cx: CompileCx<'c>,
    http: bool,
    script: Script,
    /// Comment line waiting for its step.
    comment: Option<String>,
    /// The request of `option httpchk`, until a `send` takes it over.
    pending: Option<Request>,
    /// Steps read so far, comments included.
    count: u32,
    proxy: &'a Proxy,
}

/// Compiles the check of a backend. Errors are alerts in `diags`, those in rules of another kind of check too.
pub(crate) fn compile(config: &Config, index: usize, proxy: &Proxy, diags: &mut Diags) -> Script {
    let http = matches!(proxy.check_kind, CheckKind::Http(_));
    if !http {
        begin(config, index, proxy, true, diags).rules("http-check", false);
    }
    if !matches!(proxy.check_kind, CheckKind::TcpRules) {
        begin(config, index, proxy, false, diags).rules("tcp-check", false);
    }
    let keyword = match &proxy.check_kind {
        CheckKind::Http(_) => "http-check",
        CheckKind::TcpRules => "tcp-check",
        CheckKind::Tcp => return Script::default(),
        CheckKind::Service(check) => return protocol::script(check),
    };
    let mut b = begin(config, index, proxy, http, diags);
    if let CheckKind::Http(words) = &proxy.check_kind {
        b.pending = b.httpchk(words);
    }
    b.rules(keyword, true);
    b.finish()
}

fn begin<'a, 'c>(
    config: &'c Config,
    index: usize,
    proxy: &'a Proxy,
    http: bool,
    diags: &'c mut Diags,
) -> Building<'a, 'c> {
    let mut cx = CompileCx::new(config, diags);
    let keyword = if http { "http-check" } else { "tcp-check" };
    (cx.proxy, cx.at, cx.what) = (Some(index), Some(Checkpoint::TcpCheck), keyword.into());
    let script = Script { http, ..Script::default() };
    Building { cx, http, script, comment: None, pending: None, count: 0, proxy }
}

type Parsed<T> = Result<T, String>;

impl<'c> Building<'_, 'c> {
    /// Reads the rules of a kind. What is not there yet matters only where it is used.
    fn rules(&mut self, keyword: &str, used: bool) {
        let proxy = self.proxy;
        for line in
            proxy.check_rules.iter().filter(|l| l.words.first().is_some_and(|w| w.as_str() == keyword))
        {
            self.cx.pos = line.pos;
            if let Err(text) = self.rule(line)
                && (used || !text.contains("not supported yet"))
            {
                self.cx.diags.alert(line.pos, text);
            }
        }
    }

    fn httpchk(&mut self, words: &[Word]) -> Option<Request> {
        let word = |i: usize| words.get(i);
        let mut r = Request::default();
        match (word(0), word(1)) {
            (Some(uri), None) => r.uri = Data::Fixed(uri.octets().into_owned()),
            (Some(method), Some(uri)) => {
                r.method = method.as_str().into();
                r.uri = Data::Fixed(uri.octets().into_owned());
            }
            _ => {}
        }
        if let Some(version) = word(2) {
            r.version = version.as_str().into();
        }
        if let Some(host) = word(3) {
            match self.format(host) {
                Ok(f) => r.headers.push(("host".into(), f)),
                Err(text) => _ = self.cx.diags.alert(self.proxy.pos, format!("'option httpchk' : {text}")),
            }
        }
        Some(r)
    }

    fn rule(&mut self, line: &RuleLine) -> Parsed<()> {
        let (kw, action) = (line.words[0].as_str(), line.words.get(1).map_or("", |w| w.as_str()));
        let args = line.words.get(2..).unwrap_or_default();
        let within = |text: String| format!("'{kw} {action}' : {text}.");
        match action {
            "disable-on-404" => self.script.disable_on_404 = true,
            "send-state" => self.script.send_state = true,
            "comment" => {
                let text =
                    args.first().ok_or_else(|| format!("'{kw} comment' : expects a string as argument."))?;
                self.comment = Some(text.as_str().into());
                self.count += 1;
            }
            "connect" => {
                if self.script.steps.iter().any(|s| !matches!(s.action, Action::Connect(_)))
                    && self.script.first_connect().is_none()
                {
                    return Err(within(format!(
                        "first step MUST also be a 'connect', optionally preceded by a 'set-var', an 'unset-var' or \
                         a 'comment', when there is a 'connect' step in the {kw} ruleset"
                    )));
                }
                let (connect, comment) = self.connect(args).map_err(within)?;
                self.flush_request();
                self.push(Action::Connect(connect), comment);
            }
            "send" if self.http => {
                let request = self.send_http(args).map_err(within)?;
                let (request, comment) = request;
                self.push(Action::Request(Box::new(request)), comment);
            }
            "send" | "send-lf" | "send-binary" | "send-binary-lf" => {
                let (data, comment) = self.send(action, args).map_err(within)?;
                self.push(Action::Send(data), comment);
            }
            "expect" => {
                self.take_request();
                let (expect, comment) = parse_expect::parse(&mut self.cx, self.http, args).map_err(within)?;
                self.push(Action::Expect(Box::new(expect)), comment);
            }
            _ => return Err(format!("'{kw} {action}' is not supported yet (variables of health checks)")),
        }
        Ok(())
    }

    fn push(&mut self, action: Action, comment: Option<String>) {
        self.count += 1;
        let comment = comment.or_else(|| self.comment.take());
        self.script.explicit = true;
        self.script.steps.push(Step { number: self.count, action, comment });
    }

    /// The request of `option httpchk`, before an expectation that no `send` precedes.
    fn take_request(&mut self) {
        if let Some(r) = self.pending.take() {
            let step = Step { number: 0, action: Action::Request(Box::new(r)), comment: None };
            self.script.steps.push(step);
        }
    }

    /// The same before a second connection: the request belongs to the first one.
    fn flush_request(&mut self) {
        if self.script.first_connect().is_some() {
            self.take_request();
        }
    }

    fn connect(&mut self, args: &[Word]) -> Parsed<(Connect, Option<String>)> {
        let (mut c, mut comment) = (Connect::default(), None);
        let mut words = args.iter().map(Word::as_str);
        while let Some(word) = words.next() {
            match word {
                "default" => {}
                "port" => {
                    let port = words
                        .next()
                        .ok_or("'port' expects a port number or a sample expression as argument.")?;
                    c.port = Some(self.port(port)?);
                }
                "addr" => {
                    let addr = words.next().ok_or("'addr' expects an address as argument.")?;
                    let ip = addr.parse().map_err(|_| format!("'addr' : '{addr}' is not an address."))?;
                    c.addr = Some(ip);
                }
                "send-proxy" => c.send_proxy = true,
                "linger" => c.linger = true,
                "comment" => comment = Some(words.next().ok_or("expects a comment.")?.into()),
                "ssl" | "sni" | "alpn" => return Err(format!("'{word}' is not supported yet (TLS)")),
                "via-socks4" => return Err("'via-socks4' is not supported yet (SOCKS4)".into()),
                "proto" => match words.next() {
                    Some("h1" | "none") => {}
                    other => {
                        return Err(format!("'proto {}' is not supported yet", other.unwrap_or_default()));
                    }
                },
                _ => {
                    return Err(format!(
                        "expects 'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn' or 'via-socks4', \
                         'linger', 'default' but got '{word}' as argument."
                    ));
                }
            }
        }
        Ok((c, comment))
    }

    fn port(&mut self, word: &str) -> Parsed<u16> {
        let wrong = || {
            format!("expects a valid TCP port (from range 1 to 65535) or a sample expression, got {word}.")
        };
        match word.parse::<i64>() {
            Ok(n) => u16::try_from(n).ok().filter(|n| *n != 0).ok_or_else(wrong),
            Err(_) => {
                Err(format!("port expression '{word}' is not supported yet (expressions in health checks)"))
            }
        }
    }

    fn send(&mut self, action: &str, args: &[Word]) -> Parsed<(Data, Option<String>)> {
        let Some(text) = args.first().filter(|w| !w.is_empty()) else {
            return Err("'string' expects a send as argument".into());
        };
        let data = match action {
            "send" => Data::Fixed(text.octets().into_owned()),
            "send-lf" => self.format(text)?,
            "send-binary" => Data::Fixed(unhex(text.as_bytes()).ok_or_else(|| {
                format!("'{text}' invalid binary string (an even number of hex digit is expected)")
            })?),
            _ => match self.format(text)? {
                Data::Format(f) => Data::HexFormat(f),
                other => other,
            },
        };
        Ok((data, comment_only(args.get(1..).unwrap_or_default())?))
    }

    fn send_http(&mut self, args: &[Word]) -> Parsed<(Request, Option<String>)> {
        let first = self.pending.take();
        let since_connect =
            self.script.steps.iter().rev().take_while(|s| !matches!(s.action, Action::Connect(_)));
        if first.is_none() && since_connect.count() > 0 {
            return Err(format!(
                "unable to add http-check send rule at step {} (missing connect rule).",
                self.count + 1
            ));
        }
        let (mut r, mut comment) = (first.unwrap_or_default(), None);
        let mut words = args.iter();
        let missing = |w: &str| format!("'{w}' expects an argument.");
        while let Some(word) = words.next() {
            match word.as_str() {
                "meth" => r.method = words.next().ok_or_else(|| missing(word))?.as_str().into(),
                "uri" => {
                    r.uri = Data::Fixed(words.next().ok_or_else(|| missing(word))?.octets().into_owned())
                }
                "uri-lf" => r.uri = self.format(words.next().ok_or_else(|| missing(word))?)?,
                "ver" => r.version = words.next().ok_or_else(|| missing(word))?.as_str().into(),
                "hdr" => {
                    let (Some(name), Some(value)) = (words.next(), words.next()) else {
                        return Err("'hdr' expects <name> and <value> as arguments".into());
                    };
                    let name = name.to_ascii_lowercase();
                    if name == "host" {
                        r.headers.retain(|h| h.0 != "host");
                    }
                    r.headers.push((name, self.format(value)?));
                }
                "body" => {
                    let body = words.next().ok_or_else(|| missing(word))?.octets().into_owned();
                    r.body = Some(Data::Fixed(body));
                }
                "body-lf" => r.body = Some(self.format(words.next().ok_or_else(|| missing(word))?)?),
                "comment" => comment = Some(words.next().ok_or_else(|| missing(word))?.as_str().into()),
                _ => {
                    return Err(format!(
                        "expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' but got \
                         '{word}' as argument."
                    ));
                }
            }
        }
        Ok((r, comment))
    }

    fn format(&mut self, text: &str) -> Parsed<Data> {
        let f = LogFormat::parse(&mut self.cx, text, Flavor::Value).map_err(|e| e.to_string())?;
        Ok(match f.fixed() {
            Some(bytes) => Data::Fixed(bytes.to_vec()),
            None => Data::Format(f),
        })
    }

    /// Adds what HTTP checks imply: the request, and an expectation of 2xx or 3xx after the last one.
    fn finish(mut self) -> Script {
        if !self.http {
            return self.script;
        }
        self.take_request();
        let steps = &mut self.script.steps;
        if !matches!(steps.last().map(|s| &s.action), Some(Action::Expect(_))) {
            let expect = Expect {
                negate: false,
                what: Match::Codes(vec![(200, 399)]),
                min_recv: None,
                ok: Status::L7Ok,
                error: None,
                timeout: Status::L7Tout,
                on_success: None,
                on_error: None,
                status_code: None,
            };
            let number = self.count.max(1) + 1;
            steps.push(Step { number, action: Action::Expect(Box::new(expect)), comment: None });
        }
        self.script
    }
}

fn comment_only(args: &[Word]) -> Parsed<Option<String>> {
    match args {
        [] => Ok(None),
        [c, text, ..] if c.as_str() == "comment" => Ok(Some(text.as_str().into())),
        [other, ..] => Err(format!("expects 'comment' but got '{other}' as argument.")),
    }
}
