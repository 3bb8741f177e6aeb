//! `show schema json`: what `show info json` and `show stat json` look like, as a JSON schema.

use std::fmt::Write;

/// The schema. Its text is an interface of its own: members, order and spacing are HAProxy's.
pub fn schema() -> String {
    let mut out = String::from("{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"oneOf\":[");
    let shared = refs(&["field", "processNum", "tags"]);
    let info = format!("{shared},{}", reference("value", "typedValue"));
    array(&mut out, "Info", &info, &["field", "processNum", "tags", "value"]);
    out.push(',');
    let object = "\"objType\":{\"enum\":[\"Frontend\",\"Backend\",\"Listener\",\"Server\",\"Unknown\"]}";
    let ids = "\"proxyId\":{\"type\":\"integer\",\"minimum\":0},\"id\":{\"type\":\"integer\",\"minimum\":0}";
    let stat = format!("{object},{ids},{shared},{}", reference("typedValue", "typedValue"));
    let required = ["objType", "proxyId", "id", "field", "processNum", "tags", "value"];
    array(&mut out, "Stat", &stat, &required);
    out.push_str(
        ",{\"title\":\"Error\",\"type\":\"object\",\"properties\":{\"errorStr\":{\"type\":\"string\"}},\
         \"required\":[\"errorStr\"]}],\"definitions\":{",
    );
    definitions(&mut out);
    out.push_str("}}\n");
    out
}

fn array(out: &mut String, title: &str, properties: &str, required: &[&str]) {
    let _ = write!(
        out,
        "{{\"title\":\"{title}\",\"type\":\"array\",\"items\":{{\"title\":\"InfoItem\",\"type\":\"object\",\
         \"properties\":{{{properties}}},{}}}}}",
        list("required", required)
    );
}

fn reference(name: &str, to: &str) -> String {
    format!("\"{name}\":{{\"$ref\":\"#/definitions/{to}\"}}")
}

fn refs(names: &[&str]) -> String {
    names.iter().map(|n| reference(n, n)).collect::<Vec<_>>().join(",")
}

fn list(name: &str, words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|w| format!("\"{w}\"")).collect();
    format!("\"{name}\":[{}]", words.join(","))
}

fn definitions(out: &mut String) {
    let origins = list("enum", &["Metric", "Status", "Key", "Config", "Product", "Unknown"]);
    let scopes = list("enum", &["Cluster", "Process", "Service", "System", "Unknown"]);
    // The space before the last word is there in HAProxy's text.
    let natures = "\"enum\":[\"Gauge\",\"Limit\",\"Min\",\"Max\",\"Rate\",\"Counter\",\"Duration\",\"Age\",\"Time\",\
                   \"Name\",\"Output\",\"Avg\", \"Unknown\"]";
    let _ = write!(
        out,
        "\"field\":{{\"type\":\"object\",\"pos\":{{\"type\":\"integer\",\"minimum\":0}},\
         \"name\":{{\"type\":\"string\"}},{}}},\"processNum\":{{\"type\":\"integer\",\"minimum\":1}},\
         \"tags\":{{\"type\":\"object\",\"origin\":{{\"type\":\"string\",{origins}}},\
         \"nature\":{{\"type\":\"string\",{natures}}},\"scope\":{{\"type\":\"string\",{scopes}}},{}}},",
        list("required", &["pos", "name"]),
        list("required", &["origin", "nature", "scope"]),
    );
    typed_value(out);
}

fn typed_value(out: &mut String) {
    const WIDE: &str = "9007199254740991";
    let kinds = ["s32", "s64", "u32", "u64", "str"];
    let at = |k: &str| format!("{{\"$ref\":\"#/definitions/typedValue/definitions/{k}Value\"}}");
    let one_of: Vec<_> = kinds.iter().map(|k| at(k)).collect();
    let integer = |min: &str, max: &str| format!("\"type\":\"integer\",\"minimum\":{min},\"maximum\":{max}");
    let value = |kind: &str, body: &str| {
        format!(
            "\"{kind}Value\":{{\"properties\":{{\"type\":{{\"type\":\"string\",\"enum\":[\"{kind}\"]}},\
             \"value\":{{{body}}}}},\"required\":[\"type\",\"value\"]}}"
        )
    };
    let values = [
        value("s32", &integer("-2147483648", "2147483647")),
        value("s64", &integer(&format!("-{WIDE}"), WIDE)),
        value("u32", &integer("0", "4294967295")),
        value("u64", &integer("0", WIDE)),
        value("str", "\"type\":\"string\""),
    ];
    let _ = write!(
        out,
        "\"typedValue\":{{\"type\":\"object\",\"oneOf\":[{}],\"definitions\":{{{},\"unknownValue\":{{\"properties\":\
         {{\"type\":{{\"type\":\"integer\",\"minimum\":0}},\"value\":{{\"type\":\"string\",\"enum\":[\"unknown\"]}}}},\
         \"required\":[\"type\",\"value\"]}}}}}}",
        one_of.join(","),
        values.join(",")
    );
}

#[cfg(test)]
mod tests {
    use super::schema;

    #[test]
    fn braces_match() {
        let text = schema();
        let count = |c| text.matches(c).count();
        assert_eq!((count('{'), count('[')), (count('}'), count(']')));
        assert!(text.contains("\"Avg\", \"Unknown\""));
    }
}
