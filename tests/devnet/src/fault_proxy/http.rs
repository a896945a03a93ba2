//! As much of HTTP/1.1 as stands between a JSON-RPC client and a node.

use super::sockets::{Registered, Sockets};
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

/// A head over this many bytes is no head.
const MOST_HEAD: u64 = 64 << 10;
/// A body over this many bytes is not kept in memory.
const MOST_BODY: u64 = 1 << 30;
const CONNECT: Duration = Duration::from_secs(5);

/// The lines before a body.
#[derive(Debug)]
pub(crate) struct Head {
    /// All of it, as it came, with the empty line at the end.
    pub(crate) bytes: Vec<u8>,
    /// `POST / HTTP/1.1`, or `HTTP/1.1 200 OK`.
    pub(crate) first_line: String,
    length: Option<u64>,
    chunked: bool,
    /// Whether the connection ends after the body.
    pub(crate) closes: bool,
    /// Whether the client waits for a word before it sends the body.
    pub(crate) waits: bool,
}

impl Head {
    /// Reads one; `None` where the connection ended instead.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let mut head = Self {
            bytes: Vec::new(),
            first_line: String::new(),
            length: None,
            chunked: false,
            closes: false,
            waits: false,
        };
        loop {
            let start = bytes.len();
            let left = MOST_HEAD.saturating_sub(start as u64);
            reader.by_ref().take(left).read_until(b'\n', &mut bytes)?;
            if bytes.is_empty() {
                return Ok(None);
            }
            if bytes.last() != Some(&b'\n') {
                return Err(bad("a head that does not end"));
            }
            let line = String::from_utf8_lossy(bytes.get(start..).unwrap_or_default());
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if start == 0 {
                line.clone_into(&mut head.first_line);
                head.closes = line.contains("HTTP/1.0");
            } else if let Some((name, value)) = line.split_once(':') {
                let value = value.trim().to_ascii_lowercase();
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => {
                        let length = value.parse().map_err(|_| bad("a length that is no number"))?;
                        head.length = Some(length);
                    }
                    "transfer-encoding" => head.chunked = value.contains("chunked"),
                    "connection" => head.closes = value.contains("close"),
                    "expect" => head.waits = value.contains("100-continue"),
                    _ => {}
                }
            }
        }
        head.bytes = bytes;
        Ok(Some(head))
    }

    /// Copies a request's body, which is empty unless its head says otherwise. Chunks come out joined.
    pub(crate) fn request_body(&self, reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.chunked || self.length.is_some() {
            self.read_body(reader, &mut body)?;
        }
        Ok(body)
    }

    /// Reads a response's body. Chunks come out joined.
    fn read_body(&self, reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
        if self.chunked {
            loop {
                let size = chunk_size(reader)?.1;
                if size == 0 {
                    return Ok(());
                }
                if size.saturating_add(body.len() as u64) > MOST_BODY {
                    return Err(bad("a body over 1 GiB"));
                }
                copy(reader, body, size)?;
                chunk_end(reader)?;
            }
        }
        match self.length {
            Some(length) if length > MOST_BODY => Err(bad("a body over 1 GiB")),
            Some(length) => copy(reader, body, length),
            None => reader.by_ref().take(MOST_BODY).read_to_end(body).map(drop),
        }
    }

    /// Passes a response on, byte by byte, as it comes in. Returns whether its end is the connection's.
    fn relay(&self, reader: &mut impl BufRead, to: &mut impl Write) -> io::Result<bool> {
        let mut first = self.bytes.clone();
        if let (false, Some(length)) = (self.chunked, self.length) {
            // What has arrived already goes out in the same packet.
            let here = reader.fill_buf()?;
            let now = here.len().min(usize::try_from(length).unwrap_or(usize::MAX));
            first.extend_from_slice(here.get(..now).unwrap_or_default());
            reader.consume(now);
            to.write_all(&first)?;
            copy(reader, to, length - now as u64)?;
            return Ok(self.closes);
        }
        to.write_all(&first)?;
        if !self.chunked {
            io::copy(reader, to)?;
            return Ok(true);
        }
        loop {
            let (line, size) = chunk_size(reader)?;
            to.write_all(&line)?;
            if size == 0 {
                to.write_all(b"\r\n")?;
                return Ok(self.closes);
            }
            copy(reader, to, size)?;
            chunk_end(reader)?;
            to.write_all(b"\r\n")?;
        }
    }

    /// The status of a response's head.
    fn status(&self) -> u16 {
        let word = self.first_line.split_ascii_whitespace().nth(1);
        word.and_then(|word| word.parse().ok()).unwrap_or_default()
    }
}

/// The line before a chunk, and the chunk's size. A last chunk's trailers are read too.
fn chunk_size(reader: &mut impl BufRead) -> io::Result<(Vec<u8>, u64)> {
    let line = line(reader)?;
    let text = String::from_utf8_lossy(&line);
    let digits = text.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(digits, 16).map_err(|_| bad("a chunk without a size"))?;
    if size == 0 {
        while self::line(reader)? != b"\r\n" {}
    }
    Ok((line, size))
}

fn chunk_end(reader: &mut impl BufRead) -> io::Result<()> {
    line(reader).map(drop)
}

fn line(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.by_ref().take(MOST_HEAD).read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') {
        Ok(line)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Copies exactly `length` bytes.
fn copy(reader: &mut impl BufRead, to: &mut impl Write, mut length: u64) -> io::Result<()> {
    while length > 0 {
        let here = reader.fill_buf()?;
        let now = here.len().min(usize::try_from(length).unwrap_or(usize::MAX));
        if now == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.write_all(here.get(..now).unwrap_or_default())?;
        reader.consume(now);
        length -= now as u64;
    }
    Ok(())
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// A response of our own, head and body in one piece. `headers` are whole lines.
pub(crate) fn response(status: &str, content_type: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n{headers}\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The node behind a proxy.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    host: String,
    path: String,
}

impl Node {
    /// From `http://host:port/path`.
    pub(crate) fn parse(url: &str) -> io::Result<Self> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidInput, "the node's URL is not http://host:port");
        let rest = url.strip_prefix("http://").ok_or_else(invalid)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !host.contains(':') {
            return Err(invalid());
        }
        Ok(Self {
            host: host.to_owned(),
            path: format!("/{path}"),
        })
    }
}

/// One client's connection to the node, opened when it is needed and kept.
#[derive(Debug)]
pub(crate) struct Upstream {
    node: Node,
    sockets: Arc<Sockets>,
    open: Option<(BufReader<TcpStream>, Registered)>,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Upstream {
    pub(crate) const fn new(node: Node, sockets: Arc<Sockets>) -> Self {
        Self {
            node,
            sockets,
            open: None,
        }
    }

    /// Asks, and passes the response on as it comes. Returns whether the client's connection has to end.
    pub(crate) fn relay(&mut self, request: &[u8], to: &mut impl Write) -> io::Result<bool> {
        let (head, (mut reader, registered)) = self.send(request)?;
        let ends = head.relay(&mut reader, to)?;
        if !ends {
            self.open = Some((reader, registered));
        }
        Ok(ends)
    }

    /// Asks, and reads the whole response.
    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<Answer> {
        let (head, (mut reader, registered)) = self.send(request)?;
        let mut body = Vec::new();
        head.read_body(&mut reader, &mut body)?;
        if !head.closes && (head.chunked || head.length.is_some()) {
            self.open = Some((reader, registered));
        }
        Ok(Answer {
            status: head.status(),
            body,
        })
    }

    /// Sends a request and reads the response's head. A kept connection that the node has closed meanwhile is opened again.
    #[allow(clippy::type_complexity)] // the parts of `open`
    fn send(&mut self, request: &[u8]) -> io::Result<(Head, (BufReader<TcpStream>, Registered))> {
        let Node { host, path } = &self.node;
        let length = request.len();
        let mut bytes = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        )
        .into_bytes();
        bytes.extend_from_slice(request);
        if let Some((mut reader, registered)) = self.open.take()
            && reader.get_mut().write_all(&bytes).is_ok()
            && let Ok(Some(head)) = Head::read(&mut reader)
        {
            return Ok((head, (reader, registered)));
        }
        let address = host.to_socket_addrs()?.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut stream = TcpStream::connect_timeout(&address, CONNECT)?;
        stream.set_nodelay(true)?;
        let registered = self.sockets.register(&stream)?;
        stream.write_all(&bytes)?;
        let mut reader = BufReader::with_capacity(64 << 10, stream);
        let head = Head::read(&mut reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok((head, (reader, registered)))
    }
}
