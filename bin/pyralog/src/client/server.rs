//! One server of the list.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// `http://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    authority: String,
}

/// What is wrong with an address of a server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ServerError {
    /// HTTPS.
    #[error("'{0}': TLS is not in this version; use http://")]
    Tls(String),
    /// Anything else.
    #[error("'{0}' is not the address of a server; write http://host:port")]
    Malformed(String),
}

impl Server {
    /// `host:port`.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl FromStr for Server {
    type Err = ServerError;
    fn from_str(text: &str) -> Result<Server, ServerError> {
        let malformed = || ServerError::Malformed(text.to_owned());
        if text.starts_with("https://") {
            return Err(ServerError::Tls(text.to_owned()));
        }
        let authority = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
        if authority.is_empty() || authority.contains(['/', '?', '@', ' ']) {
            return Err(malformed());
        }
        let has_port =
            authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if has_port { authority.to_owned() } else { format!("{authority}:8080") };
        Ok(Server { authority })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(
            text.parse::<Server>().ok().map(|server| server.authority),
            expect.map(str::to_owned)
        );
    }

    #[test]
    fn addresses_are_understood() {
        check("http://127.0.0.1:9", Some("127.0.0.1:9"));
        check("localhost", Some("localhost:8080"));
        check("http://[::1]:8080/", Some("[::1]:8080"));
        check("https://a:1", None);
        check("http://a/b", None);
        check("", None);
    }
}
