//! Descriptions of replies: what `return`, `deny`, `tarpit` and `http-error` share.

use super::{Errors, section, section_replies};
use crate::args::Args;
use crate::rewrite::escape;
use bytes::Bytes;
use hawser_cfg::diag::{Layout, Severity};
use hawser_cfg::octets;
use hawser_http::chars::{is_safe_value, is_value};
use hawser_http::reply::error_statuses;
use hawser_http::status::reason;
use hawser_http::{Head, KnownName, Reply, Version};
use hawser_sample::{CompileCx, Ctx, Error, Flavor, LogFormat};
use std::sync::Arc;

/// A compiled description of a reply.
#[derive(Debug)]
pub struct ReplySpec {
    status: u16,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// The proxy's own reply for the status.
    Errors,
    /// The same every time; `None` is silence.
    Fixed(Option<Arc<Reply>>),
    /// Made each time.
    Made { content_type: Option<Box<[u8]>>, body: Body, fields: Vec<(Box<[u8]>, LogFormat)> },
}

#[derive(Debug)]
enum Body {
    Raw(Bytes),
    Format(LogFormat),
}

/// What the actions differ in.
#[derive(Clone, Copy, Debug)]
pub struct Defaults {
    /// Status when none is given.
    pub status: u16,
    /// Without arguments, or with `deny_status` alone, the proxy's error replies are meant.
    pub errors: bool,
}

/// What a declared error reply comes to.
pub(super) enum Made {
    /// This; `None` is silence.
    Reply(Option<Arc<Reply>>),
    /// The built-in message.
    Default,
}

impl ReplySpec {
    /// A reply that is the same every time.
    pub(super) fn fixed(status: u16, reply: Option<Reply>) -> Self {
        Self { status, content: Content::Fixed(reply.map(Arc::new)) }
    }

    /// Status that the reply stands for, in logs too; an error file may say another to the client.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Makes the reply; `None` closes the connection without a response.
    pub fn make(&self, errors: &Errors<'_>, ctx: &Ctx<'_>) -> Option<Arc<Reply>> {
        match self.make_here(ctx) {
            Made::Reply(r) => r,
            Made::Default => errors.reply(self.status, ctx),
        }
    }

    /// Makes the reply if it is one of its own.
    pub(super) fn make_here(&self, ctx: &Ctx<'_>) -> Made {
        match &self.content {
            Content::Errors => Made::Default,
            Content::Fixed(r) => Made::Reply(r.clone()),
            Content::Made { content_type, body, fields } => {
                let body = match body {
                    Body::Raw(b) => b.clone(),
                    Body::Format(f) => {
                        let mut out = Vec::new();
                        f.eval(ctx, &mut out);
                        Bytes::from(out)
                    }
                };
                let head = self.head(content_type.as_deref(), body.len(), fields, ctx);
                Made::Reply(Some(Arc::new(Reply { head, body, close: false })))
            }
        }
    }

    fn head(
        &self,
        content_type: Option<&[u8]>,
        len: usize,
        fields: &[(Box<[u8]>, LogFormat)],
        ctx: &Ctx<'_>,
    ) -> Head {
        let mut head = Head::response(Version::H11, self.status, reason(self.status).as_bytes());
        let mut value = Vec::new();
        for (name, format) in fields {
            value.clear();
            format.eval(ctx, &mut value);
            // A field without a value is none.
            if !value.is_empty() {
                head.add(name, &escape(&value, is_value));
            }
        }
        head.add(b"content-length", len.to_string().as_bytes());
        if let Some(t) = content_type {
            head.add(b"content-type", t);
        }
        head
    }

    /// Compiles the arguments of an action, up to a condition or a word that is none of them.
    ///
    /// # Errors
    /// HAProxy's text.
    pub fn parse(cx: &mut CompileCx<'_>, args: &mut Args<'_>, defaults: Defaults) -> Result<Self, Error> {
        let mut p = Parser::default();
        while let Some(word) = args.peek_arg() {
            if !p.argument(cx, args, word)? {
                break;
            }
        }
        p.finish(cx, defaults)
    }

    /// Compiles the words behind `http-error`.
    ///
    /// # Errors
    /// HAProxy's text.
    pub(super) fn parse_http_error(cx: &mut CompileCx<'_>, args: &mut Args<'_>) -> Result<Self, Error> {
        let mut p = Parser::default();
        while let Some(word) = args.peek() {
            if !p.argument(cx, args, word)? {
                return Err(Error::new(format!("unknown keyword '{word}'.")));
            }
        }
        let Some(status) = p.status else {
            return Err(Error::new("expects at least a <status> as arguments."));
        };
        let spec = p.finish(cx, Defaults { status, errors: false })?;
        if error_statuses().any(|s| s == status) {
            Ok(spec)
        } else {
            Err(Error::new(format!("status code '{status}' not handled.")))
        }
    }
}

/// Arguments seen so far.
#[derive(Default)]
struct Parser {
    status: Option<u16>,
    /// `deny_status` and nothing else about the content.
    deny_status: bool,
    content_type: Option<Box<[u8]>>,
    /// The word that chose the content, and the content.
    source: Option<(&'static str, Source)>,
    fields: Vec<(Box<[u8]>, LogFormat)>,
}

enum Source {
    Errors,
    File(Option<Arc<Reply>>),
    Section(String),
    Raw(Bytes),
    Format(LogFormat),
}

impl Parser {
    /// Takes one argument with its value; false if the word is none.
    fn argument(&mut self, cx: &mut CompileCx<'_>, args: &mut Args<'_>, word: &str) -> Result<bool, Error> {
        match word {
            "status" | "deny_status" => {
                args.advance();
                let code = value(args, "status", "<status_code>")?;
                let code = code.parse().unwrap_or(0);
                if !(200..=599).contains(&code) {
                    return Err(Error::new(format!("Unexpected status code '{code}'")).at(args.at() - 1));
                }
                self.status = Some(code);
                self.deny_status = word == "deny_status";
            }
            "content-type" => {
                args.advance();
                let t = value(args, word, "<ctype>")?;
                let t = octets::decode(t);
                if !is_safe_value(&t) {
                    return Err(Error::new("invalid character in the content type"));
                }
                self.content_type = Some(t.into());
            }
            "hdr" => {
                args.advance();
                self.field(cx, args)?;
            }
            _ => return self.source(cx, args, word),
        }
        Ok(true)
    }

    fn field(&mut self, cx: &mut CompileCx<'_>, args: &mut Args<'_>) -> Result<(), Error> {
        const USAGE: &str = "'hdr' expects <name> and <value> as arguments";
        if args.rest().len() < 2 {
            return Err(Error::new(USAGE));
        }
        let [name] = args.take(USAGE)?;
        let value = args.format(cx, USAGE)?;
        if !is_safe_value(name.as_bytes()) || name.is_empty() {
            return Err(Error::new(format!("invalid header name '{}'", name.escape_debug())));
        }
        use KnownName::{ContentLength, ContentType, TransferEncoding};
        if matches!(KnownName::of(name.as_bytes()), ContentLength | ContentType | TransferEncoding) {
            cx.diags.warning(cx.pos, format!("header '{name}' always ignored by the http reply."));
        } else {
            self.fields.push((octets::decode(name).into(), value));
        }
        Ok(())
    }

    /// Takes what says where the content comes from.
    fn source(&mut self, cx: &mut CompileCx<'_>, args: &mut Args<'_>, word: &str) -> Result<bool, Error> {
        const SOURCES: [&str; 7] =
            ["default-errorfiles", "errorfile", "errorfiles", "file", "lf-file", "string", "lf-string"];
        let Some(word) = SOURCES.into_iter().find(|s| *s == word) else { return Ok(false) };
        if let Some((first, _)) = &self.source {
            return Err(Error::new(format!("unexpected '{word}' argument, '{first}' already defined")));
        }
        args.advance();
        let source = match word {
            "default-errorfiles" => Source::Errors,
            "errorfile" => {
                let path = value(args, word, "<fmt>")?;
                let reply = Reply::parse(&read(cx, path)?);
                let reply = reply.map_err(|e| Error::new(format!("'{path}': {e}")))?;
                Source::File(reply.map(Arc::new))
            }
            "errorfiles" => Source::Section(value(args, word, "<name>")?.to_owned()),
            "file" => Source::Raw(read(cx, value(args, word, "<file>")?)?.into()),
            "lf-file" => {
                let text = read(cx, value(args, word, "<file>")?)?;
                Source::Format(LogFormat::parse(cx, &octets::encode(&text), Flavor::Value)?)
            }
            "string" => Source::Raw(octets::decode(value(args, word, "<str>")?).into_owned().into()),
            _ => {
                let text = value(args, word, "<fmt>")?;
                Source::Format(LogFormat::parse(cx, text, Flavor::Value).map_err(|e| e.at(args.at() - 1))?)
            }
        };
        self.source = Some((word, source));
        Ok(true)
    }

    fn finish(mut self, cx: &mut CompileCx<'_>, defaults: Defaults) -> Result<ReplySpec, Error> {
        let bare = self.source.is_none() && self.fields.is_empty() && self.content_type.is_none();
        if bare && defaults.errors && (self.status.is_none() || self.deny_status) {
            self.source = Some(("default-errorfiles", Source::Errors));
        }
        let status = self.status.unwrap_or(defaults.status);
        let content = match self.source.take().map(|s| s.1) {
            Some(Source::Errors) => {
                self.ignored(cx, "when used with an errorfile");
                if !error_statuses().any(|s| s == status) {
                    return Err(Error::new(format!(
                        "status code '{status}' not handled by default with 'default-errorfiles' argument."
                    )));
                }
                Content::Errors
            }
            Some(Source::File(reply)) => {
                self.ignored(cx, "when used with an errorfile");
                Content::Fixed(reply)
            }
            Some(Source::Section(name)) => {
                self.ignored(cx, "when used with an errorfile");
                from_section(cx, &name, status)
            }
            Some(Source::Raw(body)) if body.is_empty() => self.made(None, Body::Raw(body)),
            Some(Source::Raw(body)) => {
                let t = self.needed_type()?;
                self.made(Some(t), Body::Raw(body))
            }
            Some(Source::Format(f)) if f.is_empty() => self.made(None, Body::Raw(Bytes::new())),
            Some(Source::Format(f)) => {
                let t = self.needed_type()?;
                self.made(Some(t), Body::Format(f))
            }
            None => {
                if let Some(t) = self.content_type.take() {
                    let t = String::from_utf8_lossy(&t).into_owned();
                    cx.diags.warning(
                        cx.pos,
                        format!(
                            "content-type '{t}' ignored by the http reply because neither errorfile nor payload defined."
                        ),
                    );
                }
                self.made(None, Body::Raw(Bytes::new()))
            }
        };
        Ok(ReplySpec { status, content }.settle())
    }

    fn needed_type(&mut self) -> Result<Box<[u8]>, Error> {
        self.content_type
            .take()
            .ok_or_else(|| Error::new("a content type must be defined when non-empty payload is configured"))
    }

    fn made(&mut self, content_type: Option<Box<[u8]>>, body: Body) -> Content {
        Content::Made { content_type, body, fields: std::mem::take(&mut self.fields) }
    }

    /// Warns about arguments without effect.
    fn ignored(&self, cx: &mut CompileCx<'_>, why: &str) {
        if let Some(t) = &self.content_type {
            let t = String::from_utf8_lossy(t).into_owned();
            cx.diags.warning(cx.pos, format!("content-type '{t}' ignored by the http reply {why}."));
        }
        if !self.fields.is_empty() {
            cx.diags.warning(cx.pos, format!("hdr parameters ignored by the http reply {why}."));
        }
    }
}

impl ReplySpec {
    /// Makes a reply now that would be the same every time.
    fn settle(mut self) -> Self {
        if let Content::Made { body, fields, .. } = &self.content {
            let body_fixed = match body {
                Body::Raw(_) => true,
                Body::Format(f) => f.fixed().is_some(),
            };
            let fixed = body_fixed && fields.iter().all(|f| f.1.fixed().is_some());
            if let (true, Made::Reply(r)) = (fixed, self.make_here(&Ctx::EMPTY)) {
                self.content = Content::Fixed(r);
            }
        }
        self
    }
}

/// `errorfiles NAME` of an action.
fn from_section(cx: &mut CompileCx<'_>, name: &str, status: u16) -> Content {
    let proxy = cx.proxy.and_then(|p| cx.config.proxies.get(p)).map_or("", |p| &*p.name);
    let empty = Content::Made { content_type: None, body: Body::Raw(Bytes::new()), fields: Vec::new() };
    let Some(s) = section(cx, name) else {
        let text =
            format!("Proxy '{proxy}': unknown http-errors section '{name}' referenced by an http reply .");
        cx.diags.push(Severity::Alert, None, text).layout = Layout::Plain;
        return empty;
    };
    if let Some((_, reply)) = section_replies(s).find(|r| r.0 == status) {
        return Content::Fixed(reply.map(Arc::new));
    }
    let text = format!(
        "Proxy '{proxy}': status '{status}' referenced by an http reply not declared in http-errors section '{name}'."
    );
    cx.diags.push(Severity::Warning, None, text).layout = Layout::Plain;
    empty
}

/// The value of an argument.
fn value<'a>(args: &mut Args<'a>, word: &str, what: &str) -> Result<&'a str, Error> {
    args.advance().ok_or_else(|| Error::new(format!("'{word}' expects {what} as argument")))
}

fn read(cx: &CompileCx<'_>, path: &str) -> Result<Vec<u8>, Error> {
    std::fs::read(cx.config.path(cx.pos, path))
        .map_err(|_| Error::new(format!("error opening file '{path}'")))
}

#[cfg(test)]
mod tests;
