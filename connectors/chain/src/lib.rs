//! A JSON-RPC node as a source of blocks, logs and pool states, proven and not believed.
