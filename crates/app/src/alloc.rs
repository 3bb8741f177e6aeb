//! The allocator: jemalloc, with a reserve for the moment when memory runs out. One of the few places with
//! `unsafe`.
//!
//! With `-m`, what is handed out is counted for [`hawser_proto::memory`], which refuses connections and buffers
//! in time. Should the kernel refuse memory all the same, a reserve is there: when an allocation fails, it is
//! given up, the allocation is tried again, and [`exhausted`] tells the control thread.

use hawser_proto::memory::note;
use std::alloc::{GlobalAlloc, Layout};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use tikv_jemallocator::Jemalloc;

/// The program's allocator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocator;

/// Size of the reserve (bytes): enough to end the work under way on all threads.
const RESERVE: Layout = match Layout::from_size_align(4 << 20, 4096) {
    Ok(layout) => layout,
    Err(_) => Layout::new::<u8>(),
};

static HELD: AtomicPtr<u8> = AtomicPtr::new(null_mut());
static EXHAUSTED: AtomicBool = AtomicBool::new(false);

/// Holds a reserve back, unless one is held already; false when there is no memory for it.
pub(crate) fn reserve() -> bool {
    if !HELD.load(Ordering::Acquire).is_null() {
        return true;
    }
    // SAFETY: the layout's size is not zero.
    let fresh = unsafe { Jemalloc.alloc(RESERVE) };
    if fresh.is_null() {
        return false;
    }
    if let Err(_other) = HELD.compare_exchange(null_mut(), fresh, Ordering::AcqRel, Ordering::Acquire) {
        // SAFETY: just allocated with this layout, and nobody else knows of it.
        unsafe { Jemalloc.dealloc(fresh, RESERVE) };
    }
    true
}

/// Whether an allocation has failed since the last call.
pub(crate) fn exhausted() -> bool {
    EXHAUSTED.swap(false, Ordering::Relaxed)
}

/// Gives the pages of freed memory back to the system now.
pub(crate) fn purge() {
    // 4096 stands for all arenas (MALLCTL_ARENAS_ALL).
    let name = c"arena.4096.purge";
    // SAFETY: the name ends with a NUL, and this control takes and returns no value.
    unsafe { tikv_jemalloc_sys::mallctl(name.as_ptr(), null_mut(), null_mut(), null_mut(), 0) };
}

/// Gives the reserve up; false when it is gone already.
#[cold]
fn release() -> bool {
    EXHAUSTED.store(true, Ordering::Relaxed);
    let held = HELD.swap(null_mut(), Ordering::AcqRel);
    if held.is_null() {
        return false;
    }
    // SAFETY: allocated by `reserve` with this layout; the swap made this the only owner.
    unsafe { Jemalloc.dealloc(held, RESERVE) };
    true
}

/// Runs an allocation, and once more with the reserve's memory if it fails.
#[inline]
fn twice(allocate: impl Fn() -> *mut u8) -> *mut u8 {
    let p = allocate();
    if p.is_null() && release() { allocate() } else { p }
}

/// A size as [`note`] takes it; none exceeds `isize::MAX`.
#[inline]
fn bytes(n: usize) -> i64 {
    n as i64
}

/// jemalloc's settings: memory that is not used goes back to the system within seconds, without threads of the
/// allocator's own (the process forks before it starts threads).
// SAFETY: jemalloc declares a weak symbol of this name, a pointer to text that ends with a NUL; nothing else does.
#[unsafe(export_name = "_rjem_malloc_conf")]
#[used]
static CONF: &[u8; 61] = b"dirty_decay_ms:2000,muzzy_decay_ms:0,background_thread:false\0";

// SAFETY: every request goes to jemalloc as it came and its answer is passed on; the reserve is an allocation
// like any other.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(bytes(layout.size()));
        // SAFETY: the caller's promises are those that jemalloc asks for.
        twice(|| unsafe { Jemalloc.alloc(layout) })
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(bytes(layout.size()));
        // SAFETY: as above.
        twice(|| unsafe { Jemalloc.alloc_zeroed(layout) })
    }

    #[inline]
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        note(-bytes(layout.size()));
        // SAFETY: as above.
        unsafe { Jemalloc.dealloc(ptr, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(bytes(new_size) - bytes(layout.size()));
        // SAFETY: as above; a failed attempt leaves the old block valid for the second.
        twice(|| unsafe { Jemalloc.realloc(ptr, layout, new_size) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_given_up_once() {
        assert!(reserve());
        assert!(reserve(), "one is enough");
        let mut calls = 0;
        let calls_ref = std::cell::Cell::new(0);
        let p = twice(|| {
            calls_ref.set(calls_ref.get() + 1);
            if calls_ref.get() == 1 { null_mut() } else { std::ptr::dangling_mut() }
        });
        calls += calls_ref.get();
        assert!(!p.is_null());
        assert_eq!(calls, 2);
        assert!(exhausted());
        assert!(!exhausted());
        assert!(twice(null_mut).is_null(), "nothing is left to give up");
        assert!(exhausted());
    }
}
