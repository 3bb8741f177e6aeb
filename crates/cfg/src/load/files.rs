//! Which files make up a configuration, and what they hold.

use crate::diag::{Diags, Severity};
use crate::octets;
use crate::pos::{FileId, Pos};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most that is read from something that is no regular file: a device or a pipe may never end.
const MAX_STREAM: u64 = 10 << 20;

/// Something to load.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, or a directory whose `*.cfg` files are loaded in lexical order.
    Path(PathBuf),
    /// A text that is in memory already.
    Text {
        /// The name for messages and `.FILE`.
        name: String,
        /// The content.
        data: Vec<u8>,
    },
}

/// One file that was loaded, kept for messages that show its lines.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The name as given.
    pub name: Arc<str>,
    /// Its content; see [`crate::octets`] for bytes that are not UTF-8. Columns count bytes of this text.
    pub text: Arc<str>,
}

/// All files of a configuration, by [`FileId`].
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// In the order in which they are loaded.
    pub list: Vec<SourceFile>,
}

impl Files {
    /// Opens and reads all sources. What cannot be read is an alert, and missing from the result: then nothing
    /// should be parsed. A directory without configuration files gives no file and no alert.
    pub fn read(sources: &[Source], diags: &mut Diags) -> Self {
        let mut files = Self::default();
        for source in sources {
            match source {
                Source::Text { name, data } => files.add(name, data),
                Source::Path(path) => files.add_path(path, diags),
            }
        }
        files
    }

    /// The name of a file, for messages.
    pub fn name(&self, id: FileId) -> &str {
        self.list.get(usize::from(id.0)).map_or("", |f| &f.name)
    }

    /// The names of all files, separated by semicolons as in `HAPROXY_CFGFILES`.
    pub fn names(&self) -> String {
        self.list.iter().map(|f| &*f.name).collect::<Vec<_>>().join(";")
    }

    /// The source line at a position, without its line feed.
    pub fn line(&self, pos: Pos) -> Option<&str> {
        let file = self.list.get(usize::from(pos.file.0))?;
        let index = usize::try_from(pos.line.checked_sub(1)?).ok()?;
        file.text.split('\n').nth(index)
    }

    fn add(&mut self, name: &str, data: &[u8]) {
        self.list.push(SourceFile { name: name.into(), text: octets::encode(data).into() });
    }

    fn add_path(&mut self, path: &Path, diags: &mut Diags) {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(e) => return cannot("Cannot open configuration file/directory", path, &e, diags),
        };
        if !metadata.is_dir() {
            return self.add_file(path, metadata.is_file(), diags);
        }
        match directory(path) {
            Ok(paths) => paths.iter().for_each(|p| self.add_file(p, true, diags)),
            Err(e) => cannot("Cannot open configuration directory", path, &e, diags),
        }
    }

    fn add_file(&mut self, path: &Path, regular: bool, diags: &mut Diags) {
        let limit = if regular { u64::MAX } else { MAX_STREAM + 1 };
        let mut data = Vec::new();
        let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut data));
        match read {
            Err(e) => cannot("Could not open configuration file", path, &e, diags),
            Ok(n) if !regular && n as u64 > MAX_STREAM => {
                let text = format!("Loading {}: input is too large, limited to 10MB.", path.display());
                diags.push(Severity::Alert, None, text);
            }
            Ok(_) if self.list.len() > usize::from(u16::MAX) => {
                diags.push(Severity::Alert, None, format!("Loading {}: too many files.", path.display()));
            }
            Ok(_) => self.add(&octets::encode(path.as_os_str().as_bytes()), &data),
        }
    }
}

/// The configuration files of a directory, sorted by the bytes of their names.
fn directory(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let bytes = name.as_bytes();
        if bytes.ends_with(b".cfg") && !bytes.starts_with(b".") && fs::metadata(entry.path())?.is_file() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names.iter().map(|name| path.join(name)).collect())
}

fn cannot(what: &str, path: &Path, error: &io::Error, diags: &mut Diags) {
    let mut why = error.to_string();
    if let Some(at) = why.find(" (os error") {
        why.truncate(at);
    }
    diags.push(Severity::Alert, None, format!("{what} {} : {why}", path.display()));
}
