//! Metrics of the process: the fields of `show info` that are some.

use super::query::Query;
use super::text::{Labels, header, sample};
use hawser_cli::info::{Sheet, Value};

/// What all their names start with.
const PREFIX: &str = "haproxy_process_";

/// Writes those that are wanted.
pub(crate) fn write(sheet: &Sheet, query: &Query, out: &mut String) {
    let text = |name: &str| {
        let field = sheet.fields().find(|(f, _)| f.name == name);
        match field {
            Some((_, Some(Value::Str(text)))) => Some(text.clone()),
            _ => None,
        }
    };
    let description = text("description");
    for (field, value) in sheet.fields() {
        let Some(name) = field.metric else { continue };
        let mut labels = Labels::new();
        // What is text is a label of a metric that is always 1.
        let value = match (field.name, value) {
            ("description", None) => continue,
            ("Build info", _) => {
                labels.add("version", &text("Version").unwrap_or_default());
                1.0
            }
            ("description", _) => 1.0,
            (_, Some(Value::Str(text))) => {
                labels.add(field.name, text);
                1.0
            }
            #[expect(clippy::cast_precision_loss, reason = "samples are of this type")]
            (_, Some(Value::Num(n))) => *n as f64,
            (_, Some(Value::Float(n))) => n.trunc(),
            (_, None) => f64::NAN,
        };
        if let Some(text) = description.as_ref().filter(|_| name == "description" || query.descriptions) {
            labels.add("desc", text);
        }
        let name = format!("{PREFIX}{name}");
        if query.wants(&name) {
            header(out, &name, field.help, field.counter);
            sample(out, &name, &labels, None, value);
        }
    }
}
