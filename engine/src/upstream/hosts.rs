//! One download at a time from a host, as JPL asks for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::Url;

/// A host's name and port. Without a port it is the scheme's own: http and https on one host share a permit.
type Host = (String, Option<u16>);

/// A permit for each host that was asked so far.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    permits: Mutex<HashMap<Host, Arc<Semaphore>>>,
}

impl Hosts {
    /// Waits until no other download from the host of `url` lives; those who wait are served in order.
    pub(super) async fn permit(&self, url: &Url) -> OwnedSemaphorePermit {
        let host: Host = (url.host_str().unwrap_or_default().to_owned(), url.port());
        let permit = {
            // The map is whole even if somebody panicked who held it.
            let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
            let one = || Arc::new(Semaphore::new(1));
            Arc::clone(permits.entry(host).or_insert_with(one))
        };
        match permit.acquire_owned().await {
            Ok(permit) => permit,
            Err(_) => unreachable!("no one closes a host's semaphore"),
        }
    }
}
