use super::*;
use std::sync::Arc;

fn row() -> Row {
    let name: Arc<str> = "be".into();
    let mut row = Row::new(Object::Backend, &name, 3, "BACKEND", 0);
    row.set(Col::Act, 2_u32);
    row.set(Col::Status, "UP");
    row.set(Col::Cookie, "a,\"b\"".to_owned());
    row.set(Col::Lastsess, -1);
    row.set(Col::H1SplicedBytesOut, 1_u64 << 40);
    row.finish()
}

#[test]
fn every_line_of_csv_has_as_many_fields_as_the_header() {
    let text = print(&[row()], Format::Csv);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("# pxname,svname,qcur,") && lines[0].contains(",resbout,-,ssl_sess,"));
    let plain = lines[1].replace("\"a,\"\"b\"\"\"", "x");
    assert!(plain != lines[1], "{plain}");
    assert_eq!(plain.matches(',').count(), lines[0].matches(',').count());
    let fields: Vec<_> = plain.split(',').collect();
    assert_eq!((fields[0], fields[17], fields[19], fields[55]), ("be", "UP", "2", "-1"));
    assert_eq!((fields[118], fields[144]), ("-", "1099511627776"));
    assert!(plain.ends_with(','));
}

#[test]
fn typed_lines_say_what_a_value_is() {
    let text = print(&[row()], Format::Typed { described: false });
    assert!(text.starts_with("B.3.0.0.pxname.1:KNSV:str:be\nB.3.0.1.svname.1:KNSV:str:BACKEND\n"));
    assert!(text.contains("\nB.3.0.19.act.1:MGPV:u32:2\n"), "the tags of a backend");
    assert!(text.ends_with("\nB.3.0.143.h1_spliced_bytes_out.1:MCPV:u64:1099511627776\n"));
    let text = print(&[row()], Format::Typed { described: true });
    assert!(text.contains("pxname.1:KNSV:str:be:\"Name of the proxy\"\n"));
}

#[test]
fn json_nests_rows() {
    let text = print(&[row(), row()], Format::Json);
    let head = "[[{\"objType\":\"Backend\",\"proxyId\":3,\"id\":0,\"field\":{\"pos\":0,\"name\":\"pxname\"},\
                \"processNum\":1,\"tags\":{\"origin\":\"Key\",\"nature\":\"Name\",\"scope\":\"Service\"},\
                \"value\":{\"type\":\"str\",\"value\":\"be\"}},{";
    assert!(text.starts_with(head), "{text}");
    assert!(text.contains("\"value\":\"a,\\\"b\\\"\"}") && text.contains("}],[{") && text.ends_with("}]]\n"));
}
