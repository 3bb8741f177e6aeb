//! Results of checks, as the statistics and the logs name them (management guide 9.1 `check_status`).

/// Result of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
#[expect(missing_docs, reason = "each variant is the code of that name in the table below")]
pub enum Status {
    Unknown,
    #[default]
    Init,
    Checked,
    SockErr,
    L4Ok,
    L4Tout,
    L4Con,
    L6Ok,
    L6Tout,
    L6Rsp,
    L7Ok,
    L7OkC,
    L7Tout,
    L7Rsp,
    L7Sts,
    Hana,
}

/// What a result means for the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing yet.
    Neutral,
    /// It is well.
    Passed,
    /// It is well but takes no new load.
    CondPassed,
    /// It is not.
    Failed,
}

struct Row(Status, &'static str, &'static str, Verdict);

#[rustfmt::skip]
static ROWS: &[Row] = &[
    //  status           code       description                         verdict
    Row(Status::Unknown, "UNK",     "Unknown",                          Verdict::Neutral),
    Row(Status::Init,    "INI",     "Initializing",                     Verdict::Neutral),
    Row(Status::Checked, "CHECKED", "No status change",                 Verdict::Neutral),
    Row(Status::SockErr, "SOCKERR", "Socket error",                     Verdict::Failed),
    Row(Status::L4Ok,    "L4OK",    "Layer4 check passed",              Verdict::Passed),
    Row(Status::L4Tout,  "L4TOUT",  "Layer4 timeout",                   Verdict::Failed),
    Row(Status::L4Con,   "L4CON",   "Layer4 connection problem",        Verdict::Failed),
    Row(Status::L6Ok,    "L6OK",    "Layer6 check passed",              Verdict::Passed),
    Row(Status::L6Tout,  "L6TOUT",  "Layer6 timeout",                   Verdict::Failed),
    Row(Status::L6Rsp,   "L6RSP",   "Layer6 invalid response",          Verdict::Failed),
    Row(Status::L7Ok,    "L7OK",    "Layer7 check passed",              Verdict::Passed),
    Row(Status::L7OkC,   "L7OKC",   "Layer7 check conditionally passed", Verdict::CondPassed),
    Row(Status::L7Tout,  "L7TOUT",  "Layer7 timeout",                   Verdict::Failed),
    Row(Status::L7Rsp,   "L7RSP",   "Layer7 invalid response",          Verdict::Failed),
    Row(Status::L7Sts,   "L7STS",   "Layer7 wrong status",              Verdict::Failed),
    Row(Status::Hana,    "HANA",    "Health analyze",                   Verdict::Failed),
];

impl Status {
    fn row(self) -> &'static Row {
        // Rows stand in the order of the variants, which a test checks.
        &ROWS[self as usize]
    }

    /// Code in the statistics.
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// Description in logs and statistics.
    pub fn desc(self) -> &'static str {
        self.row().2
    }

    /// What it means.
    pub fn verdict(self) -> Verdict {
        self.row().3
    }

    /// It has a response code worth showing.
    pub(crate) fn has_code(self) -> bool {
        matches!(self, Self::L7Ok | Self::L7OkC | Self::L7Sts)
    }

    /// The status of a code that a configuration names.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        ROWS.iter().find(|r| r.1 == code).map(|r| r.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_variants() {
        for (i, r) in ROWS.iter().enumerate() {
            assert_eq!(r.0 as usize, i, "{}", r.1);
            assert_eq!(Status::of_code(r.1), Some(r.0));
        }
        assert_eq!(Status::Hana as usize + 1, ROWS.len());
    }
}
