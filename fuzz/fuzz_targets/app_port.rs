//! Any bytes between a client and a guest on an app port, which the host follows to know when the connection is idle.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the guest's socket uses all of it")]
#[path = "../../crates/guest-wasmedge/src/socket/http_tracker.rs"]
mod http_tracker;

use http_tracker::HttpTracker;

fuzz_target!(|input: (Vec<(bool, Vec<u8>)>, u8)| {
    let (pieces, piece) = input;
    let piece = usize::from(piece).max(1);
    let (mut whole, mut in_pieces) = (HttpTracker::default(), HttpTracker::default());
    for (is_request, bytes) in &pieces {
        for (tracker, size) in [(&mut whole, bytes.len().max(1)), (&mut in_pieces, piece)] {
            for bytes in bytes.chunks(size) {
                if *is_request {
                    tracker.record_read(bytes);
                } else {
                    tracker.record_write(bytes);
                }
            }
        }
        assert!(!(whole.is_idle() && whole.is_mid_request()), "idle amid a request");
        // Bytes that come in other pieces mean the same, where they are followed at all.
        assert!(!(whole.is_idle() && in_pieces.is_mid_request()), "pieces make a difference: {pieces:?}");
    }
});
