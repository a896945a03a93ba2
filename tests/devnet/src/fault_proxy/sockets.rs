use std::{
    collections::HashMap,
    io,
    net::{Shutdown, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Every open socket of a proxy, so that stopping it wakes whatever waits on one.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    open: Mutex<HashMap<u64, TcpStream>>,
    next: AtomicU64,
    stopped: AtomicBool,
}

/// Forgets its socket when dropped.
#[derive(Debug)]
pub(crate) struct Registered {
    sockets: Arc<Sockets>,
    id: u64,
}

impl Sockets {
    /// Keeps a handle of the socket; one that comes after the stop is shut at once.
    pub(crate) fn register(self: &Arc<Self>, socket: &TcpStream) -> io::Result<Registered> {
        let handle = socket.try_clone()?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stopped() {
            let _ = handle.shutdown(Shutdown::Both);
        }
        open.insert(id, handle);
        Ok(Registered {
            sockets: Arc::clone(self),
            id,
        })
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// From now on nothing waits.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        for socket in self.open.lock().unwrap_or_else(PoisonError::into_inner).values() {
            // One that is closed already needs no shutting.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut open = self.sockets.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&self.id);
    }
}
