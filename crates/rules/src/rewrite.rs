//! Safe changes to heads: nothing that could split a message, nothing that outgrows the buffer.

use crate::action::Step;
use crate::txn::Txn;
use hawser_http::chars::{is_safe_value, is_value};
use hawser_http::uri::{Form, Unsafe};
use hawser_http::{Head, KnownName};
use hawser_sample::LogFormat;
use std::borrow::Cow;

impl Txn<'_> {
    /// Evaluates the format of a field value; controls are escaped as `%XX`, as HAProxy does.
    pub(crate) fn header_value<R>(&mut self, fmt: &LogFormat, f: impl FnOnce(&mut Self, &[u8]) -> R) -> R {
        self.formatted(fmt, |txn, value| f(txn, &escape(value, is_value)))
    }

    /// Evaluates the format of a part of the request line; controls and spaces are escaped as `%XX`.
    pub(crate) fn target_value<R>(&mut self, fmt: &LogFormat, f: impl FnOnce(&mut Self, &[u8]) -> R) -> R {
        self.formatted(fmt, |txn, value| f(txn, &escape(value, |b| b > b' ' && b != 0x7f)))
    }

    /// Drops what was replaced once that is more than the message may ever hold: rules that rewrite again and again
    /// must not make a head grow. Indexes of fields are void then.
    pub(crate) fn tidy(&mut self) {
        let limit = 2 * self.room.bufsize;
        if let Some(head) = self.message().filter(|h| h.buf.len() > limit) {
            head.compact();
        }
    }

    /// Whether the message of this direction may take `more` bytes for what `less` counts; it counts only if it must.
    fn has_room(&mut self, more: usize, less: impl FnOnce(&Head) -> usize) -> bool {
        let (bufsize, held) = (self.room.bufsize, self.room.held);
        let Some(head) = self.message() else { return false };
        // The buffer also holds what was replaced: when all of it fits, there is nothing to count.
        let bound = head.buf.len() + 4 * head.fields.len() + 16;
        bound + held + more <= bufsize || head.wire_len() + held + more <= bufsize + less(head)
    }

    /// Adds a field to the message of this direction.
    pub(crate) fn add_field(&mut self, name: &[u8], value: &[u8]) -> Step {
        self.tidy();
        if !is_safe_value(value) || !self.has_room(name.len() + value.len() + 4, |_| 0) {
            return Step::Failed;
        }
        let Some(head) = self.message() else { return Step::Failed };
        head.add(name, value);
        host_changed(head, name, value);
        Step::Next
    }

    /// Replaces all fields of a name by one.
    pub(crate) fn set_field(&mut self, name: &[u8], value: &[u8]) -> Step {
        self.tidy();
        if !is_safe_value(value) || !self.has_room(name.len() + value.len() + 4, |h| taken(h, name)) {
            return Step::Failed;
        }
        let Some(head) = self.message() else { return Step::Failed };
        head.set(name, value);
        host_changed(head, name, value);
        Step::Next
    }

    /// Replaces the value of one field.
    pub(crate) fn replace_value(&mut self, index: usize, value: &[u8]) -> Step {
        let old = |head: &Head| head.fields[index].value.len as usize;
        if !is_safe_value(value) || !self.has_room(value.len(), old) {
            return Step::Failed;
        }
        let Some(head) = self.message() else { return Step::Failed };
        head.set_value_at(index, value);
        if head.fields[index].known == KnownName::Host {
            host_changed(head, b"host", value);
        }
        Step::Next
    }

    /// Changes the start line of the request: `more` bytes at most for what `less` counts.
    pub(crate) fn rewrite_request(
        &mut self,
        more: usize,
        less: impl FnOnce(&Head) -> usize,
        change: impl FnOnce(&mut Head) -> Result<(), Unsafe>,
    ) -> Step {
        self.tidy();
        if self.response || !self.has_room(more, less) {
            return Step::Failed;
        }
        let Some(head) = self.message() else { return Step::Failed };
        match change(head) {
            Ok(()) => Step::Next,
            Err(Unsafe) => Step::Failed,
        }
    }
}

/// Bytes on the wire of all fields of a name.
fn taken(head: &Head, name: &[u8]) -> usize {
    head.values(name).map(|v| name.len() + v.len() + 4).sum()
}

/// Escapes the bytes that are not fine; mostly there is none and nothing is copied.
pub(crate) fn escape(value: &[u8], fine: impl Fn(u8) -> bool) -> Cow<'_, [u8]> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let Some(first) = value.iter().position(|b| !fine(*b)) else { return Cow::Borrowed(value) };
    let mut out = Vec::with_capacity(value.len() + 16);
    out.extend_from_slice(&value[..first]);
    for &b in &value[first..] {
        if fine(b) {
            out.push(b);
        } else {
            out.extend([b'%', DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]);
        }
    }
    Cow::Owned(out)
}

/// Keeps the authority of an absolute target what the Host field says, lest one rule sees another host than the next.
fn host_changed(head: &mut Head, name: &[u8], host: &[u8]) {
    let target = head.target();
    if !name.eq_ignore_ascii_case(b"host") || matches!(target.first(), None | Some(b'/' | b'*')) {
        return;
    }
    let Some(parts) = head.target_parts().filter(|p| p.form == Form::Absolute) else { return };
    let new = [&target[..parts.authority.start], host, &target[parts.authority.end..]].concat();
    // A value that is no part of a target leaves the target as it is.
    let _ = head.set_uri(&new);
}

/// Keeps the Host field what the authority of an absolute target says.
pub(crate) fn target_changed(head: &mut Head) {
    if matches!(head.target().first(), None | Some(b'/' | b'*')) {
        return;
    }
    let Some(parts) = head.target_parts().filter(|p| p.form == Form::Absolute) else { return };
    let host = head.target()[parts.authority].to_vec();
    let at = head.fields.iter().position(|f| f.known == KnownName::Host && f.name.len != 0);
    if let Some(i) = at.filter(|_| !host.is_empty()) {
        head.set_value_at(i, &host);
    }
}
