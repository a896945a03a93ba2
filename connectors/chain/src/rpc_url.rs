use std::{fmt, str::FromStr};
use url::{Host, Url};

/// A node's URL; a secret, as its path or query often holds a key. Printed, it is the host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcUrl {
    url: Url,
    host: String,
}

/// Why a text is no node's URL; it says nothing of the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRpcUrl {
    /// It cannot be read.
    #[error("no URL of a node: expected http://, https://, ws:// or wss:// and a host")]
    Malformed,
    /// Another scheme.
    #[error("a node is reached by http, https, ws or wss, nothing else")]
    Scheme,
}

impl FromStr for RpcUrl {
    type Err = BadRpcUrl;

    fn from_str(text: &str) -> Result<Self, BadRpcUrl> {
        let url: Url = text.trim().parse().map_err(|_| BadRpcUrl::Malformed)?;
        if !matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
            return Err(BadRpcUrl::Scheme);
        }
        let name = match url.host().ok_or(BadRpcUrl::Malformed)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => format!("[{address}]"),
        };
        let host = url.port().map_or(name.clone(), |port| format!("{name}:{port}"));
        Ok(Self { url, host })
    }
}

impl RpcUrl {
    /// Host and port: all of it that anyone may read.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub(crate) const fn secret(&self) -> &Url {
        &self.url
    }

    pub(crate) fn is_websocket(&self) -> bool {
        matches!(self.url.scheme(), "ws" | "wss")
    }

    /// A foreign text with every part of the URL that could be a key taken out of it.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let query = self.url.query().unwrap_or_default();
        let values = query
            .split('&')
            .filter_map(|pair| pair.split_once('=').map(|(_, value)| value));
        let segments = self.url.path_segments().into_iter().flatten();
        let whole = [
            self.url.as_str(),
            self.url.path(),
            query,
            self.url.username(),
            self.url.password().unwrap_or_default(),
            self.url.fragment().unwrap_or_default(),
        ];
        let mut secrets: Vec<&str> = whole.into_iter().chain(segments).chain(values).collect();
        // The longest first, so that no part of a longer one stays. Short ones are words like `v3`.
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        let long = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST_KEY);
        long.fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
    }
}

/// No provider's key is shorter.
const SHORTEST_KEY: usize = 6;

impl fmt::Display for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}

impl fmt::Debug for RpcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RpcUrl").field(&self.host).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_host_is_printed() {
        let url: RpcUrl = "https://user:hunter22@node.example:8545/v3/0123456789abcdef?key=s3cr3tkey"
            .parse()
            .unwrap();
        assert_eq!(url.to_string(), "node.example:8545");
        assert_eq!(format!("{url:?}"), "RpcUrl(\"node.example:8545\")");
        let said = "POST https://user:hunter22@node.example:8545/v3/0123456789abcdef?key=s3cr3tkey: key 0123456789abcdef, s3cr3tkey, hunter22";
        let scrubbed = url.scrub(said);
        for secret in ["hunter22", "0123456789abcdef", "s3cr3tkey"] {
            assert!(!scrubbed.contains(secret), "{scrubbed}");
        }
    }

    #[test]
    fn other_texts_are_refused_without_repeating_them() {
        for text in ["", "node.example", "file:///etc/secret", "ftp://secret@node", "http://"] {
            let error = text.parse::<RpcUrl>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert_eq!("ws://[::1]:8546/".parse::<RpcUrl>().unwrap().host(), "[::1]:8546");
    }
}
