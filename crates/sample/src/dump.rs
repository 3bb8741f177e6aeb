//! `-dKacl`, `-dKcnv`, `-dKsmp`: the keyword tables in HAProxy's format.

use crate::args::ArgSpec;
use crate::checkpoint::{CHECKPOINT_NAMES, CHECKPOINTS};
use crate::registry::Registry;
use std::fmt::Write as _;

impl Registry {
    /// Appends the list of ACL keywords.
    pub fn dump_acls(&self, out: &mut String) {
        out.push_str("# List of registered ACL keywords:\n");
        for a in self.all_acls() {
            line(out, format_args!("{} = {} -m {}", a.name, a.fetch, a.method));
        }
    }

    /// Appends the list of converters.
    pub fn dump_converters(&self, out: &mut String) {
        out.push_str("# List of registered sample converter functions:\n");
        for c in self.all_converters() {
            let args = signature(c.args);
            line(out, format_args!("{}{args}: {} => {}", c.meta.name, c.out.name(), c.input.name()));
        }
    }

    /// Appends the list of fetches with the matrix of places where they are usable.
    pub fn dump_fetches(&self, out: &mut String) {
        out.push_str("# List of registered sample fetch functions:\n");
        for (i, name) in CHECKPOINT_NAMES.iter().enumerate() {
            let pad = " ".repeat(CHECKPOINTS + 1 - i);
            let bars = "/ ".repeat(i);
            let dashes = "-".repeat(CHECKPOINTS - i);
            line(out, format_args!("#{pad}{bars}_.{dashes} {name}"));
        }
        line(out, format_args!("# {} ", "/ ".repeat(CHECKPOINTS)));
        line(out, format_args!("# {}", "| ".repeat(CHECKPOINTS)));
        for f in self.all_fetches() {
            let v = f.src.validity().0;
            let marks: String =
                (0..CHECKPOINTS).map(|i| if v & (1 << i) != 0 { "Y " } else { ". " }).collect();
            line(out, format_args!("[ {marks}] {}{}: {}", f.meta.name, signature(f.args), f.out.name()));
        }
    }
}

/// Appends a line.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

/// `(string[,integer])`, nothing without arguments.
fn signature(spec: ArgSpec) -> String {
    let min = usize::from(spec.min).min(spec.types.len());
    let names = |t: &[crate::args::ArgType]| t.iter().map(|t| t.name()).collect::<Vec<_>>().join(",");
    let (must, may) = (names(&spec.types[..min]), names(&spec.types[min..]));
    match (must.is_empty(), may.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!("({must})"),
        (true, false) => format!("([{may}])"),
        (false, false) => format!("({must}[,{may}])"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The interface facts of HAProxy 3.4.0: names, arguments, types, places.
    const FETCHES: &str = include_str!("../testdata/fetches.txt");
    const CONVERTERS: &str = include_str!("../testdata/converters.txt");
    const ACLS: &str = include_str!("../testdata/acls.txt");

    /// Both lists, without their order: names sort differently there.
    fn check(dump: &str, expected: &str) {
        let sorted = |s: &str| {
            let mut v: Vec<String> = s.lines().filter(|l| !l.starts_with('#')).map(str::to_owned).collect();
            v.sort();
            v
        };
        let (ours, theirs) = (sorted(dump), sorted(expected));
        let extra: Vec<_> = ours.iter().filter(|l| !theirs.contains(l)).collect();
        let missing: Vec<_> = theirs.iter().filter(|l| !ours.contains(l)).collect();
        assert_eq!((extra, missing), (Vec::new(), Vec::new()));
    }

    #[test]
    fn fetches_are_those_of_haproxy() {
        let mut s = String::new();
        Registry::builtin().dump_fetches(&mut s);
        check(&s, FETCHES);
        assert!(s.starts_with(
            "# List of registered sample fetch functions:\n#                       _.----------------------"
        ));
        assert!(s.contains("\n# / / / / / / / / / / / / / / / / / / / / / /  \n# | | | | | | | | | | | | | | | | | | | | | | \n"));
    }

    #[test]
    fn converters_are_those_of_haproxy() {
        let mut s = String::new();
        Registry::builtin().dump_converters(&mut s);
        check(&s, CONVERTERS);
    }

    #[test]
    fn acl_keywords_are_those_of_haproxy() {
        let mut s = String::new();
        Registry::builtin().dump_acls(&mut s);
        check(&s, ACLS);
    }

    #[test]
    fn dumps_keep_the_order_of_the_reference() {
        let mut s = String::new();
        Registry::builtin().dump_converters(&mut s);
        let ours: Vec<&str> = s.lines().skip(1).collect();
        let theirs: Vec<&str> = CONVERTERS.lines().collect();
        assert_eq!(ours, theirs);
    }

    #[test]
    fn optional_arguments_are_bracketed() {
        use crate::args::ArgType::{Sint, Str};
        for (min, types, want) in [
            (0, &[][..], ""),
            (1, &[Str][..], "(string)"),
            (0, &[Str, Sint][..], "([string,integer])"),
            (1, &[Str, Sint][..], "(string[,integer])"),
        ] {
            assert_eq!(signature(ArgSpec { min, types }), want);
        }
    }
}
