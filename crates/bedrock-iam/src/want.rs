//! What a manifest wants, in whose name, and whether the owners let it.

pub mod consent;
pub(crate) mod extras;
pub mod intent;
pub(crate) mod operations;
pub(crate) mod terms;
