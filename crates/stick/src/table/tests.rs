use super::*;
use hawser_cfg::model::Stored;

fn conf(size: u32, expire: Option<u32>) -> StickTable {
    let of = |data, period| Stored { data, count: 1, period };
    StickTable {
        name: "t".into(),
        size,
        expire,
        store: vec![of(DataType::ConnCur, 0), of(DataType::Gpc0, 0), of(DataType::BytesInRate, 1000)],
        ..StickTable::default()
    }
}

fn table(size: u32, expire: Option<u32>) -> Arc<Table> {
    Arc::new(Table::new(&conf(size, expire), false))
}

fn key(n: u32) -> [u8; 4] {
    n.to_be_bytes()
}

fn keys(t: &Table, now: u64) -> Vec<u32> {
    let mut all: Vec<_> =
        t.entries(now).iter().map(|e| u32::from_be_bytes(e.key().try_into().unwrap())).collect();
    all.sort();
    all
}

#[test]
fn entries_expire_unless_they_are_refreshed() {
    let t = table(10, Some(100));
    let a = t.find_or_make(&key(1), 0).unwrap();
    t.find_or_make(&key(2), 50).unwrap();
    assert_eq!((t.used(99), t.remaining(&a, 40), t.idle(&a, 40)), (2, 60, 40));
    t.refresh(&a, 90);
    assert!(t.find(&key(2), 150).is_none(), "its time is over");
    assert_eq!((keys(&t, 150), t.used(150), t.used(190)), (vec![1], 1, 0));
    let again = t.find_or_make(&key(1), 200).unwrap();
    assert!(!Arc::ptr_eq(&a, &again), "forgotten with what it counted");
    assert!(t.remove(&a), "one that is not in any more");
    assert_eq!(t.used(200), 1);
}

#[test]
fn looking_does_not_refresh() {
    let t = table(10, Some(100));
    t.find_or_make(&key(1), 0).unwrap();
    assert!(t.find(&key(1), 99).is_some());
    assert!(t.find(&key(1), 100).is_none());
}

#[test]
fn the_least_recently_refreshed_makes_room() {
    for size in [3, 300] {
        let t = table(size, None);
        for n in 0..size {
            let entry = t.find_or_make(&key(n), n.into()).unwrap();
            assert_eq!(t.add(&entry, DataType::Gpc0, 0, 1, n.into()), Some(1));
        }
        t.refresh(&t.find(&key(0), 400).unwrap(), 400);
        t.find_or_make(&key(1000), 401).unwrap();
        assert!(t.find(&key(0), 401).is_some() && t.find(&key(1), 401).is_none(), "{size}");
        assert_eq!(t.used(401), size);
    }
}

#[test]
fn tracked_entries_stay() {
    let t = table(2, Some(100));
    let tracked = t.track(&key(1), 0).unwrap();
    tracked.begin(0);
    let second = t.track(&key(2), 1).unwrap();
    assert!(t.find_or_make(&key(3), 2).is_none(), "both are in use");
    assert!(!t.remove(tracked.entry()));
    assert_eq!((t.used(5000), tracked.entry().users()), (2, 1), "expired, in use");
    drop(second);
    assert!(t.find(&key(1), 5000).is_some() && t.find(&key(2), 5000).is_none());
    assert_eq!(t.read(tracked.entry(), DataType::ConnCur, 0, 0), Some(1));
    let entry = tracked.entry().clone();
    drop(tracked);
    assert_eq!((t.read(&entry, DataType::ConnCur, 0, 0), entry.users()), (Some(0), 0));
}

#[test]
fn what_is_as_good_as_over_keeps_nothing() {
    let t = table(1, None);
    let mut counters = crate::Counters::default();
    counters.set(2, t.track(&key(1), 0).unwrap());
    let entry = counters.get(2).unwrap().entry().clone();
    counters.get(2).unwrap().begin(0);
    counters.release();
    counters.release();
    assert_eq!((entry.users(), t.read(&entry, DataType::ConnCur, 0, 0)), (0, Some(1)));
    assert!(t.find_or_make(&key(2), 1).is_some());
    drop(counters);
    assert_eq!((entry.users(), t.read(&entry, DataType::ConnCur, 0, 0)), (0, Some(0)));
}

#[test]
fn nopurge_refuses_new_entries() {
    let t = Table::new(&StickTable { nopurge: true, ..conf(2, Some(100)) }, false);
    t.find_or_make(&key(1), 0).unwrap();
    t.find_or_make(&key(2), 50).unwrap();
    assert!(t.find_or_make(&key(3), 60).is_none());
    assert!(t.find_or_make(&key(3), 100).is_some(), "the first has expired");
    assert_eq!(keys(&t, 100), [2, 3]);
}

#[test]
fn what_is_refreshed_all_the_time_does_not_stall_eviction() {
    let t = table(200, None);
    for n in 0..200 {
        t.find_or_make(&key(n), 1).unwrap();
    }
    for n in 0..200 {
        t.refresh(&t.find(&key(n), 2).unwrap(), 10 + u64::from(n));
    }
    t.find_or_make(&key(1000), 300).unwrap();
    assert_eq!(t.used(300), 200);
    assert!(t.find(&key(199), 300).is_some());
}

#[test]
fn keys_are_brought_to_their_form() {
    let fit = |kind, key: &[u8]| {
        Table::new(&StickTable { key: kind, ..conf(1, None) }, false).fit(Key::from_slice(key)).to_vec()
    };
    assert_eq!(fit(KeyType::String(3), b"abcdef"), b"abc");
    assert_eq!(fit(KeyType::String(9), b"ab\0cd"), b"ab", "strings end at their first NUL");
    assert_eq!(fit(KeyType::Binary(4), b"ab"), b"ab\0\0");
    assert_eq!(fit(KeyType::Binary(1), b"ab"), b"a");
}

#[test]
fn rates_of_bytes_count_blocks() {
    let t = Table::new(&StickTable { brates_factor: 8, ..conf(1, None) }, false);
    let e = t.find_or_make(&key(1), 5).unwrap();
    t.add(&e, DataType::BytesInRate, 0, 17, 5);
    assert_eq!(t.read(&e, DataType::BytesInRate, 0, 5), Some(24));
}

#[test]
fn entries_are_shown_as_haproxy_does() {
    let t = Table::new(&StickTable { key: KeyType::String(9), ..conf(5, Some(1000)) }, true);
    let e = t.find_or_make(b"a b=\x01", 5).unwrap();
    t.set_server(&e, 7, "s7".into(), 10);
    t.add(&e, DataType::Gpc0, 0, 3, 10);
    let mut out = String::new();
    t.show_head(10, &mut out);
    t.show_entry(&e, 110, &mut out);
    let line = out.lines().nth(1).unwrap().split_once(": ").unwrap().1;
    assert!(out.starts_with("# table: t, type: string, size:5, used:1\n0x"), "{out}");
    assert_eq!(
        line,
        r"key=a\ b\=\x01 use=0 exp=900 shard=0 server_id=7 gpc0=3 conn_cur=0 bytes_in_rate(1000)=0 server_key=s7"
    );
}

#[test]
fn threads_meet_on_one_table() {
    let t = table(64, None);
    std::thread::scope(|s| {
        for thread in 0..4u32 {
            let t = &t;
            s.spawn(move || {
                for n in 0..2000u32 {
                    let tracked = t.track(&key((n * 7 + thread) % 100), n.into());
                    if let Some(tracked) = tracked {
                        tracked.begin(n.into());
                    }
                }
            });
        }
    });
    let all = t.entries(2000);
    assert_eq!(all.len(), t.used(2000) as usize);
    assert!(all.len() <= 64);
    for e in all {
        assert_eq!((e.users(), t.read(&e, DataType::ConnCur, 0, 2000)), (0, Some(0)));
    }
}

#[test]
fn many_entries_are_forgotten_bit_by_bit() {
    let t = table(10_000, Some(100));
    for n in 0..10_000 {
        t.find_or_make(&key(n), 0).unwrap();
    }
    let mut rounds = 0;
    while t.forget(100) {
        rounds += 1;
    }
    assert!(rounds > 1, "all at once");
    assert_eq!((t.used(100), t.entries(100).len()), (0, 0));
}
