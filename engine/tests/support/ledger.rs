//! What every ledger does, as tests.

use engine::ledger::{Ledger, LedgerError, Marks, page_of};

fn is_over<T>(result: Result<T, LedgerError>) -> bool {
    matches!(result, Err(LedgerError::RunOver))
}

/// Asks a ledger without a page everything, and leaves it without one.
pub(crate) async fn does_all_that_ledgers_do(ledger: &dyn Ledger) {
    what_comes_before_its_page_is_told_so(ledger).await;
    marks_are_read_whatever_their_order_and_number(ledger).await;
    what_comes_when_the_run_is_over_is_told_so(ledger).await;
}

async fn what_comes_before_its_page_is_told_so(ledger: &dyn Ledger) {
    assert!(is_over(ledger.mark(0, 1).await));
    assert!(is_over(ledger.read(1).await));
    assert!(is_over(ledger.mark(0, 1).await), "a mark makes no page");
    assert_eq!(ledger.read(0).await.expect("nothing"), Marks::new());
}

async fn marks_are_read_whatever_their_order_and_number(ledger: &dyn Ledger) {
    for page in [0, 1, 0] {
        ledger.open_page(page).await.expect("a page");
    }
    assert_eq!(ledger.read(200).await.expect("pages"), Marks::new());
    for (seq, num_items) in [(150, 7), (0, 100), (99, 0), (0, 100)] {
        ledger.mark(seq, num_items).await.expect("a mark");
        ledger.open_page(page_of(seq)).await.expect("it is open");
    }
    let expected = Marks::from([(0, 100), (99, 0), (150, 7)]);
    assert_eq!(ledger.read(151).await.expect("pages"), expected);
    assert!(
        is_over(ledger.read(201).await),
        "its third page is not there"
    );
    // More pages than one request may ask for.
    for page in 2..103 {
        ledger.open_page(page).await.expect("a page");
    }
    ledger.mark(10_299, 3).await.expect("a mark");
    let marks = ledger.read(10_300).await.expect("pages");
    assert_eq!((marks.len(), marks.get(&10_299)), (4, Some(&3)));
}

async fn what_comes_when_the_run_is_over_is_told_so(ledger: &dyn Ledger) {
    for _ in 0..2 {
        ledger.close(10_300).await.expect("it closes");
    }
    assert!(is_over(ledger.mark(0, 1).await));
    assert!(is_over(ledger.mark(10_299, 1).await));
    assert!(is_over(ledger.read(1).await));
}
