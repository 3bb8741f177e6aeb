//! Error replies: which response stands for a status in a proxy (manual 4.2: `errorfile`, `errorloc`, `errorfiles`,
//! `http-error`; 12.4: `http-errors`).

pub mod spec;

use crate::args::Args;
use bytes::Bytes;
use hawser_cfg::diag::Severity;
use hawser_cfg::model::{ErrorDecl, ErrorKind, HttpErrors};
use hawser_cfg::octets;
use hawser_cfg::pos::Pos;
use hawser_http::reply::error_statuses;
use hawser_http::status::reason;
use hawser_http::{Head, Reply, Version};
use hawser_sample::{CompileCx, Ctx};
use spec::{Made, ReplySpec};
use std::sync::{Arc, LazyLock};

/// The error replies that one proxy declares.
#[derive(Debug, Default)]
pub struct ErrorReplies {
    /// By status, few of them.
    list: Vec<(u16, ReplySpec)>,
}

impl ErrorReplies {
    /// Compiles the declarations of a proxy; a later one for the same status wins. Errors go to the context's
    /// diagnostics.
    pub fn compile(cx: &mut CompileCx<'_>, decls: &[ErrorDecl]) -> Self {
        let mut replies = Self::default();
        for decl in decls {
            cx.pos = decl.pos;
            "http-error".clone_into(&mut cx.what);
            replies.declare(cx, decl);
        }
        replies
    }

    fn declare(&mut self, cx: &mut CompileCx<'_>, decl: &ErrorDecl) {
        match &decl.kind {
            ErrorKind::File { code, path, data } => match Reply::parse(data) {
                Ok(r) => self.set(*code, ReplySpec::fixed(*code, r)),
                Err(e) => drop(cx.diags.alert(decl.pos, format!("errorfile : '{path}': {e}"))),
            },
            ErrorKind::Loc { code, status, url } => {
                self.set(*code, ReplySpec::fixed(*code, Some(moved(*status, url))));
            }
            ErrorKind::Files { section, codes } => self.files(cx, decl.pos, section, codes),
            ErrorKind::HttpError(words) => {
                let mut args = Args::new(words, 0);
                match ReplySpec::parse_http_error(cx, &mut args) {
                    Ok(spec) => self.set(spec.status(), spec),
                    Err(e) => {
                        let d = cx.diags.alert(decl.pos, format!("http-error : {e}"));
                        d.suggestion = e.suggestion;
                    }
                }
            }
        }
    }

    /// `errorfiles NAME [codes]`.
    fn files(&mut self, cx: &mut CompileCx<'_>, pos: Pos, name: &str, codes: &[u16]) {
        let proxy = cx.proxy.and_then(|p| cx.config.proxies.get(p)).map_or("", |p| &*p.name);
        // The check of names has told when there is none.
        let Some(section) = section(cx, name) else { return };
        for (code, reply) in section_replies(section).filter(|r| codes.is_empty() || codes.contains(&r.0)) {
            self.set(code, ReplySpec::fixed(code, reply));
        }
        for code in codes.iter().filter(|c| !section_replies(section).any(|r| r.0 == **c)) {
            let text =
                format!("proxy '{proxy}' : status '{code}' not declared in http-errors section '{name}'");
            cx.diags.push(Severity::Warning, Some(pos), text);
        }
    }

    fn set(&mut self, status: u16, spec: ReplySpec) {
        self.list.retain(|r| r.0 != status);
        self.list.push((status, spec));
    }

    fn get(&self, status: u16) -> Option<&ReplySpec> {
        self.list.iter().find(|r| r.0 == status).map(|r| &r.1)
    }
}

/// The `http-errors` section of that name.
fn section<'c>(cx: &CompileCx<'c>, name: &str) -> Option<&'c HttpErrors> {
    cx.config.http_errors.iter().find(|s| *s.name == *name)
}

/// What a section declares, by status. Files that are no replies were reported while the section was parsed.
fn section_replies(section: &HttpErrors) -> impl Iterator<Item = (u16, Option<Reply>)> {
    section.files.iter().rev().filter_map(|d| match &d.kind {
        ErrorKind::File { code, data, .. } => Some((*code, Reply::parse(data).ok()?)),
        ErrorKind::Loc { code, status, url } => Some((*code, Some(moved(*status, url)))),
        ErrorKind::Files { .. } | ErrorKind::HttpError(_) => None,
    })
}

/// `errorloc302` and `errorloc303`.
fn moved(status: u16, url: &str) -> Reply {
    let mut head = Head::response(Version::H11, status, reason(status).as_bytes());
    head.add(b"cache-control", b"no-cache");
    head.add(b"content-length", b"0");
    head.add(b"location", &crate::rewrite::escape(&octets::decode(url), hawser_http::chars::is_value));
    Reply { head, body: Bytes::new(), close: false }
}

/// The built-in messages, made once.
static BUILTIN: LazyLock<Vec<(u16, Arc<Reply>)>> =
    LazyLock::new(|| error_statuses().filter_map(|s| Some((s, Arc::new(Reply::builtin(s)?)))).collect());

/// The built-in message of a status; that of 500 for those that have none.
pub(crate) fn builtin(status: u16) -> Option<Arc<Reply>> {
    let find = |status| BUILTIN.iter().find(|r| r.0 == status).map(|r| r.1.clone());
    find(status).or_else(|| find(500))
}

/// The error replies in force for a stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Errors<'a> {
    /// Those of the backend, once chosen.
    pub backend: Option<&'a ErrorReplies>,
    /// Those of the frontend.
    pub frontend: Option<&'a ErrorReplies>,
}

impl Errors<'_> {
    /// The reply for a status: the backend's, else the frontend's, else the built-in one. `None` closes the
    /// connection without a response.
    pub fn reply(&self, status: u16, ctx: &Ctx<'_>) -> Option<Arc<Reply>> {
        let declared = [self.backend, self.frontend].into_iter().flatten().find_map(|r| r.get(status));
        match declared.map(|spec| spec.make_here(ctx)) {
            Some(Made::Reply(r)) => r,
            Some(Made::Default) | None => builtin(status),
        }
    }
}

#[cfg(test)]
mod tests;
