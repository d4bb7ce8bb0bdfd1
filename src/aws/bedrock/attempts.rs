//! The attempts of a call, between which the SDK waits: a service that refuses each of them is not silent.

use std::sync::Arc;

use aws_sdk_bedrock::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_bedrock::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_bedrock::error::BoxError;

use crate::aws::breaker::Breaker;

/// Tells the breaker of attempts that ended.
#[derive(Debug)]
pub(super) struct Attempts(Arc<Breaker>);

impl Attempts {
    pub(super) fn of(breaker: Arc<Breaker>) -> Self {
        Self(breaker)
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_after_attempt(
        &self,
        attempt: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_silent = match attempt.output_or_error() {
            Some(Ok(_)) => false,
            Some(Err(error)) => error.is_timeout_error(),
            None => true,
        };
        if !is_silent {
            self.0.hears();
        }
        Ok(())
    }
}
