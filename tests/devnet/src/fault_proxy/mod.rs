//! A proxy between a JSON-RPC client and a node that counts, refuses as the usual providers do, and lies on demand.

#[cfg(test)]
mod canned_node;
mod counts;
mod exchange;
mod fault;
mod http;
mod lies;
mod limits;
mod outage;
mod sockets;
#[cfg(test)]
mod tests;

pub use counts::{BlockRange, Counts, LogQuery, Verdict};
pub use fault::{Fault, FaultPlan, RetryAfter};
pub use limits::{BlocksRefusal, Limits, ResultsRefusal};

use exchange::Exchange;
use fault::Drawn;
use http::{Head, Node, Upstream, response};
use sockets::Sockets;
use std::{
    io::{self, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// Connections at a time; one more is closed at once.
const MOST_CONNECTIONS: usize = 256;

/// A proxy on 127.0.0.1, over HTTP/1.1. Stopped, with every thread of its own, when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

/// A fault that was injected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injected {
    /// Which.
    pub fault: Fault,
    /// The method of the call it struck.
    pub method: String,
    /// The call's number within its method, from 1, since the plan was set.
    pub call: u64,
}

/// What the connections share.
#[derive(Debug)]
struct Shared {
    node: Node,
    sockets: Arc<Sockets>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    plan: FaultPlan,
    limits: Limits,
    counts: Counts,
    injected: Vec<Injected>,
}

impl FaultProxy {
    /// Starts before the node at `http://host:port`, without limits and without faults: all it does is count.
    ///
    /// # Errors
    /// The URL is another one, or there is no free port.
    pub fn start(node: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            node: Node::parse(node)?,
            sockets: Arc::default(),
            state: Mutex::default(),
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    /// Where clients connect. Any path leads to the node.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets which calls get which fault, from the next call on, and forgets the faults injected so far.
    pub fn set_plan(&self, plan: FaultPlan) {
        let mut state = self.shared.state();
        state.plan = plan;
        state.injected.clear();
    }

    /// Sets what is refused, from the next call on.
    pub fn set_limits(&self, limits: Limits) {
        self.shared.state().limits = limits;
    }

    /// What went through since the start, or since [`FaultProxy::reset_counts`].
    pub fn counts(&self) -> Counts {
        self.shared.state().counts.clone()
    }

    /// Counts from zero.
    pub fn reset_counts(&self) {
        self.shared.state().counts = Counts::default();
    }

    /// The faults that were injected, in order. One that would have changed nothing, such as a log missing from no logs, is not.
    pub fn injected(&self) -> Vec<Injected> {
        self.shared.state().injected.clone()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.sockets.stop();
        // Wakes the listener, which joins the connections.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, drawn: &Drawn, method: &str) {
        self.state().injected.push(Injected {
            fault: drawn.fault,
            method: method.to_owned(),
            call: drawn.call,
        });
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut connections: Vec<JoinHandle<()>> = Vec::new();
    for client in listener.incoming() {
        if shared.sockets.stopped() {
            break;
        }
        connections.retain(|connection| !connection.is_finished());
        match client {
            Ok(client) if connections.len() < MOST_CONNECTIONS => {
                let shared = Arc::clone(shared);
                connections.push(thread::spawn(move || {
                    // A connection that breaks is the client's to notice.
                    let _ = serve(client, &shared);
                }));
            }
            Ok(_) => {}
            // Out of file descriptors, say; it may pass.
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    }
    for connection in connections {
        let _ = connection.join();
    }
}

/// Answers one client until either end has enough.
fn serve(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    client.set_nodelay(true)?;
    let _registered = shared.sockets.register(&client)?;
    let mut reader = BufReader::with_capacity(64 << 10, client.try_clone()?);
    let mut upstream = Upstream::new(shared.node.clone(), Arc::clone(&shared.sockets));
    while let Some(head) = Head::read(&mut reader)? {
        if head.waits {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let body = head.request_body(&mut reader)?;
        if !head.first_line.starts_with("POST ") {
            client.write_all(&response("405 Method Not Allowed", "text/plain", "", b"POST only"))?;
            continue;
        }
        let mut exchange = Exchange {
            shared,
            client: &mut client,
            upstream: &mut upstream,
        };
        if exchange.answer(&body)? || head.closes {
            break;
        }
    }
    Ok(())
}
