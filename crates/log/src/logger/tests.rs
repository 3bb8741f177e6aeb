use super::*;
use std::net::UdpSocket;
use std::time::Duration;

fn target(receiver: &UdpSocket) -> LogTarget {
    LogTarget {
        pos: Default::default(),
        global: false,
        clear: false,
        addr: Some(LogAddr::Udp(receiver.local_addr().unwrap())),
        len: 1024,
        format: Some("priority".into()),
        sample: None,
        profile: None,
        facility: 16,
        level: 7,
        min_level: 0,
    }
}

fn receiver() -> UdpSocket {
    let r = UdpSocket::bind("127.0.0.1:0").unwrap();
    r.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    r
}

/// What was sent until now. The kernel hands datagrams over when it gets to it: one of our own comes last.
fn received(r: &UdpSocket) -> Vec<String> {
    r.send_to(b"that is all", r.local_addr().unwrap()).unwrap();
    let mut buf = [0; 2048];
    let line = std::iter::repeat_with(|| {
        let n = r.recv(&mut buf).unwrap();
        String::from_utf8(buf[..n].to_vec()).unwrap()
    });
    line.take_while(|l| l != "that is all").collect()
}

fn compile(global: &Global, logs: &[LogTarget], tag: Option<&str>) -> Logger {
    let mut diags = Diags::default();
    let logger = Logger::compile(&mut diags, global, logs, tag);
    assert!(!diags.has_alert(), "{:?}", diags.list);
    logger
}

#[test]
fn levels_are_filtered_and_capped() {
    let r = receiver();
    let log = LogTarget { level: 5, min_level: 3, ..target(&r) };
    let logger = compile(&Global::default(), &[log], None);
    for level in 0..8 {
        logger.send(level, format!("l{level}").as_bytes());
    }
    assert_eq!(received(&r), ["<131>l0\n", "<131>l1\n", "<131>l2\n", "<131>l3\n", "<132>l4\n", "<133>l5\n"]);
}

#[test]
fn samples_take_their_ranges_of_each_cycle() {
    let r = receiver();
    let log = LogTarget { sample: Some((vec![(1, 1), (3, 4)], 5)), ..target(&r) };
    let logger = compile(&Global::default(), &[log], None);
    for n in 1..=12 {
        logger.send(6, n.to_string().as_bytes());
    }
    let got: Vec<_> = received(&r).iter().map(|l| l["<134>".len()..].trim().to_owned()).collect();
    assert_eq!(got, ["1", "3", "4", "6", "8", "9", "11"]);
}

#[test]
fn log_global_stands_for_the_global_lines_and_no_log_clears() {
    let (a, b) = (receiver(), receiver());
    let global = Global { logs: vec![target(&a)], ..Default::default() };
    let to_global = LogTarget { global: true, addr: None, ..target(&a) };
    let clear = LogTarget { clear: true, addr: None, ..target(&a) };
    compile(&global, &[to_global.clone(), target(&b)], None).send(6, b"both");
    compile(&global, &[target(&a), clear, target(&b)], None).send(6, b"b only");
    assert_eq!(received(&a), ["<134>both\n"]);
    assert_eq!(received(&b), ["<134>both\n", "<134>b only\n"]);
    assert!(compile(&Global::default(), &[to_global], None).is_empty());
}

#[test]
fn tags_and_host_names_are_inherited() {
    let r = receiver();
    let log = LogTarget { format: None, ..target(&r) };
    let global =
        Global { log_tag: Some("lb".into()), log_send_hostname: Some("h1".into()), ..Default::default() };
    compile(&global, std::slice::from_ref(&log), None).send(6, b"x");
    compile(&global, std::slice::from_ref(&log), Some("px")).send(6, b"x");
    compile(&Global::default(), &[log], None).send(6, b"x");
    let got = received(&r);
    assert!(got[0].contains(" h1 lb["), "{got:?}");
    assert!(got[1].contains(" h1 px["), "{got:?}");
    assert!(got[2].contains(&format!(" {}[", program_name())), "{got:?}");
}

#[test]
fn what_cannot_be_sent_is_counted() {
    let path = std::env::temp_dir().join("hawser-no-such-log-socket");
    let r = receiver();
    let log = LogTarget { addr: Some(LogAddr::Unix(path)), ..target(&r) };
    let logger = compile(&Global::default(), &[log, target(&r)], None);
    let before = dropped_logs();
    logger.send(6, b"x");
    assert!(dropped_logs() > before);
    assert_eq!(received(&r), ["<134>x\n"]);
}

#[test]
fn what_is_not_built_is_refused() {
    let r = receiver();
    for log in [
        LogTarget { addr: Some(LogAddr::Ring("r".into())), ..target(&r) },
        LogTarget { addr: Some(LogAddr::Backend("b".into())), ..target(&r) },
        LogTarget { profile: Some("p".into()), ..target(&r) },
        LogTarget { format: Some("rfc9999".into()), ..target(&r) },
    ] {
        let mut diags = Diags::default();
        assert!(Logger::compile(&mut diags, &Global::default(), &[log], None).is_empty());
        assert!(diags.has_alert());
    }
}
