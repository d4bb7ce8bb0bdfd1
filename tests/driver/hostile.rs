//! What nobody should send, sent: absurd manifests, near misses of consent, policies of others, answers that lie and forged
//! statuses, through the real driver.

pub(crate) mod absurd;
mod answers;
mod bedrock;
mod consent;
mod foreign;
mod forged;
mod stage;
mod status;
mod values;
