//! Numbers of users and groups that the configuration names for sockets.
//!
//! Looks into `/etc/passwd` and `/etc/group` only, like a statically linked HAProxy: directory services are not
//! asked while parsing. (The `user` and `group` of the process itself are resolved at boot, through the system.)

/// The number of a user.
pub(crate) fn user(name: &str) -> Option<u32> {
    third_field(&std::fs::read_to_string("/etc/passwd").ok()?, name)
}

/// The number of a group.
pub(crate) fn group(name: &str) -> Option<u32> {
    third_field(&std::fs::read_to_string("/etc/group").ok()?, name)
}

fn third_field(table: &str, name: &str) -> Option<u32> {
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        fields.nth(1)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_numbers() {
        let table = "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/:\nbad:x\n";
        assert_eq!(third_field(table, "www"), Some(33));
        assert_eq!(third_field(table, "root"), Some(0));
        for name in ["bad", "ww", "", "x"] {
            assert_eq!(third_field(table, name), None, "{name}");
        }
    }
}
