//! Status codes and their reason phrases.

/// The reason phrase of a status when nobody gives another. Codes without one of their own get that of their class.
pub fn reason(status: u16) -> &'static str {
    match REASONS.binary_search_by_key(&status, |r| r.0) {
        Ok(i) => REASONS[i].1,
        Err(_) => match status {
            100..=199 => "Informational",
            200..=299 => "Success",
            300..=399 => "Redirection",
            400..=499 => "Client Error",
            500..=599 => "Server Error",
            _ => "Other",
        },
    }
}

/// HAProxy's spelling, which tools compare.
#[rustfmt::skip]
static REASONS: &[(u16, &str)] = &[
    (100, "Continue"), (101, "Switching Protocols"), (102, "Processing"), (103, "Early Hints"),
    (200, "OK"), (201, "Created"), (202, "Accepted"), (203, "Non-Authoritative Information"),
    (204, "No Content"), (205, "Reset Content"), (206, "Partial Content"), (207, "Multi-Status"),
    (210, "Content Different"), (226, "IM Used"),
    (300, "Multiple Choices"), (301, "Moved Permanently"), (302, "Found"), (303, "See Other"),
    (304, "Not Modified"), (305, "Use Proxy"), (307, "Temporary Redirect"), (308, "Permanent Redirect"),
    (310, "Too many Redirects"),
    (400, "Bad Request"), (401, "Unauthorized"), (402, "Payment Required"), (403, "Forbidden"),
    (404, "Not Found"), (405, "Method Not Allowed"), (406, "Not Acceptable"),
    (407, "Proxy Authentication Required"), (408, "Request Time-out"), (409, "Conflict"), (410, "Gone"),
    (411, "Length Required"), (412, "Precondition Failed"), (413, "Request Entity Too Large"),
    (414, "Request-URI Too Long"), (415, "Unsupported Media Type"), (416, "Requested range unsatisfiable"),
    (417, "Expectation failed"), (418, "I'm a teapot"), (421, "Misdirected Request"),
    (422, "Unprocessable Content"), (423, "Locked"), (424, "Method failure"), (425, "Too Early"),
    (426, "Upgrade Required"), (428, "Precondition Required"), (429, "Too Many Requests"),
    (431, "Request Header Fields Too Large"), (449, "Retry With"),
    (450, "Blocked by Windows Parental Controls"), (451, "Unavailable For Legal Reasons"),
    (456, "Unrecoverable Error"), (499, "client has closed connection"),
    (500, "Internal Server Error"), (501, "Not Implemented"), (502, "Bad Gateway or Proxy Error"),
    (503, "Service Unavailable"), (504, "Gateway Time-out"), (505, "HTTP Version not supported"),
    (506, "Variant also negotiate"), (507, "Insufficient storage"), (508, "Loop detected"),
    (509, "Bandwidth Limit Exceeded"), (510, "Not extended"), (511, "Network authentication required"),
    (520, "Web server is returning an unknown error"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_classes_fill_the_gaps() {
        assert!(REASONS.windows(2).all(|w| w[0].0 < w[1].0));
        let cases =
            [(200, "OK"), (208, "Success"), (399, "Redirection"), (420, "Client Error"), (600, "Other")];
        for (status, want) in cases {
            assert_eq!(reason(status), want);
        }
    }
}
