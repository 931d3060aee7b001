//! Names are looked up by the system; what it says is believed but for link-local addresses (see
//! [`super::address::is_link_local`]): no name may lead a download to the machine's own metadata.

use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_link_local;

/// Looks names up.
#[derive(Debug)]
pub(super) struct NotLinkLocal;

impl Resolve for NotLinkLocal {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is the connection's own; 0 leaves it so.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            allowed(name.as_str(), found).map_err(Into::into)
        })
    }
}

/// What is left of the addresses of a name.
fn allowed(name: &str, found: impl Iterator<Item = SocketAddr>) -> io::Result<Addrs> {
    let addresses: Vec<SocketAddr> = found
        .filter(|address| !is_link_local(address.ip()))
        .collect();
    if addresses.is_empty() {
        let message =
            format!("{name} has no address, or only link-local ones, which are not asked");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    Ok(Box::new(addresses.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_lead_to_link_local_addresses() {
        let at = |text: &str| -> SocketAddr { format!("{text}:0").parse().unwrap() };
        let found = [at("169.254.169.254"), at("127.0.0.1"), at("[fe80::1]")];
        let left: Vec<SocketAddr> = allowed("a", found.into_iter()).unwrap().collect();
        assert_eq!(left, [at("127.0.0.1")]);
        let error = allowed("metadata.example", [at("169.254.170.2")].into_iter());
        let error = error.err().expect("nothing is left").to_string();
        assert!(error.contains("metadata.example"), "{error}");
    }

    #[tokio::test]
    async fn the_name_of_this_machine_is_found() {
        let found = NotLinkLocal.resolve("localhost".parse().unwrap()).await;
        assert!(found.unwrap().count() > 0);
    }
}
