//! What is granted beside the invoke actions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture may fail loudly")]

mod api_keys;
mod before;
mod discovery;
mod life;
mod mixtures;
mod responses;
mod size;
mod world;
