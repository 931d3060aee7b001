//! A body cut into parts that S3 takes.
//!
//! S3 takes 10,000 parts an object (Amazon S3 User Guide, "Multipart upload limits"), and how long a body
//! is shows at its end. So the first 5,000 parts have the size that is asked for (39 GiB at 8 MiB) and each later
//! one is [`GROWTH_BYTES`] longer than the one before: 10,000 parts hold 5 TiB and more, the last about 2.1 GiB,
//! below the 5 GiB that a part may have. Fewer parts are in flight as they grow, so that memory stays
//! what it was until a part alone is more.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::Fuse;

use super::S3Options;
use crate::store::{Body, BodyError};

/// How many parts have the size that is asked for.
const NUM_EQUAL_PARTS: usize = 5_000;
/// How many parts an object may have.
const MAX_PARTS: usize = 10_000;
/// What each part after the equal ones has more than the one before: with 5 MiB parts, the sum of all
/// 10,000 reaches 5 TiB.
const GROWTH_BYTES: usize = 432 << 10;

/// How long parts are, and how many are sent at the same time.
#[derive(Debug, Clone, Copy)]
pub(super) struct PartPlan {
    part_bytes: usize,
    max_in_flight: usize,
}

impl PartPlan {
    pub(super) fn new(options: &S3Options) -> Self {
        PartPlan {
            part_bytes: options.part_bytes,
            max_in_flight: options.max_parts_in_flight,
        }
    }

    /// The size of a part, counted from 1; `None` where S3 takes no more parts.
    pub(super) fn part_bytes(&self, number: usize) -> Option<usize> {
        let growth = number.saturating_sub(NUM_EQUAL_PARTS) * GROWTH_BYTES;
        (number <= MAX_PARTS).then_some(self.part_bytes + growth)
    }

    /// How many parts may be in flight when that part is sent, itself included.
    pub(super) fn max_in_flight(&self, number: usize) -> usize {
        let part_bytes = self.part_bytes(number).unwrap_or(self.part_bytes);
        (self.max_in_flight * self.part_bytes / part_bytes).max(1)
    }
}

/// A body that is longer than 10,000 parts.
#[derive(Debug, thiserror::Error)]
#[error("the body is longer than the 10000 parts that S3 takes")]
pub(super) struct TooManyParts;

/// Cuts a body into parts. One part is held at a time; those handed out are others' to bound.
pub(super) struct Parts {
    /// It may be asked again behind its end.
    body: Fuse<Body>,
    plan: PartPlan,
    num_parts: usize,
    buffer: Vec<u8>,
    /// The rest of the piece of the body that did not fit the last part.
    rest: Bytes,
    free: Arc<FreeBuffers>,
}

impl Parts {
    pub(super) fn new(body: Body, plan: PartPlan) -> Self {
        Parts {
            body: body.fuse(),
            plan,
            num_parts: 0,
            buffer: Vec::new(),
            rest: Bytes::new(),
            free: Arc::default(),
        }
    }

    /// The next part, full unless it is the last.
    ///
    /// # Cancel safety
    /// Dropped before it is done, it loses nothing: the next call goes on.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let Some(part_bytes) = self.plan.part_bytes(self.num_parts + 1) else {
            return if self.has_more().await? {
                Err(TooManyParts.into())
            } else {
                Ok(None)
            };
        };
        while self.buffer.len() < part_bytes && self.has_more().await? {
            if self.buffer.is_empty() && self.rest.len() >= part_bytes {
                self.num_parts += 1;
                return Ok(Some(self.rest.split_to(part_bytes)));
            }
            if self.buffer.capacity() == 0 {
                self.buffer = self.free.take();
                self.buffer.reserve_exact(part_bytes);
            }
            let num_bytes = self.rest.len().min(part_bytes - self.buffer.len());
            self.buffer
                .extend_from_slice(&self.rest.split_to(num_bytes));
        }
        if self.buffer.is_empty() {
            return Ok(None);
        }
        self.num_parts += 1;
        let bytes = std::mem::take(&mut self.buffer);
        let free = Arc::clone(&self.free);
        Ok(Some(Bytes::from_owner(Part { bytes, free })))
    }

    /// Whether anything comes behind the parts so far. The body is polled only if there is no rest.
    pub(super) async fn has_more(&mut self) -> Result<bool, BodyError> {
        while self.rest.is_empty() {
            match self.body.next().await {
                Some(piece) => self.rest = piece?,
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// Buffers of parts that were sent: to fill one again costs no page faults.
#[derive(Debug, Default)]
struct FreeBuffers(Mutex<Vec<Vec<u8>>>);

impl FreeBuffers {
    fn take(&self) -> Vec<u8> {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.pop().unwrap_or_default()
    }

    fn give(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.push(buffer);
    }
}

/// A full buffer that goes back when nobody needs it any more.
struct Part {
    bytes: Vec<u8>,
    free: Arc<FreeBuffers>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.free.give(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;
    use crate::store::s3::MIN_PART_BYTES;

    fn plan(part_bytes: usize) -> PartPlan {
        PartPlan {
            part_bytes,
            max_in_flight: 4,
        }
    }

    #[test]
    fn parts_grow_so_that_ten_thousand_hold_five_tebibytes() {
        let plan = plan(MIN_PART_BYTES);
        let sizes: Vec<usize> = (1..=10_000).map_while(|n| plan.part_bytes(n)).collect();
        assert_eq!(sizes.len(), 10_000);
        assert_eq!(plan.part_bytes(10_001), None);
        assert!(sizes[..5_000].iter().all(|&size| size == MIN_PART_BYTES));
        assert!(sizes.is_sorted());
        assert!(sizes.iter().map(|&size| size as u64).sum::<u64>() >= 5 << 40);
        assert!(*sizes.last().unwrap() as u64 <= 5 << 30);
    }

    #[test]
    fn fewer_parts_are_in_flight_as_they_grow() {
        let plan = plan(8 << 20);
        assert_eq!(plan.max_in_flight(5_000), 4);
        for number in 5_001..=10_000 {
            let in_flight = plan.max_in_flight(number);
            let bytes = in_flight * plan.part_bytes(number).unwrap();
            assert!(in_flight == 1 || bytes <= 4 * (8 << 20), "{number}");
        }
    }

    #[tokio::test]
    async fn a_body_is_cut_the_same_however_it_comes() {
        let whole: Vec<u8> = (0..100u8).collect();
        for piece_bytes in [1, 3, 7, 10, 20, 33, 100] {
            let pieces: Vec<_> = whole
                .chunks(piece_bytes)
                .map(|piece| Ok(Bytes::copy_from_slice(piece)))
                .collect();
            let mut parts = Parts::new(stream::iter(pieces).boxed(), plan(10));
            for expected in whole.chunks(10) {
                assert_eq!(parts.next().await.unwrap().unwrap(), expected);
            }
            assert!(parts.next().await.unwrap().is_none());
            assert!(!parts.has_more().await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_buffer_is_filled_again_when_its_part_is_gone() {
        let pieces = (0..20).map(|_| Ok(Bytes::from_static(b"abc")));
        let mut parts = Parts::new(stream::iter(pieces).boxed(), plan(10));
        let first = parts.next().await.unwrap().unwrap();
        let address = first.as_ptr();
        drop(first);
        let second = parts.next().await.unwrap().unwrap();
        assert_eq!(second.as_ptr(), address);
        let third = parts.next().await.unwrap().unwrap();
        assert_ne!(third.as_ptr(), address);
        assert_eq!(second, b"bcabcabcab"[..]);
    }
}
