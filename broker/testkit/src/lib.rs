//! What tests need of the outside world: a real `nats-server` each, a network that fails on demand, waiting for
//! conditions, and a neural network that nobody has to run.

mod network;
mod proxy;
mod server;
mod wait;

pub use network::ScriptedNetwork;
pub use proxy::FaultProxy;
pub use server::TestServer;
pub use wait::wait_for;
