//! The ledger of one process: on one machine, and in tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Ledger, LedgerError, Marks, num_pages, page_of};

/// A ledger in memory, which grows with the messages: some bytes for each.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    pages: Mutex<BTreeMap<u64, Marks>>,
}

impl MemoryLedger {
    fn pages(&self) -> MutexGuard<'_, BTreeMap<u64, Marks>> {
        // Each change is one insertion or removal: the pages are whole whoever panicked.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn open_page(&self, page: u64) -> Result<(), LedgerError> {
        self.pages().entry(page).or_default();
        Ok(())
    }

    async fn mark(&self, seq: u64, num_items: u64) -> Result<(), LedgerError> {
        let mut pages = self.pages();
        let page = pages.get_mut(&page_of(seq)).ok_or(LedgerError::RunOver)?;
        page.insert(seq, num_items);
        Ok(())
    }

    async fn read(&self, num_messages: u64) -> Result<Marks, LedgerError> {
        let pages = self.pages();
        let mut marks = Marks::new();
        for page in 0..num_pages(num_messages) {
            marks.extend(pages.get(&page).ok_or(LedgerError::RunOver)?);
        }
        Ok(marks)
    }

    async fn close(&self, num_messages: u64) -> Result<(), LedgerError> {
        self.pages()
            .retain(|page, _| *page >= num_pages(num_messages));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn marks_are_read_whatever_their_order_and_however_often_they_are_made() {
        let ledger = MemoryLedger::default();
        for page in [0, 1, 0] {
            ledger.open_page(page).await.unwrap();
        }
        for (seq, num_items) in [(150, 7), (0, 100), (99, 3), (0, 100)] {
            ledger.mark(seq, num_items).await.unwrap();
            ledger.open_page(page_of(seq)).await.unwrap();
        }
        let expected = Marks::from([(0, 100), (99, 3), (150, 7)]);
        assert_eq!(ledger.read(151).await.unwrap(), expected);
        assert_eq!(ledger.read(0).await.unwrap(), Marks::new());
    }

    #[tokio::test]
    async fn what_comes_when_the_run_is_over_is_told_so() {
        let ledger = MemoryLedger::default();
        let is_over = |result: Result<(), LedgerError>| matches!(result, Err(LedgerError::RunOver));
        assert!(is_over(ledger.mark(0, 1).await));
        assert!(is_over(ledger.read(1).await.map(drop)));
        ledger.open_page(0).await.unwrap();
        ledger.mark(0, 1).await.unwrap();
        assert!(
            is_over(ledger.read(101).await.map(drop)),
            "its second page is gone"
        );
        ledger.close(1).await.unwrap();
        ledger.close(1).await.unwrap();
        assert!(is_over(ledger.mark(0, 1).await));
    }
}
