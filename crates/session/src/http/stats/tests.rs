use super::*;

fn head(fields: &[(&str, &str)]) -> Head {
    let mut head = Head::request(b"POST", b"/s", Version::H11);
    fields.iter().for_each(|(name, value)| head.add(name.as_bytes(), value.as_bytes()));
    head
}

#[test]
fn orders_of_other_sites_are_recognised() {
    let host = ("Host", "lb.example:8080");
    let same = |field: (&str, &str)| same_origin(&head(&[host, field]));
    assert!(same_origin(&head(&[host])) && same_origin(&head(&[])));
    for own in ["http://lb.example:8080", "https://LB.example:8080"] {
        assert!(same(("Origin", own)), "{own}");
    }
    assert!(same(("Referer", "http://lb.example:8080/s;up?scope=x")));
    for other in [
        "null",
        "",
        "http://evil",
        "http://lb.example",
        "http://lb.example:80801",
        "http://u@lb.example:8080",
    ] {
        assert!(!same(("Origin", other)), "{other}");
    }
    assert!(!same(("Referer", "http://evil/lb.example:8080")));
    // What Origin says counts before what Referer says.
    assert!(!same_origin(&head(&[host, ("Referer", "http://lb.example:8080/"), ("Origin", "http://evil")])));
    assert!(!same_origin(&head(&[("Origin", "http://evil")])));
}
