//! Faults of the HTTP answer as a whole.

use super::{
    fault::{Fault, RetryAfter},
    http::response,
    sockets::Sockets,
};
use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How often a silent connection is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Whether the fault spoils the true answer, rather than come instead of it.
pub(crate) const fn needs_answer(fault: Fault) -> bool {
    matches!(fault, Fault::TruncatedJson | Fault::SlowDrip { .. } | Fault::Reset)
}

/// Answers so. Returns whether the connection ends with it.
pub(crate) fn carry_out(fault: Fault, client: &mut TcpStream, answer: &[u8], sockets: &Sockets) -> io::Result<bool> {
    let json = |body| response("200 OK", "application/json", "", body);
    let half = answer.get(..answer.len() / 2).unwrap_or_default();
    match fault {
        Fault::OversizedBody { bytes } => stream(client, bytes.min(Fault::MOST_BYTES), sockets).map(|()| true),
        Fault::HtmlPage => {
            let page = b"<!DOCTYPE html><html><head><title>Checking your browser</title></head><body>One moment.</body></html>";
            client.write_all(&response("200 OK", "text/html", "", page))?;
            Ok(false)
        }
        Fault::TruncatedJson => {
            client.write_all(&json(half))?;
            Ok(false)
        }
        Fault::Hang { most } => wait(client, most, sockets).map(|()| true),
        Fault::SlowDrip { pause } => {
            let whole = json(answer);
            let body_at = whole.len() - answer.len();
            let (head, body) = whole.split_at(body_at);
            client.write_all(head)?;
            for byte in body {
                if sockets.stopped() {
                    return Ok(true);
                }
                client.write_all(&[*byte])?;
                thread::sleep(pause);
            }
            Ok(false)
        }
        Fault::TooManyRequests { retry_after } => {
            let header = match retry_after {
                None => String::new(),
                Some(RetryAfter::Seconds(seconds)) => format!("retry-after: {seconds}\r\n"),
                Some(RetryAfter::Date(seconds)) => format!("retry-after: {}\r\n", date_in(seconds)),
            };
            let refused = response("429 Too Many Requests", "text/plain", &header, b"Too many requests");
            client.write_all(&refused)?;
            Ok(false)
        }
        Fault::Unavailable => {
            let refused = response(
                "503 Service Unavailable",
                "text/plain",
                "",
                b"Service temporarily unavailable",
            );
            client.write_all(&refused)?;
            Ok(false)
        }
        Fault::Reset => {
            let whole = json(answer);
            client.write_all(whole.get(..whole.len() - answer.len() / 2 - 1).unwrap_or_default())?;
            client.shutdown(Shutdown::Both)?;
            Ok(true)
        }
        // Closed; no other fault is one of the whole answer.
        _ => Ok(true),
    }
}

/// The beginning of a JSON-RPC answer and then zeros, until the client has had enough of them.
fn stream(client: &mut TcpStream, bytes: u64, sockets: &Sockets) -> io::Result<()> {
    let start = br#"{"jsonrpc":"2.0","id":1,"result":"0x"#;
    client.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n")?;
    client.write_all(start)?;
    let zeros = vec![b'0'; 64 << 10];
    let mut left = bytes.saturating_sub(start.len() as u64);
    while left > 0 && !sockets.stopped() {
        let now = zeros.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        client.write_all(zeros.get(..now).unwrap_or_default())?;
        left -= now as u64;
    }
    Ok(())
}

/// Waits until the client hangs up.
fn wait(client: &mut TcpStream, most: Duration, sockets: &Sockets) -> io::Result<()> {
    client.set_read_timeout(Some(LOOK))?;
    let mut waited = Duration::ZERO;
    while waited < most && !sockets.stopped() {
        match client.read(&mut [0; 64]) {
            Ok(0) => break,
            // A client that talks on is not answered either; this way the wait stays bounded.
            Ok(_) => thread::sleep(LOOK),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        waited += LOOK;
    }
    Ok(())
}

/// The date that is so many seconds from now, rounded up, as HTTP writes it (RFC 9110, 5.6.7).
fn date_in(seconds: u64) -> String {
    #[allow(clippy::disallowed_methods)] // a date says when, and only the clock knows how far that is from now
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    http_date(now.as_secs() + 1 + seconds)
}

fn http_date(unix_seconds: u64) -> String {
    let (days, second) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        .get(usize::try_from(days % 7).unwrap_or_default())
        .unwrap_or(&"Thu");
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut day) = (1970u64, days);
    while day >= 365 + u64::from(leap(year)) {
        day -= 365 + u64::from(leap(year));
        year += 1;
    }
    let months = [
        ("Jan", 31),
        ("Feb", 28 + u64::from(leap(year))),
        ("Mar", 31),
        ("Apr", 30),
        ("May", 31),
        ("Jun", 30),
        ("Jul", 31),
        ("Aug", 31),
        ("Sep", 30),
        ("Oct", 31),
        ("Nov", 30),
        ("Dec", 31),
    ];
    let mut month = "Jan";
    for (name, length) in months {
        month = name;
        if day < length {
            break;
        }
        day -= length;
    }
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!(
        "{weekday}, {:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT",
        day + 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_http_writes_them() {
        // RFC 9110's own example, a leap day, and the end of a year.
        assert_eq!(http_date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(http_date(1_735_689_599), "Tue, 31 Dec 2024 23:59:59 GMT");
    }
}
