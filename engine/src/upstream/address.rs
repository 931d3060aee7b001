//! Which addresses are downloaded from, which redirects are followed, and what people are shown of an address.

use std::net::IpAddr;

use url::{Host, Position, Url};

use super::error::Problem;

/// Refuses what is no plain web address.
pub(super) fn check(url: &Url) -> Result<(), Problem> {
    let reason = if !matches!(url.scheme(), "http" | "https") {
        "only http and https addresses can be downloaded from"
    } else if !url.username().is_empty() || url.password().is_some() {
        "it holds a user name or password, which would be stored and shown"
    } else if literal(url).is_some_and(is_link_local) {
        "a link-local address is that of a machine's own metadata, never an upstream's"
    } else {
        return Ok(());
    };
    Err(Problem::Address { reason })
}

/// The address that the host is, where it is no name.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Whether packets to an address stay on the link. There, and nowhere else, clouds keep the credentials of a
/// machine (Amazon EC2 User Guide, "Use the Instance Metadata Service": 169.254.169.254 and `fd00:ec2::254`;
/// Amazon ECS: 169.254.170.2).
pub(super) fn is_link_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unicast_link_local() || address.segments()[..2] == [0xfd00, 0x0ec2]
        }
    }
}

/// Where a redirect from `from` to `location` leads. A server may send a download elsewhere on itself, and from
/// http to https; it may not make this machine talk to another host or port, or give up encryption.
pub(super) fn follow(from: &Url, location: &str) -> Result<Url, Problem> {
    let to = from
        .join(location)
        .map_err(|source| Problem::RedirectAddress { source })?;
    let is_upgrade = from.scheme() == "http" && to.scheme() == "https";
    let is_same_server = from.host_str() == to.host_str()
        // Without a port in the address it is the scheme's own, 80 or 443.
        && from.port() == to.port()
        && (from.scheme() == to.scheme() || is_upgrade && from.port().is_none());
    if !is_same_server {
        return Err(Problem::RedirectElsewhere {
            from: server(from),
            to: server(&to),
        });
    }
    check(&to)?;
    Ok(to)
}

/// The scheme, host and port, for people.
fn server(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}"));
    format!("{}://{host}{}", url.scheme(), port.unwrap_or_default())
}

/// The server and path, for people: without user name, password and the long query.
pub(super) fn place(url: &Url) -> String {
    server(url) + &url[Position::BeforePath..Position::AfterPath]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_plain_web_addresses_are_taken() {
        for good in ["http://127.0.0.1:8080/a?b=c", "https://example.org"] {
            assert!(check(&url(good)).is_ok(), "{good}");
        }
        for bad in [
            "ftp://example.org/a",
            "file:///etc/passwd",
            "http://user@example.org/",
            "http://:secret@example.org/",
            "http://169.254.169.254/latest/meta-data/",
            "http://2852039166/latest/meta-data/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://[::ffff:169.254.170.2]/v2/credentials",
        ] {
            assert!(check(&url(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_stays_on_its_server() {
        for (from, location, to) in [
            ("http://a.org/x/y", "z?q=1", "http://a.org/x/z?q=1"),
            ("http://a.org/x", "https://a.org/x", "https://a.org/x"),
            ("https://a.org/x", "//a.org:443/y", "https://a.org/y"),
            ("http://a.org:81/x", "/y", "http://a.org:81/y"),
        ] {
            assert_eq!(follow(&url(from), location).unwrap(), url(to));
        }
        for (from, location) in [
            ("http://a.org/", "http://b.org/"),
            ("http://a.org/", "http://a.org:8080/"),
            ("http://a.org:81/", "https://a.org:81/"),
            ("http://a.org/", "https://a.org:444/"),
            ("https://a.org/", "http://a.org/"),
            ("http://a.org/", "ftp://a.org/"),
            ("http://a.org/", "file:///etc/passwd"),
            ("http://a.org/", "http://me:secret@a.org/"),
            ("http://a.org/", "http://[::/"),
        ] {
            let error = follow(&url(from), location).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn people_are_shown_the_server_and_the_path() {
        let address = url("https://me:secret@a.org:81/x/y?fields=a,b#c");
        assert_eq!(place(&address), "https://a.org:81/x/y");
    }
}
