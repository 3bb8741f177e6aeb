//! `http-errors` sections (manual 12.4).

use super::proxy;
use crate::keyword::Table;
use crate::model::HttpErrors;
use crate::parse::ctx::Ctx;
use crate::parse::kw::{Kw, MANY, run};
use crate::parse::line::Line;

/// The keywords.
pub(crate) static KEYWORDS: Table<Kw<HttpErrors>> =
    Table::new(&[run("errorfile", (0, MANY), "", errorfile, "File with an error document.")]);

fn errorfile(cx: &mut Ctx<'_>, s: &mut HttpErrors, line: &Line<'_>) {
    if let Some(decl) = proxy::errorfile(cx, line) {
        s.files.push(decl);
    }
}
