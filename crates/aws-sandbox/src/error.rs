//! Errors as the services answer them: a code, an HTTP status, a message.

use crate::call::Service;

/// An error of a service, before it is written as XML or JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct AwsError {
    pub(crate) code: &'static str,
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl AwsError {
    pub(crate) fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into() }
    }

    /// The service's answer when it is called too often.
    pub(crate) fn throttled(service: Service) -> Self {
        match service {
            Service::Iam | Service::Sts => Self::new("Throttling", 400, "Rate exceeded"),
            Service::Bedrock => {
                Self::new("ThrottlingException", 429, "Too many requests, please wait before trying again.")
            }
        }
    }

    /// The service's answer when it fails itself.
    pub(crate) fn internal(service: Service) -> Self {
        let message = "The request processing has failed because of an unknown error, exception or failure.";
        match service {
            Service::Iam => Self::new("ServiceFailure", 500, message),
            Service::Sts => Self::new("InternalFailure", 500, message),
            Service::Bedrock => Self::new("InternalServerException", 500, message),
        }
    }

    /// The service's answer when it cannot be reached behind its endpoint.
    pub(crate) fn unavailable(service: Service) -> Self {
        let code = match service {
            Service::Iam | Service::Sts => "ServiceUnavailable",
            Service::Bedrock => "ServiceUnavailableException",
        };
        Self::new(code, 503, "The request has failed due to a temporary failure of the server.")
    }

    /// The service's answer when no policy of `caller` allows the operation.
    pub(crate) fn access_denied(service: Service, operation: &str, caller: &str, resource: &str) -> Self {
        let code = match service {
            Service::Iam | Service::Sts => "AccessDenied",
            Service::Bedrock => "AccessDeniedException",
        };
        let action = format!("{}:{operation}", service.name());
        let message = format!(
            "User: {caller} is not authorized to perform: {action} on resource: {resource} \
             because no identity-based policy allows the {action} action"
        );
        Self::new(code, 403, message)
    }
}
