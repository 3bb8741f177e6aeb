use super::*;
use Normalizer::{
    DecodeUnreserved, FragmentEncode, FragmentStrip, MergeSlashes, SortQuery, StripDot, StripDotdot,
    ToUppercase,
};

fn check(n: Normalizer, cases: &[(&str, &str)]) {
    for (before, after) in cases {
        let got = n.apply(before.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(got).unwrap(), *after, "{n:?} {before}");
    }
}

#[test]
fn slashes_are_merged_in_the_path_only() {
    check(
        MergeSlashes,
        &[
            ("/foo/bar", "/foo/bar"),
            ("/foo//bar", "/foo/bar"),
            ("///foo///bar///", "/foo/bar/"),
            ("///", "/"),
            ("//foo?bar=///", "/foo?bar=///"),
        ],
    );
}

#[test]
fn dots_are_dropped() {
    check(
        StripDot,
        &[
            ("/", "/"),
            ("/.", "/"),
            ("/./", "/"),
            ("/a/.", "/a/"),
            ("/a.", "/a."),
            ("/.a", "/.a"),
            ("/a/./a", "/a/a"),
            ("/./bar/", "/bar/"),
            ("/././.", "/"),
            ("/a/../a", "/a/../a"),
            ("/.well-known/", "/.well-known/"),
            ("/?a=/./", "/?a=/./"),
        ],
    );
}

#[test]
fn double_dots_are_merged_with_what_precedes_them() {
    //               as it comes            merged                 full
    let cases = [
        ("/foo/bar", "/foo/bar", "/foo/bar"),
        ("/foo/..", "/", "/"),
        ("/foo/../", "/", "/"),
        ("/foo/bar/../", "/foo/", "/foo/"),
        ("/foo/../bar", "/bar", "/bar"),
        ("/foo/../../bar/", "/../bar/", "/bar/"),
        ("/foo//../../bar/", "/bar/", "/bar/"),
        ("/foo//../", "/foo/", "/foo/"),
        ("/../bar/", "/../bar/", "/bar/"),
        ("/..", "/../", "/"),
        ("/bar/../../", "/../", "/"),
        ("/../../a/..", "/../../", "/"),
        ("/foo/%2E%2E/", "/foo/%2E%2E/", "/foo/%2E%2E/"),
        ("/foo/../?bar=/foo/../", "/?bar=/foo/../", "/?bar=/foo/../"),
    ];
    for (before, merged, full) in cases {
        check(StripDotdot { full: false }, &[(before, merged)]);
        check(StripDotdot { full: true }, &[(before, full)]);
    }
}

#[test]
fn percent_codes_are_decoded_or_raised() {
    for strict in [false, true] {
        check(
            DecodeUnreserved { strict },
            &[
                ("/a?a=a", "/a?a=a"),
                ("/%61?%61=%61", "/a?a=a"),
                ("/%3F?foo=bar", "/%3F?foo=bar"),
                ("/%7e%2d", "/~-"),
            ],
        );
        check(ToUppercase { strict }, &[("/%aa?a=%aB", "/%AA?a=%AB"), ("/aa", "/aa")]);
    }
    check(
        DecodeUnreserved { strict: false },
        &[("/%%36%36", "/%66"), ("/%ZZ", "/%ZZ"), ("/%", "/%"), ("/%4", "/%4")],
    );
    check(ToUppercase { strict: false }, &[("/%zz?a=%zz", "/%zz?a=%zz"), ("/%a", "/%a")]);
    for broken in ["/%zz", "/%%36%36", "/%", "/%4", "/?%"] {
        assert_eq!(DecodeUnreserved { strict: true }.apply(broken.as_bytes()), Err(Broken), "{broken}");
        assert_eq!(ToUppercase { strict: true }.apply(broken.as_bytes()), Err(Broken), "{broken}");
    }
}

#[test]
fn fragments_are_stripped_or_encoded() {
    check(FragmentStrip, &[("/#foo", "/"), ("/%23foo", "/%23foo"), ("/?a#b?c", "/?a")]);
    check(FragmentEncode, &[("/#foo/#foo", "/%23foo/%23foo"), ("/%23foo", "/%23foo"), ("/", "/")]);
}

#[test]
fn parameters_are_sorted_by_name_and_keep_their_order_otherwise() {
    check(
        SortQuery,
        &[
            ("/?z=z&a=a", "/?a=a&z=z"),
            ("/?c&b&a&z&x&y", "/?a&b&c&x&y&z"),
            ("/?aaaa=&a=&aa=&aaa=", "/?a=&aa=&aaa=&aaaa="),
            ("/?a=5&a=3&a=1&a=2&a=4", "/?a=5&a=3&a=1&a=2&a=4"),
            ("/?a=5&b=3&a=1&a=2&b=4", "/?a=5&a=1&a=2&b=3&b=4"),
            ("/", "/"),
            ("/?", "/?"),
            ("/?b&&a", "/?&a&b"),
            ("/?b&a&", "/?a&b"),
        ],
    );
}
