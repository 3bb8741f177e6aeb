//! What servers answer, and what HAProxy 3.4 makes of it.

use super::*;
use hawser_cfg::model::MysqlDialect;
use proptest::prelude::*;

/// The outcome of a whole conversation, and what was sent.
fn talk(check: &ServiceCheck, answers: &[&[u8]]) -> (Answer, Vec<Vec<u8>>) {
    let (mut sent, mut answers) = (Vec::new(), answers.iter());
    let mut last = Answer::More;
    for step in &script(check).steps {
        match &step.action {
            Action::Send(Data::Fixed(bytes)) => sent.push(bytes.clone()),
            Action::Answer(reading) => {
                let whole = answers.next().copied();
                let data = whole.unwrap_or_default();
                // Byte by byte: what has not come yet is waited for.
                let mut read = (0..data.len()).map(|n| (reading.read)(&some(&data[..n], false, step.number)));
                if let Some(early) = read.find(|a| *a != Answer::More) {
                    last = early;
                } else {
                    last = (reading.read)(&some(data, whole.is_none(), step.number));
                }
                if last == Answer::More {
                    last = (reading.read)(&some(data, true, step.number));
                }
                if matches!(last, Answer::Bad(..)) {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    (last, sent)
}

fn some(data: &[u8], ended: bool, step: u32) -> Received<'_> {
    Received { data, ended, step }
}

fn outcome(check: &ServiceCheck, answers: &[&[u8]]) -> Answer {
    talk(check, answers).0
}

fn good(code: u16, text: &str) -> Answer {
    Answer::Good(Some(code), text.into())
}

fn refused(code: u16, text: &str) -> Answer {
    Answer::refused(code, text)
}

fn wrong(text: &str) -> Answer {
    Answer::wrong(text)
}

#[test]
fn redis_servers() {
    let check = ServiceCheck::Redis;
    let (end, sent) = talk(&check, &[b"+PONG\r\n"]);
    assert_eq!((end, sent), (good(0, "Redis server is ok"), vec![b"*1\r\n$4\r\nPING\r\n".to_vec()]));
    assert_eq!(outcome(&check, &[b"-ERR x\r\n"]), refused(0, "-ERR x"));
    assert_eq!(outcome(&check, &[b"+PONGxxxx"]), refused(0, "+PONGxxxx"));
    assert_eq!(outcome(&check, &[]), refused(0, ""));
}

#[test]
fn smtp_servers() {
    let check = ServiceCheck::Smtp("EHLO me.org".into());
    let (end, sent) = talk(&check, &[b"220 hi\r\n", b"250-a\r\n250 b\r\n", b"221 bye\r\n"]);
    assert_eq!((end, sent), (good(221, "bye"), vec![b"EHLO me.org\r\n".to_vec(), b"QUIT\r\n".to_vec()]));
    assert_eq!(outcome(&check, &[b"220-a\r\n220 b\r\n", b"250\r\n", b"221\r\n"]), good(221, ""));
    assert_eq!(outcome(&check, &[b"554 no\r\n"]), refused(554, "no"));
    assert_eq!(outcome(&check, &[b"220 hi\r\n", b"500 what\r\n"]), refused(500, "what"));
    assert_eq!(outcome(&check, &[b"220 hi\r\n", b"250 ok\r\n", b"500 x\r\n"]), refused(500, "x"));
    assert_eq!(outcome(&check, &[b"220 hi\r\n", b"250 ok\r\n"]), refused(0, ""));
    assert_eq!(outcome(&check, &[b"hello\r\n"]), wrong("hello"));
    assert_eq!(outcome(&check, &[b"22"]), wrong("22"));
    assert_eq!(outcome(&check, &[]), wrong(""));
}

#[test]
fn postgresql_servers() {
    let check = ServiceCheck::Pgsql("bob".into());
    let (end, sent) = talk(&check, &[b"R\0\0\0\x08\0\0\0\0"]);
    let startup = b"\0\0\0\x12\0\x03\0\0user\0bob\0\0".to_vec();
    assert_eq!((end, sent), (good(0, "PostgreSQL server is ok"), vec![startup]));
    let md5 = b"R\0\0\0\x0c\0\0\0\x05\xaa\xbb\xcc\xdd";
    assert_eq!(outcome(&check, &[md5]), good(0, "PostgreSQL server is ok"));
    assert_eq!(outcome(&check, &[b"E\0\0\0\x1aSFATAL\0C28000\0Mno way\0\0"]), wrong("FATAL"));
    for strange in [&b"xxxxxxxxxxxx"[..], b"R\0\0", b""] {
        assert_eq!(outcome(&check, &[strange]), refused(0, "PostgreSQL unknown error"), "{strange:?}");
    }
}

#[test]
fn ldap_servers() {
    let check = ServiceCheck::Ldap;
    let bound = |code| [0x30, 12, 2, 1, 1, 0x61, 7, 0x0a, 1, code, 4, 0, 4, 0];
    assert_eq!(outcome(&check, &[&bound(0)]), good(0, ""));
    let long = [0x30, 0x84, 0, 0, 0, 16, 2, 1, 1, 0x61, 0x84, 0, 0, 0, 7, 0x0a, 1, 0, 4, 0, 4, 0];
    assert_eq!(outcome(&check, &[&long]), good(0, ""));
    let rfc = "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9";
    assert_eq!(outcome(&check, &[&bound(49)]), refused(49, rfc));
    for strange in [&b"xxxxxxxxxxxxxxxxx"[..], b"", &[0x30, 12, 2, 1, 2], &[0x30, 0xff, 0]] {
        assert_eq!(outcome(&check, &[strange]), wrong("Not LDAPv3 protocol"), "{strange:?}");
    }
}

#[test]
fn tls_servers() {
    let check = ServiceCheck::Tls;
    let (end, sent) = talk(&check, &[&[0x16, 3, 3, 0, 74, 2]]);
    assert_eq!(end, Answer::Good(None, String::new()));
    let hello = &sent[0];
    assert_eq!(hello.len(), 5 + usize::from(u16::from_be_bytes([hello[3], hello[4]])));
    assert_eq!(hello[..12], [0x16, 3, 0, 0, 0x79, 1, 0, 0, 0x75, 3, 0, b'h']);
    assert_eq!(outcome(&check, &[&[0x15, 3, 0, 0, 2, 2, 40]]), Answer::Good(None, String::new()));
    let bad = |text: &str| Answer::Bad(Status::L6Rsp, None, text.into());
    assert_eq!(outcome(&check, &[b"HTTP/1.0 400 Bad\r\n"]), bad(""));
    assert_eq!(outcome(&check, &[]), bad("TCPCHK got an empty response at step 2"));
}

fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    [&[payload.len() as u8, 0, 0, number][..], payload].concat()
}

#[test]
fn mysql_servers() {
    let hello = packet(0, b"\x0a5.7.30\0\x01\0\0\0abcdefgh\0\xff\xf7");
    let full = packet(0, b"\xff\x10\x04#28000Too many connections");
    let check = ServiceCheck::Mysql(None);
    assert_eq!(outcome(&check, &[&hello]), good(0, ""));
    assert_eq!(outcome(&check, &[&full]), refused(1040, "#28000Too many connections"));
    assert_eq!(outcome(&check, &[b"HTTP/1.1 400 xxxxxxxxxxx\r\n"]), wrong(""));
    assert_eq!(outcome(&check, &[b"\x05"]), wrong(""));
    assert_eq!(outcome(&check, &[]), wrong("TCPCHK got an empty response at step 2"));

    let login = |dialect| ServiceCheck::Mysql(Some(MysqlLogin { user: "bob".into(), dialect }));
    let check = login(MysqlDialect::Post41);
    let (ok, denied) = (packet(2, &[0, 0, 0, 2, 0, 0, 0]), packet(2, b"\xff\x15\x04#28000Access denied"));
    let other_way = packet(2, b"\xfecaching_sha2_password\0abc\0");
    let (end, sent) = talk(&check, &[&hello, &ok]);
    let quit = b"\x01\0\0\0\x01";
    let post = [&b"%\0\0\x01\0\x82\0\0\0\x80\0\x01!"[..], &[0; 23], b"bob\0\0", quit].concat();
    assert_eq!((end, sent), (good(0, ""), vec![post]));
    assert_eq!(outcome(&check, &[&hello, &other_way]), good(0, ""));
    assert_eq!(outcome(&check, &[&hello, &denied]), refused(1045, "#28000Access denied"));
    assert_eq!(outcome(&check, &[&full]), refused(1040, "#28000Too many connections"));
    assert_eq!(outcome(&check, &[&hello]), wrong(""));
    let pre = [&b"\x0a\0\0\x01\0\x80\0\0\x01bob\0\0"[..], quit].concat();
    assert_eq!(talk(&login(MysqlDialect::Pre41), &[&hello, &ok]).1, vec![pre]);
    let plugin = b"bob\0\0mysql_native_password\0";
    let last = [&b";\0\0\x01\0\x82\x08\0\0\x80\0\x01!"[..], &[0; 23], plugin, quit].concat();
    assert_eq!(talk(&login(MysqlDialect::Post80), &[&hello, &ok]).1, vec![last]);
}

#[test]
fn spop_agents() {
    let check = ServiceCheck::Spop;
    let frame = |kind: u8, fields: &[u8]| {
        let body = [&[kind, 0, 0, 0, 1, 0, 0][..], fields].concat();
        [&(body.len() as u32).to_be_bytes()[..], &body].concat()
    };
    let size = b"\x0emax-frame-size\x03\xfc\xf0\x06\x0ccapabilities\x08\0";
    let ours = [&b"\x12supported-versions\x08\x032.0"[..], size, b"\x0bhealthcheck\x11"].concat();
    let (end, sent) = talk(&check, &[&frame(101, &[&b"\x07version\x08\x032.0"[..], size].concat())]);
    assert_eq!((end, sent), (good(0, ""), vec![frame(1, &ours)]));
    let told = |fields: &[&[u8]]| outcome(&check, &[&frame(101, &fields.concat())]);
    assert_eq!(told(&[b"\x07version\x08\x039.0", size]), wrong("unsupported version"));
    assert_eq!(told(&[size]), wrong("version value not found"));
    assert_eq!(told(&[b"\x07version\x08\x032.0"]), wrong("max-frame-size value not found"));
    assert_eq!(told(&[b"\x07version"]), wrong("invalid frame received"));
    let goodbye = frame(102, b"\x0bstatus-code\x03\x05\x07message\x08\x03bad");
    assert_eq!(outcome(&check, &[&goodbye]), wrong("bad"));
    assert_eq!(outcome(&check, &[b"\0\0\0\x08xxxxxxxx"]), wrong("invalid frame received"));
    assert_eq!(outcome(&check, &[b"\0\xff\xff\xffxxxxxxxx"]), wrong("invalid frame received"));
    assert_eq!(outcome(&check, &[b"\0\0"]), wrong(""));
    assert_eq!(outcome(&check, &[]), wrong("TCPCHK got an empty response at step 3"));
}

proptest! {
    #[test]
    fn whatever_comes_is_read(data in prop::collection::vec(any::<u8>(), 0..80), start in 0usize..6) {
        let starts: [&[u8]; 6] = [b"", b"\0\0\0\x20\x65\0\0\0\x01\0\0", b"\x30\x0c\x02\x01\x01\x61", b"220", b"E\0\0\0", b"\x10\0\0\0"];
        let data = [starts[start], &data].concat();
        let login = MysqlLogin { user: "u".into(), dialect: MysqlDialect::Post41 };
        for check in [
            ServiceCheck::Redis, ServiceCheck::Ldap, ServiceCheck::Spop, ServiceCheck::Tls,
            ServiceCheck::Smtp("HELO a".into()), ServiceCheck::Pgsql("u".into()), ServiceCheck::Mysql(Some(login)),
        ] {
            // Once everything has come, there is nothing left to wait for.
            prop_assert_ne!(outcome(&check, &[&data, &data, &data]), Answer::More);
        }
    }
}
