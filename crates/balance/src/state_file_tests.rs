//! Files as they are, and as they should not be.

use super::*;

const LINE: &str = "3 be 1 s1 127.0.0.1 2 0 3 5 77 1 0 0 0 0 0 0 - 7091 - 0 0 - - 0\n";

fn parse(text: &str) -> Result<States, Broken> {
    States::parse(text, None, &mut Vec::new())
}

#[test]
fn whole_files() {
    let text = format!("1\n# be_id be_name\n\n{LINE}  {LINE}");
    let states = parse(&text).unwrap();
    assert_eq!(states.unused().collect::<Vec<_>>(), ["s1"]);
    assert_eq!(states.last_address("be", "s1"), Some("127.0.0.1".parse().unwrap()));
    assert_eq!((states.last_address("be", "s2"), states.last_address("b2", "s1")), (None, None));
    // The fields after the twentieth came with later releases.
    let short = LINE.trim_end().split(' ').take(20).collect::<Vec<_>>().join(" ");
    assert!(parse(&format!("1\n{short}\n")).is_ok());
}

#[test]
fn broken_files() {
    let few = LINE.trim_end().split(' ').take(19).collect::<Vec<_>>().join(" ");
    for (text, why) in [
        (String::new(), Broken::Empty),
        ("1".into(), Broken::Version),
        ("foo\n".into(), Broken::Version),
        (format!("2\n{LINE}"), Broken::Version),
        (format!("1\r\n{LINE}"), Broken::Version),
        (format!("1\n#\n{few}\n"), Broken::Line(2)),
        (format!("1\n{}", LINE.trim_end()), Broken::Line(1)),
        (format!("1\n{} more\n", LINE.trim_end()), Broken::Line(1)),
    ] {
        assert_eq!(parse(&text).err(), Some(why), "{text:?}");
    }
}

#[test]
fn local_files_belong_to_somebody() {
    let owned = |name, id| {
        let mut warnings = Vec::new();
        let owner = Owner { name, id };
        let states = States::parse(&format!("1\n{LINE}"), Some(owner), &mut warnings).unwrap();
        (states.unused().count(), warnings)
    };
    assert_eq!(owned("be", 3), (1, Vec::new()));
    assert_eq!(owned("other", 9), (0, Vec::new()));
    let mismatch = "Proxy 'be': backend ID mismatch: from server state file: '3', from running config '4'";
    assert_eq!(owned("be", 4), (1, vec![mismatch.to_owned()]));
    let mismatch =
        "Proxy 'b2': backend name mismatch: from server state file: 'be', from running config 'b2'";
    assert_eq!(owned("b2", 3), (0, vec![mismatch.to_owned()]));
}

#[test]
fn fields_are_looked_at_before_anything_is_done() {
    let state = |line: &str| {
        let fields = line.split(' ').skip(NAMES).map(str::to_owned).collect();
        State::parse(&Line { fields }).map(|_| ()).unwrap_err()
    };
    let bad = LINE.trim_end().replace(" 2 0 3 5 77 ", " 9 9 300 500 xx ");
    assert_eq!(
        state(&bad),
        ", invalid srv_op_state value '9', invalid srv_admin_state value '9', invalid srv_uweight value '300', \
         invalid srv_iweight value '500', invalid srv_last_time_change value 'xx'"
    );
    let ours = |line: &str| {
        let fields = line.split(' ').skip(NAMES).map(str::to_owned).collect();
        State::parse(&Line { fields }).is_ok()
    };
    // What is inherited or found out again may be there.
    assert!(ours(LINE.trim_end()) && ours(&LINE.trim_end().replace(" 2 0 3 ", " 2 114 3 ")));
}

proptest::proptest! {
    #[test]
    fn any_file_is_read_or_refused(lines in proptest::collection::vec("[ -~\\t]{0,80}", 0..6), nl: bool) {
        let text = format!("1\n{}{}", lines.join("\n"), if nl { "\n" } else { "" });
        if let Ok(states) = parse(&text) {
            for line in states.lines.values() {
                let _ = State::parse(line);
            }
        }
    }
}
