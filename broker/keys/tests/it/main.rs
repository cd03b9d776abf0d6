//! A deployment's folder, and what its brokers allow and refuse: on real brokers, joined as two sites are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod deployment;
mod documentation;
mod folder;
mod forbidden;
mod mistakes;
mod services;
mod sites;
