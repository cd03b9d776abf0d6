//! What tests need of the outside world: a real `nats-server` each, a network that fails on demand, and waiting
//! for conditions.

mod proxy;
mod server;
mod wait;

pub use proxy::FaultProxy;
pub use server::TestServer;
pub use wait::wait_for;
